package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

const receiptColumns = `end_to_end_id, payment_id, amount_cents, status, received_at`

func scanReceipt(row pgx.CollectableRow) (payments.Receipt, error) {
	var r payments.Receipt
	var status string
	var received int64
	err := row.Scan(&r.EndToEndID, (*[16]byte)(&r.PaymentID), (*int64)(&r.Amount), &status, &received)
	r.Status, r.ReceivedAt = payments.ReceiptStatus(status), fromMicros(received)
	return r, err
}

const receiptsSQL = `SELECT ` + receiptColumns + ` FROM (
	SELECT ` + receiptColumns + ` FROM receipts WHERE payment_id = $1 ORDER BY received_at DESC, end_to_end_id DESC LIMIT $2
) AS newest ORDER BY received_at, end_to_end_id`

// Receipts implements payments.Store.
func (s *Store) Receipts(ctx context.Context, id payments.ID, limit int) ([]payments.Receipt, error) {
	rows, err := s.pool.Query(ctx, receiptsSQL, [16]byte(id), limit)
	if err != nil {
		return nil, fmt.Errorf("query receipts: %w", postgres.Classify(err))
	}
	receipts, err := pgx.CollectRows(rows, scanReceipt)
	if err != nil {
		return nil, fmt.Errorf("query receipts: %w", postgres.Classify(err))
	}
	return receipts, nil
}

// TakeReceipt implements payments.Store.
func (s *Store) TakeReceipt(ctx context.Context, receipt payments.Receipt, now time.Time) (charge payments.Charge, err error) {
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		charge, err = take(ctx, tx, receipt, now)
		return err
	})
	if err != nil {
		return payments.Charge{}, err
	}
	return charge, nil
}

const ownerSQL = `SELECT payment_id FROM receipts WHERE end_to_end_id = $1`

func take(ctx context.Context, tx pgx.Tx, receipt payments.Receipt, now time.Time) (payments.Charge, error) {
	charge, err := lockCharge(ctx, tx, receipt.PaymentID)
	if err != nil {
		return payments.Charge{}, err
	}
	change, taken := charge.Take(receipt, now)
	inserted, err := insertReceipt(ctx, tx, taken, now)
	if err != nil {
		return payments.Charge{}, fmt.Errorf("insert receipt %s: %w", receipt.EndToEndID, err)
	}
	if inserted {
		return change.Charge, mustSave(ctx, tx, change)
	}
	var owner payments.ID
	if err := tx.QueryRow(ctx, ownerSQL, receipt.EndToEndID).Scan((*[16]byte)(&owner)); err != nil {
		return payments.Charge{}, fmt.Errorf("read receipt %s: %w", receipt.EndToEndID, err)
	}
	if owner == charge.ID {
		return charge, nil
	}
	return readCharge(ctx, tx, getSQL, owner)
}

const lockChargeSQL = `SELECT ` + chargeColumns + ` FROM charges WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE`

func lockCharge(ctx context.Context, tx pgx.Tx, id payments.ID) (payments.Charge, error) {
	return readCharge(ctx, tx, lockChargeSQL, id)
}

func readCharge(ctx context.Context, tx pgx.Tx, sql string, id payments.ID) (payments.Charge, error) {
	rows, err := tx.Query(ctx, sql, [][16]byte{id})
	if err != nil {
		return payments.Charge{}, fmt.Errorf("read charge %s: %w", id, err)
	}
	charge, err := pgx.CollectExactlyOneRow(rows, scanCharge)
	if errors.Is(err, pgx.ErrNoRows) {
		return payments.Charge{}, payments.ErrNotFound
	}
	return charge, err
}

const insertReceiptSQL = `INSERT INTO receipts (` + receiptColumns + `, due_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (end_to_end_id) DO NOTHING`

func insertReceipt(ctx context.Context, tx pgx.Tx, r payments.Receipt, now time.Time) (bool, error) {
	var dueAt pgtype.Int8
	if r.Status == payments.Surplus {
		dueAt = due(now)
	}
	tag, err := tx.Exec(ctx, insertReceiptSQL, r.EndToEndID, [16]byte(r.PaymentID), int64(r.Amount), string(r.Status), r.ReceivedAt.UnixMicro(), dueAt)
	return tag.RowsAffected() == 1, err
}

// mustSave writes a change that was decided under the charge's lock, where nobody can have come in between.
func mustSave(ctx context.Context, tx pgx.Tx, change payments.Change) error {
	saved, err := save(ctx, tx, []payments.Change{change})
	if err == nil && !saved[0] {
		err = fmt.Errorf("save charge %s: version %d is not there", change.Charge.ID, change.Charge.Version-1)
	}
	return err
}

const claimSurplusSQL = `WITH due AS (
	SELECT end_to_end_id AS e2e, due_at AS was_due FROM receipts WHERE due_at <= $1
	ORDER BY due_at, end_to_end_id LIMIT $3 FOR UPDATE SKIP LOCKED
) UPDATE receipts r SET due_at = $2 FROM due WHERE r.end_to_end_id = due.e2e
RETURNING ` + receiptColumns + `, was_due`

// ClaimSurplus implements payments.Store.
func (s *Store) ClaimSurplus(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payments.Receipt, error) {
	rows, err := s.pool.Query(ctx, claimSurplusSQL, now.UnixMicro(), leaseUntil.UnixMicro(), limit)
	if err != nil {
		return nil, fmt.Errorf("claim surplus: %w", postgres.Classify(err))
	}
	claimed, err := pgx.CollectRows(rows, scanDueReceipt)
	if err != nil {
		return nil, fmt.Errorf("claim surplus: %w", postgres.Classify(err))
	}
	slices.SortFunc(claimed, func(a, b dueReceipt) int {
		return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.receipt.EndToEndID, b.receipt.EndToEndID))
	})
	receipts := make([]payments.Receipt, len(claimed))
	for i, c := range claimed {
		receipts[i] = c.receipt
	}
	return receipts, nil
}

type dueReceipt struct {
	receipt payments.Receipt
	due     int64
}

func scanDueReceipt(row pgx.CollectableRow) (dueReceipt, error) {
	var d dueReceipt
	var status string
	var received int64
	err := row.Scan(&d.receipt.EndToEndID, (*[16]byte)(&d.receipt.PaymentID), (*int64)(&d.receipt.Amount), &status, &received, &d.due)
	d.receipt.Status, d.receipt.ReceivedAt = payments.ReceiptStatus(status), fromMicros(received)
	return d, err
}

const (
	surplusSQL  = `SELECT ` + receiptColumns + ` FROM receipts WHERE end_to_end_id = $1`
	giveBackSQL = `UPDATE receipts SET status = $2, due_at = NULL WHERE end_to_end_id = $1 AND status = 'surplus'`
)

// GiveBack implements payments.Store. The charge is locked before the receipt, as TakeReceipt does it.
func (s *Store) GiveBack(ctx context.Context, receipt payments.Receipt, now time.Time) error {
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		known, err := readReceipt(ctx, tx, receipt.EndToEndID)
		if err != nil {
			return fmt.Errorf("give back receipt %s: %w", receipt.EndToEndID, err)
		}
		charge, err := lockCharge(ctx, tx, known.PaymentID)
		if err != nil {
			return err
		}
		change, back := charge.GiveBack(known, now)
		tag, err := tx.Exec(ctx, giveBackSQL, back.EndToEndID, string(back.Status))
		if err != nil {
			return fmt.Errorf("give back receipt %s: %w", receipt.EndToEndID, err)
		}
		if tag.RowsAffected() == 0 {
			return nil // it was given back before
		}
		return mustSave(ctx, tx, change)
	})
}

func readReceipt(ctx context.Context, tx pgx.Tx, endToEndID string) (payments.Receipt, error) {
	rows, err := tx.Query(ctx, surplusSQL, endToEndID)
	if err != nil {
		return payments.Receipt{}, err
	}
	receipt, err := pgx.CollectExactlyOneRow(rows, scanReceipt)
	if errors.Is(err, pgx.ErrNoRows) {
		return payments.Receipt{}, payments.ErrNotFound
	}
	return receipt, err
}
