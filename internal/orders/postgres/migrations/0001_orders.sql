-- +goose Up

-- A row is written once and changed seldom, because an update of an indexed column costs four inserts. What was asked for
-- never changes (orders). What somebody still has to do is a small row that is there for as long as it takes (open_orders).
-- What became of the order is written when it comes to rest (order_states): until then it is as it was placed.
-- No foreign keys: the other tables' rows are written only in the statement that writes or settles their order, and orders
-- are never deleted, while three foreign keys doubled the server's work for a batch of orders.
-- Searched text is compared bytewise, as in SQLite; it is also the cheapest way to keep an index.
CREATE TABLE orders (
    id          uuid   NOT NULL PRIMARY KEY,
    payment_id  uuid   NOT NULL,
    created_at  bigint NOT NULL CHECK (created_at >= 0),
    caller      text   NOT NULL,
    email       text   COLLATE "C" NOT NULL,
    key         bytea  NOT NULL UNIQUE CHECK (octet_length(key) = 32),
    fingerprint bytea  NOT NULL CHECK (octet_length(fingerprint) = 32),
    request     text   NOT NULL
);

CREATE INDEX orders_by_email ON orders (email, id);

-- The orders that need another step, now or later. One with no row in order_states is as it was placed.
CREATE TABLE open_orders (
    order_id        uuid   NOT NULL PRIMARY KEY,
    version         bigint NOT NULL CHECK (version > 0),
    lease           bigint NOT NULL CHECK (lease >= 0),
    next_attempt_at bigint NOT NULL CHECK (next_attempt_at > 0)
);

-- Not with order_id: while the table is small this index would do to find orders by their id, as well as any. Such a plan
-- is kept, and reads all of the index for each order of a batch when a campaign has come.
CREATE INDEX open_orders_due ON open_orders (next_attempt_at);

CREATE TABLE order_states (
    order_id           uuid   NOT NULL PRIMARY KEY,
    version            bigint NOT NULL CHECK (version > 0),
    lease              bigint NOT NULL CHECK (lease >= 0), -- as it was when this row was written
    updated_at         bigint NOT NULL CHECK (updated_at >= 0),
    status             text   COLLATE "C" NOT NULL CHECK (status IN ('placed', 'held', 'awaiting_payment', 'confirmed', 'completed', 'rejected', 'canceled')),
    payment_status     text   COLLATE "C" NOT NULL CHECK (payment_status IN ('none', 'pending', 'authorized', 'paid', 'partially_refunded', 'refunded', 'unknown')),
    fulfillment_status text   COLLATE "C" NOT NULL CHECK (fulfillment_status IN ('unfulfilled', 'partial', 'fulfilled', 'delivered', 'returned')),
    progress           text   NOT NULL,
    settlement         text -- the events of the change by which the order, just placed, came to rest at once; of others order_events has all
);

-- Whole, not only for the rare statuses: which are rare changes with the age of the shop.
CREATE INDEX order_states_by_status ON order_states (status, order_id);
-- Most orders are paid: those are found by walking the orders.
CREATE INDEX order_states_by_payment_status ON order_states (payment_status, order_id) WHERE payment_status <> 'paid';

-- What happened in one transaction, in order, but for what order_states.settlement has: most orders need no row here.
-- after_version is the order's version before, 0 when it was placed; an order with no such row was placed at its created_at,
-- and nothing else is to be said of that.
CREATE TABLE order_events (
    order_id      uuid   NOT NULL,
    after_version bigint NOT NULL CHECK (after_version >= 0),
    events        text   NOT NULL, -- [{"version","type","status","payment_status","reason","at"}], at in microseconds
    PRIMARY KEY (order_id, after_version)
);

CREATE TABLE order_skus (
    sku      text COLLATE "C" NOT NULL,
    order_id uuid NOT NULL,
    PRIMARY KEY (sku, order_id)
);

-- The SKUs of orders in a state that few come to rest in (orders.RareStates), for lists of a SKU with such a state. An order that
-- left the state keeps its rows: order_states decides.
CREATE TABLE order_skus_by_state (
    sku      text COLLATE "C" NOT NULL,
    state    text COLLATE "C" NOT NULL, -- a status or a payment status; no word is both
    order_id uuid NOT NULL,
    PRIMARY KEY (sku, state, order_id)
);
