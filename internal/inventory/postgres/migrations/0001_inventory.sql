-- +goose Up
-- Half of each page stays free, so that a stock update finds room beside its row (HOT) and touches no index.
CREATE TABLE items (
    sku                 text COLLATE "C" NOT NULL PRIMARY KEY,
    name                text   NOT NULL,
    price_cents         bigint NOT NULL CHECK (price_cents > 0),
    low_stock_threshold bigint NOT NULL CHECK (low_stock_threshold >= 0),
    on_hand             bigint NOT NULL CHECK (on_hand BETWEEN 0 AND 1000000000000),
    held                bigint NOT NULL CHECK (held >= 0),
    last_movement       uuid,
    created_at          bigint NOT NULL, -- microseconds since 1970, as all times
    updated_at          bigint NOT NULL,
    CHECK (held <= on_hand)
) WITH (fillfactor = 50);

CREATE TABLE holds (
    order_id uuid     NOT NULL,
    round    smallint NOT NULL CHECK (round >= 1),
    released boolean  NOT NULL,
    lines    json     NOT NULL, -- [{"sku","name","quantity","unit_price_cents"}]; [] when it was released before it held
    PRIMARY KEY (order_id, round),
    CHECK (released OR json_array_length(lines) > 0)
);

-- The movements of an item are a chain from items.last_movement back through previous. An index by SKU would touch a
-- page of its own for each order of a batch; this table and its key are only ever appended to.
-- There is no foreign key to items: each row is written with its item's row locked, and items are never deleted.
CREATE TABLE movements (
    id            uuid   NOT NULL PRIMARY KEY,
    previous      uuid,
    sku           text COLLATE "C" NOT NULL,
    kind          text   NOT NULL CHECK (kind IN ('adjustment', 'hold', 'release')),
    on_hand_delta bigint NOT NULL,
    held_delta    bigint NOT NULL,
    on_hand_after bigint NOT NULL,
    held_after    bigint NOT NULL CHECK (held_after >= 0),
    order_id      uuid,
    reason        text   NOT NULL,
    at            bigint NOT NULL,
    CHECK (held_after <= on_hand_after),
    CHECK ((kind = 'adjustment') = (order_id IS NULL))
);

CREATE TABLE adjustments (
    key         bytea  NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    fingerprint bytea  NOT NULL CHECK (length(fingerprint) = 32),
    id          uuid   NOT NULL UNIQUE,
    sku         text COLLATE "C" NOT NULL REFERENCES items (sku),
    delta       bigint NOT NULL CHECK (delta <> 0),
    reason      text   NOT NULL,
    on_hand     bigint NOT NULL,
    created_at  bigint NOT NULL
);
