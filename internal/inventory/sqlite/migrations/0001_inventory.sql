-- +goose Up
CREATE TABLE items (
    sku                 TEXT    NOT NULL PRIMARY KEY,
    name                TEXT    NOT NULL,
    price_cents         INTEGER NOT NULL CHECK (price_cents > 0),
    low_stock_threshold INTEGER NOT NULL CHECK (low_stock_threshold >= 0),
    on_hand             INTEGER NOT NULL CHECK (on_hand BETWEEN 0 AND 1000000000000),
    held                INTEGER NOT NULL CHECK (held >= 0),
    last_movement       BLOB,
    created_at          INTEGER NOT NULL, -- microseconds since 1970, as all times
    updated_at          INTEGER NOT NULL,
    CHECK (held <= on_hand)
) STRICT, WITHOUT ROWID;

CREATE TABLE holds (
    order_id BLOB    NOT NULL CHECK (length(order_id) = 16),
    round    INTEGER NOT NULL CHECK (round >= 1),
    released INTEGER NOT NULL CHECK (released IN (0, 1)),
    lines    TEXT    NOT NULL, -- JSON: [{"sku","name","quantity","unit_price_cents"}]; [] when it was released before it held
    PRIMARY KEY (order_id, round),
    CHECK (released = 1 OR lines <> '[]')
) STRICT, WITHOUT ROWID;

-- The movements of an item are a chain from items.last_movement back through previous. An index by SKU would touch a
-- page of its own for each order of a batch; this table is only ever appended to.
-- There is no foreign key to items: each row is written with its item's row locked, and items are never deleted.
CREATE TABLE movements (
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    previous      BLOB,
    sku           TEXT    NOT NULL,
    kind          TEXT    NOT NULL CHECK (kind IN ('adjustment', 'hold', 'release')),
    on_hand_delta INTEGER NOT NULL,
    held_delta    INTEGER NOT NULL,
    on_hand_after INTEGER NOT NULL,
    held_after    INTEGER NOT NULL CHECK (held_after >= 0),
    order_id      BLOB,
    reason        TEXT    NOT NULL,
    at            INTEGER NOT NULL,
    CHECK (held_after <= on_hand_after),
    CHECK ((kind = 'adjustment') = (order_id IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE adjustments (
    key         BLOB    NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    sku         TEXT    NOT NULL REFERENCES items (sku),
    delta       INTEGER NOT NULL CHECK (delta <> 0),
    reason      TEXT    NOT NULL,
    on_hand     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
