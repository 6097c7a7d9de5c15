package postgres

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

// batcher is a pool or a transaction.
type batcher interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// Save implements payments.Store. Rows are given by id; a deadlock of two batches that share charges is found by the server,
// and transient.
func (s *Store) Save(ctx context.Context, changes []payments.Change) ([]bool, error) {
	if len(changes) == 0 {
		return nil, nil
	}
	return save(ctx, s.pool, changes)
}

// save writes all captures by one statement and all else by another, in one transaction: a batch without one is its own.
func save(ctx context.Context, db batcher, changes []payments.Change) ([]bool, error) {
	sorted := make([]*payments.Change, len(changes))
	ids := make([][16]byte, len(changes))
	for i := range changes {
		sorted[i] = &changes[i]
	}
	slices.SortFunc(sorted, func(a, b *payments.Change) int { return bytes.Compare(a.Charge.ID[:], b.Charge.ID[:]) })
	for i, c := range sorted {
		ids[i] = c.Charge.ID
	}
	written := newMarks(ids)
	b := new(pgx.Batch)
	queueChanges(b, sorted, func(rows pgx.Rows) error { return markIDs(rows, written) })
	if err := db.SendBatch(ctx, b).Close(); err != nil {
		return nil, fmt.Errorf("update charges: %w", postgres.Classify(err))
	}
	saved := make([]bool, len(changes))
	for i := range changes {
		saved[i] = written.take(changes[i].Charge.ID)
	}
	return saved, nil
}

func queueChanges(b *pgx.Batch, sorted []*payments.Change, done func(pgx.Rows) error) {
	captured := make([][16]byte, 0, len(sorted))
	var others []*payments.Change
	var at int64
	for _, c := range sorted {
		us := c.Charge.UpdatedAt.UnixMicro()
		if !isCapture(c) || len(captured) > 0 && us != at {
			others = append(others, c)
			continue
		}
		captured, at = append(captured, c.Charge.ID), us
	}
	if len(captured) > 0 {
		b.Queue(captureSQL, captured, at).Query(done)
	}
	if len(others) > 0 {
		queueOthers(b, others).Query(done)
	}
}

// isCapture tells whether a change is what becomes of nearly all charges: the provider took the whole amount of a wish at
// once, and nothing else has happened.
func isCapture(change *payments.Change) bool {
	c := &change.Charge
	return len(change.Transfers) == 1 &&
		change.Transfers[0] == payments.Transfer{PaymentID: c.ID, Number: 2, Kind: payments.Capture, Debit: payments.AtProvider,
			Credit: payments.Sales, Amount: c.Amount, At: c.UpdatedAt} &&
		*c == payments.Charge{ID: c.ID, OrderID: c.OrderID, Method: c.Method, Token: c.Token, Amount: c.Amount, Provider: c.Provider,
			Status: payments.Paid, Received: c.Amount, Version: 2, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt}
}

// What a capture writes is in the charge already, but for its time: nothing has to be joined.
const captureSQL = `WITH captured AS (
	UPDATE charges SET received_cents = amount_cents, refunded_cents = 0, version = 2, next_attempt_at = NULL, due_at = NULL,
		updated_at = $2, attempts = 0, close_wanted = false, refund_wanted = false, notice = false, status = 'paid',
		decline_reason = '', pix_txid = NULL, pix_copy_paste = NULL, pix_expires_at = NULL
	WHERE id = ANY($1::uuid[]) AND version = 1
	RETURNING id, amount_cents
), written AS (
	INSERT INTO ledger (payment_id, number, amount_cents, at, kind, debit, credit)
	SELECT id, 2, amount_cents, $2, 'capture', 'provider', 'sales' FROM captured
), summed AS (
	INSERT INTO ledger_sums (captured_cents, refunded_cents, surplus_cents)
	SELECT sum(amount_cents), 0, 0 FROM captured HAVING count(*) > 0
) SELECT id FROM captured`

// The three writes are one statement: the ledger gets the rows of those charges alone that were updated, and its sums
// get one row a batch. IS TRUE has the server hash what was updated, instead of looping over all of it for each transfer.
const saveSQL = `WITH updated AS (
	UPDATE charges c SET received_cents = n.received_cents, refunded_cents = n.refunded_cents, version = n.version,
		next_attempt_at = n.next_attempt_at, due_at = n.next_attempt_at, updated_at = n.updated_at, attempts = n.attempts,
		close_wanted = n.close_wanted, refund_wanted = n.refund_wanted, notice = n.notice, status = n.status,
		decline_reason = n.decline_reason, pix_txid = n.pix_txid, pix_copy_paste = n.pix_copy_paste, pix_expires_at = n.pix_expires_at
	FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::integer[], $8::boolean[],
		$9::boolean[], $10::boolean[], $11::text[], $12::text[], $13::text[], $14::text[], $15::bigint[])
		AS n (id, received_cents, refunded_cents, version, next_attempt_at, updated_at, attempts, close_wanted, refund_wanted,
			notice, status, decline_reason, pix_txid, pix_copy_paste, pix_expires_at)
	WHERE c.id = n.id AND c.version = n.version - 1
	RETURNING c.id
), written AS (
	INSERT INTO ledger (payment_id, number, amount_cents, at, kind, debit, credit)
	SELECT t.* FROM unnest($16::uuid[], $17::bigint[], $18::bigint[], $19::bigint[], $20::text[], $21::text[], $22::text[])
		AS t (payment_id, number, amount_cents, at, kind, debit, credit) WHERE (t.payment_id IN (SELECT id FROM updated)) IS TRUE
	RETURNING amount_cents, debit, credit
), summed AS (
	INSERT INTO ledger_sums (captured_cents, refunded_cents, surplus_cents)
	SELECT coalesce(sum(amount_cents) FILTER (WHERE credit = 'sales'), 0), coalesce(sum(amount_cents) FILTER (WHERE debit = 'sales'), 0),
		coalesce(sum(amount_cents) FILTER (WHERE credit = 'surplus'), 0) - coalesce(sum(amount_cents) FILTER (WHERE debit = 'surplus'), 0)
	FROM written HAVING count(*) > 0
) SELECT id FROM updated`

func queueOthers(b *pgx.Batch, changes []*payments.Change) *pgx.QueuedQuery {
	c, l := new(columns), new(ledgerColumns)
	for _, change := range changes {
		c.add(&change.Charge)
		l.add(change.Transfers)
	}
	return b.Queue(saveSQL, c.ids, c.received, c.refunded, c.versions, c.next, c.updated, c.attempts, c.closeWanted,
		c.refundWanted, c.notices, c.statuses, c.reasons, c.pixTxIDs, c.pixPastes, c.pixExpires,
		l.payments, l.numbers, l.amounts, l.at, l.kinds, l.debits, l.credits)
}
