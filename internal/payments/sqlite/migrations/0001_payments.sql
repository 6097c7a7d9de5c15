-- +goose Up

-- Lists of three and more values are checked by OR: SQLite builds a temporary B-tree for such an IN, for every row.

CREATE TABLE charges (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    order_id        BLOB    NOT NULL CHECK (length(order_id) = 16),
    method          TEXT    NOT NULL CHECK (method IN ('card', 'pix')),
    token           TEXT    NOT NULL,
    amount_cents    INTEGER NOT NULL CHECK (amount_cents >= 0),
    provider        TEXT    NOT NULL,
    status          TEXT    NOT NULL CHECK (status = 'processing' OR status = 'pending' OR status = 'paid' OR status = 'declined' OR status = 'unknown' OR status = 'voided' OR status = 'refunding' OR status = 'refunded'),
    decline_reason  TEXT    NOT NULL,
    pix_txid        TEXT,
    pix_copy_paste  TEXT,
    pix_expires_at  INTEGER,
    received_cents  INTEGER NOT NULL CHECK (received_cents >= 0),
    refunded_cents  INTEGER NOT NULL CHECK (refunded_cents >= 0 AND refunded_cents <= received_cents),
    close_wanted    INTEGER NOT NULL CHECK (close_wanted IN (0, 1)),
    refund_wanted   INTEGER NOT NULL CHECK (refund_wanted IN (0, 1)),
    notice          INTEGER NOT NULL CHECK (notice IN (0, 1)),
    version         INTEGER NOT NULL CHECK (version >= 1),
    attempts        INTEGER NOT NULL CHECK (attempts >= 0),
    next_attempt_at INTEGER, -- microseconds since 1970, as all times; NULL: never
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    CHECK ((pix_txid IS NULL) = (pix_copy_paste IS NULL) AND (pix_txid IS NULL) = (pix_expires_at IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX charges_by_order ON charges (order_id);
CREATE INDEX charges_due ON charges (next_attempt_at, id) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX charges_with_notice ON charges (id) WHERE notice = 1;

CREATE TABLE receipts (
    end_to_end_id TEXT    NOT NULL PRIMARY KEY,
    payment_id    BLOB    NOT NULL REFERENCES charges (id),
    amount_cents  INTEGER NOT NULL CHECK (amount_cents > 0),
    status        TEXT    NOT NULL CHECK (status = 'accepted' OR status = 'surplus' OR status = 'refunded'),
    received_at   INTEGER NOT NULL,
    due_at        INTEGER, -- when a surplus is to be given back
    CHECK ((due_at IS NOT NULL) = (status = 'surplus'))
) STRICT, WITHOUT ROWID;

CREATE INDEX receipts_by_payment ON receipts (payment_id, received_at, end_to_end_id);
CREATE INDEX receipts_due ON receipts (due_at, end_to_end_id) WHERE due_at IS NOT NULL;

-- No foreign key to charges: a row is written only together with the update of its charge that it belongs to.
CREATE TABLE ledger (
    payment_id   BLOB    NOT NULL CHECK (length(payment_id) = 16),
    number       INTEGER NOT NULL CHECK (number >= 1),
    kind         TEXT    NOT NULL CHECK (kind = 'capture' OR kind = 'receipt' OR kind = 'refund'),
    debit        TEXT    NOT NULL CHECK (debit = 'provider' OR debit = 'sales' OR debit = 'surplus'),
    credit       TEXT    NOT NULL CHECK (credit = 'provider' OR credit = 'sales' OR credit = 'surplus'),
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    at           INTEGER NOT NULL,
    PRIMARY KEY (payment_id, number),
    CHECK (debit <> credit)
) STRICT, WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER ledger_is_never_updated BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_is_never_deleted BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
-- +goose StatementEnd

-- The sums of the ledger, one row: there is one writer, so nobody waits for it.
CREATE TABLE ledger_sums (
    id             INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    captured_cents INTEGER NOT NULL,
    refunded_cents INTEGER NOT NULL,
    surplus_cents  INTEGER NOT NULL
) STRICT;

INSERT INTO ledger_sums (id, captured_cents, refunded_cents, surplus_cents) VALUES (1, 0, 0, 0);
