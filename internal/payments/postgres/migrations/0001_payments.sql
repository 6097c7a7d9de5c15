-- +goose Up

CREATE TABLE charges (
    id              uuid    NOT NULL PRIMARY KEY,
    order_id        uuid    NOT NULL,
    amount_cents    bigint  NOT NULL CHECK (amount_cents >= 0),
    received_cents  bigint  NOT NULL CHECK (received_cents >= 0),
    refunded_cents  bigint  NOT NULL CHECK (refunded_cents >= 0 AND refunded_cents <= received_cents),
    version         bigint  NOT NULL CHECK (version >= 1),
    next_attempt_at bigint, -- microseconds since 1970, as all times; NULL: never
    due_at          bigint, -- next_attempt_at, once the index of due charges has it; until then a watch has the charge
    created_at      bigint  NOT NULL,
    updated_at      bigint  NOT NULL,
    attempts        integer NOT NULL CHECK (attempts >= 0),
    close_wanted    boolean NOT NULL,
    refund_wanted   boolean NOT NULL,
    notice          boolean NOT NULL,
    method          text    NOT NULL CHECK (method IN ('card', 'pix')),
    token           text    NOT NULL,
    provider        text    NOT NULL,
    status          text    NOT NULL CHECK (status IN ('processing', 'pending', 'paid', 'declined', 'unknown', 'voided', 'refunding', 'refunded')),
    decline_reason  text    NOT NULL,
    pix_txid        text,
    pix_copy_paste  text,
    pix_expires_at  bigint,
    CHECK ((pix_txid IS NULL) = (pix_copy_paste IS NULL) AND (pix_txid IS NULL) = (pix_expires_at IS NULL)),
    CHECK (due_at IS NULL OR next_attempt_at IS NOT NULL AND due_at = next_attempt_at)
) WITH (fillfactor = 50);

-- Half of each page is left for the next version of its rows, and a card that is paid for at once changes no column of an
-- index: no index is written then, and the old row goes without a vacuum.

CREATE INDEX charges_by_order ON charges (order_id);
CREATE INDEX charges_due ON charges (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX charges_with_notice ON charges (id) WHERE notice;

-- The charges that one batch wished. When their lease ends those that nobody has decided or taken up since get into the
-- index of due charges, and the watch goes. One row a batch costs less than an entry of that index for each charge, which
-- nearly all would leave within milliseconds.
CREATE TABLE watches (
    id      uuid   NOT NULL PRIMARY KEY, -- the first charge, which was new then and so belongs to one watch
    due_at  bigint NOT NULL,
    charges uuid[] NOT NULL
);

-- Ids compress badly: it would only be tried.
ALTER TABLE watches ALTER COLUMN charges SET STORAGE EXTERNAL;

-- Not with id: while the table is small this index would do to find a watch by it, and such a plan is kept.
CREATE INDEX watches_due ON watches (due_at);

CREATE TABLE receipts (
    end_to_end_id text   NOT NULL COLLATE "C" PRIMARY KEY,
    payment_id    uuid   NOT NULL REFERENCES charges (id),
    amount_cents  bigint NOT NULL CHECK (amount_cents > 0),
    status        text   NOT NULL CHECK (status IN ('accepted', 'surplus', 'refunded')),
    received_at   bigint NOT NULL,
    due_at        bigint, -- when a surplus is to be given back
    CHECK ((due_at IS NOT NULL) = (status = 'surplus'))
);

CREATE INDEX receipts_by_payment ON receipts (payment_id, received_at, end_to_end_id);
CREATE INDEX receipts_due ON receipts (due_at, end_to_end_id) WHERE due_at IS NOT NULL;

-- No foreign key to charges: a row is written only by the statement that updates its charge, and the check would lock
-- that charge's row once more.
CREATE TABLE ledger (
    payment_id   uuid   NOT NULL,
    number       bigint NOT NULL CHECK (number >= 1),
    amount_cents bigint NOT NULL CHECK (amount_cents > 0),
    at           bigint NOT NULL,
    kind         text   NOT NULL CHECK (kind IN ('capture', 'receipt', 'refund')),
    debit        text   NOT NULL CHECK (debit IN ('provider', 'sales', 'surplus')),
    credit       text   NOT NULL CHECK (credit IN ('provider', 'sales', 'surplus')),
    PRIMARY KEY (payment_id, number),
    CHECK (debit <> credit)
);

-- +goose StatementBegin
CREATE FUNCTION refuse_change_of_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only';
END
$$;
-- +goose StatementEnd

CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_ledger();

-- What each transaction added to the ledger; the sum of all rows is the sum of the ledger. Rows are only ever inserted by
-- writers, one a batch, because one running total would be a hot row; Fold makes many rows one.
CREATE TABLE ledger_sums (
    id             uuid   NOT NULL PRIMARY KEY DEFAULT gen_random_uuid(),
    captured_cents bigint NOT NULL,
    refunded_cents bigint NOT NULL,
    surplus_cents  bigint NOT NULL
);
