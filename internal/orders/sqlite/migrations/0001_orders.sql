-- +goose Up

-- A row is written once and changed seldom. What was asked for never changes (orders). What somebody still has to do is a
-- small row that is there for as long as it takes (open_orders). What became of the order is written when it comes to rest
-- (order_states): until then it is as it was placed.
-- No foreign keys: the other tables' rows are written only with their order's, and orders are never deleted.
--
-- The constraints are chains of OR, not IN: SQLite builds a temporary B-tree for an IN of more than two values each time a
-- statement runs, which took a third of the whole work of a batch.
CREATE TABLE orders (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    payment_id  BLOB    NOT NULL CHECK (length(payment_id) = 16),
    caller      TEXT    NOT NULL,
    email       TEXT    NOT NULL,
    key         BLOB    NOT NULL UNIQUE CHECK (length(key) = 32),
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    request     TEXT    NOT NULL,
    created_at  INTEGER NOT NULL CHECK (created_at >= 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX orders_by_email ON orders (email, id);

-- The orders that need another step, now or later. One with no row in order_states is as it was placed.
CREATE TABLE open_orders (
    order_id        BLOB    NOT NULL PRIMARY KEY,
    version         INTEGER NOT NULL CHECK (version > 0),
    lease           INTEGER NOT NULL CHECK (lease >= 0),
    next_attempt_at INTEGER NOT NULL CHECK (next_attempt_at > 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX open_orders_due ON open_orders (next_attempt_at, order_id);

CREATE TABLE order_states (
    order_id           BLOB    NOT NULL PRIMARY KEY,
    status             TEXT    NOT NULL CHECK (status = 'placed' OR status = 'confirmed' OR status = 'held' OR status = 'awaiting_payment' OR status = 'completed' OR status = 'rejected' OR status = 'canceled'),
    payment_status     TEXT    NOT NULL CHECK (payment_status = 'none' OR payment_status = 'paid' OR payment_status = 'pending' OR payment_status = 'authorized' OR payment_status = 'unknown' OR payment_status = 'refunded' OR payment_status = 'partially_refunded'),
    fulfillment_status TEXT    NOT NULL CHECK (fulfillment_status = 'unfulfilled' OR fulfillment_status = 'partial' OR fulfillment_status = 'fulfilled' OR fulfillment_status = 'delivered' OR fulfillment_status = 'returned'),
    progress           TEXT    NOT NULL,
    version            INTEGER NOT NULL CHECK (version > 0),
    lease              INTEGER NOT NULL CHECK (lease >= 0), -- as it was when this row was written
    updated_at         INTEGER NOT NULL CHECK (updated_at >= 0),
    settlement         TEXT -- the events of the change by which the order, just placed, came to rest at once; of others order_events has all
) STRICT, WITHOUT ROWID;

-- Whole, not only for the rare statuses: which are rare changes with the age of the shop.
CREATE INDEX order_states_by_status ON order_states (status, order_id);
-- Most orders are paid: those are found by walking the orders.
CREATE INDEX order_states_by_payment_status ON order_states (payment_status, order_id) WHERE payment_status <> 'paid';

-- What happened in one transaction, in order, but for what order_states.settlement has: most orders need no row here.
-- after_version is the order's version before, 0 when it was placed; an order with no such row was placed at its created_at,
-- and nothing else is to be said of that.
CREATE TABLE order_events (
    order_id      BLOB    NOT NULL,
    after_version INTEGER NOT NULL CHECK (after_version >= 0),
    events        TEXT    NOT NULL, -- [{"version","type","status","payment_status","reason","at"}], at in microseconds
    PRIMARY KEY (order_id, after_version)
) STRICT, WITHOUT ROWID;

-- Which orders have a SKU, in segments of orders whose ids follow one another: a batch changes pages of the newest segment alone,
-- and not one page for each of its SKUs. A list goes from segment to segment.
CREATE TABLE order_skus (
    segment  INTEGER NOT NULL,
    sku      TEXT    NOT NULL,
    order_id BLOB    NOT NULL,
    PRIMARY KEY (segment, sku, order_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE order_sku_segments (
    number   INTEGER NOT NULL PRIMARY KEY,
    after_id BLOB    NOT NULL UNIQUE -- its orders' ids are greater, and none is greater than the next segment's after_id
) STRICT;

INSERT INTO order_sku_segments (after_id) VALUES (zeroblob(16));

-- The SKUs of orders in a state that few come to rest in (orders.RareStates), for lists of a SKU with such a state. An order that
-- left the state keeps its rows: order_states decides.
CREATE TABLE order_skus_by_state (
    sku      TEXT NOT NULL,
    state    TEXT NOT NULL, -- a status or a payment status; no word is both
    order_id BLOB NOT NULL,
    PRIMARY KEY (sku, state, order_id)
) STRICT, WITHOUT ROWID;
