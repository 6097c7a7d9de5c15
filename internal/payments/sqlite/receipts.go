package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

const receiptColumns = `end_to_end_id, payment_id, amount_cents, status, received_at`

func scanReceipt(r sqlite.Row) payments.Receipt {
	return payments.Receipt{
		EndToEndID: r.Text(0), PaymentID: payments.ID(r.Raw(1)), Amount: cents(r, 2),
		Status: payments.ReceiptStatus(r.Text(3)), ReceivedAt: r.Time(4),
	}
}

const receiptsSQL = `SELECT ` + receiptColumns + ` FROM (
	SELECT ` + receiptColumns + ` FROM receipts WHERE payment_id = ? ORDER BY received_at DESC, end_to_end_id DESC LIMIT ?
) ORDER BY received_at, end_to_end_id`

// Receipts implements payments.Store.
func (s *Store) Receipts(ctx context.Context, id payments.ID, limit int) (receipts []payments.Receipt, err error) {
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(receiptsSQL)
		if err != nil {
			return err
		}
		return stmt.Blob(id[:]).Int(limit).Query(func(r sqlite.Row) error {
			receipts = append(receipts, scanReceipt(r))
			return nil
		})
	})
	return receipts, err
}

// TakeReceipt implements payments.Store.
func (s *Store) TakeReceipt(ctx context.Context, receipt payments.Receipt, now time.Time) (charge payments.Charge, err error) {
	err = s.db.Write(ctx, func(c *sqlite.Conn) error {
		charge, err = take(c, receipt, now)
		return err
	})
	if err != nil {
		return payments.Charge{}, err
	}
	return charge, nil
}

func take(c *sqlite.Conn, receipt payments.Receipt, now time.Time) (payments.Charge, error) {
	charge, err := mustSelect(c, receipt.PaymentID)
	if err != nil {
		return payments.Charge{}, err
	}
	known, found, err := selectReceipt(c, receipt.EndToEndID)
	if err != nil {
		return payments.Charge{}, err
	}
	if found {
		return mustSelect(c, known.PaymentID)
	}
	change, taken := charge.Take(receipt, now)
	if err := insertReceipt(c, taken, now); err != nil {
		return payments.Charge{}, fmt.Errorf("insert receipt %s: %w", receipt.EndToEndID, err)
	}
	return change.Charge, mustSave(c, change)
}

func mustSelect(c *sqlite.Conn, id payments.ID) (payments.Charge, error) {
	charge, found, err := selectCharge(c, id)
	if err == nil && !found {
		err = payments.ErrNotFound
	}
	return charge, err
}

// mustSave writes a change that was decided in this transaction, where nobody can have come in between.
func mustSave(c *sqlite.Conn, change payments.Change) error {
	saved, err := saveAll(c, []payments.Change{change})
	if err == nil && !saved[0] {
		err = fmt.Errorf("save charge %s: version %d is not there", change.Charge.ID, change.Charge.Version-1)
	}
	return err
}

const selectReceiptSQL = `SELECT ` + receiptColumns + ` FROM receipts WHERE end_to_end_id = ?`

func selectReceipt(c *sqlite.Conn, endToEndID string) (receipt payments.Receipt, found bool, err error) {
	stmt, err := c.Prepare(selectReceiptSQL)
	if err != nil {
		return receipt, false, err
	}
	found, err = stmt.Text(endToEndID).One(func(r sqlite.Row) error {
		receipt = scanReceipt(r)
		return nil
	})
	return receipt, found, err
}

const insertReceiptSQL = `INSERT INTO receipts (` + receiptColumns + `, due_at) VALUES (?, ?, ?, ?, ?, ?)`

func insertReceipt(c *sqlite.Conn, r payments.Receipt, now time.Time) error {
	stmt, err := c.Prepare(insertReceiptSQL)
	if err != nil {
		return err
	}
	var due time.Time
	if r.Status == payments.Surplus {
		due = now
	}
	stmt.Text(r.EndToEndID).Blob(r.PaymentID[:]).Int64(int64(r.Amount)).Text(string(r.Status)).Time(r.ReceivedAt)
	return bindDue(stmt, due).Exec()
}

const (
	dueSurplusSQL   = `SELECT end_to_end_id FROM receipts WHERE due_at <= ? ORDER BY due_at, end_to_end_id LIMIT ?`
	claimSurplusSQL = `UPDATE receipts SET due_at = ? WHERE end_to_end_id = ? RETURNING ` + receiptColumns
)

// ClaimSurplus implements payments.Store.
func (s *Store) ClaimSurplus(ctx context.Context, now, leaseUntil time.Time, limit int) (receipts []payments.Receipt, err error) {
	if idle, err := s.idle(ctx, dueSurplusSQL, now); idle || err != nil {
		return nil, err
	}
	err = s.db.Write(ctx, func(c *sqlite.Conn) error {
		receipts, err = claimSurplus(c, now, leaseUntil, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return receipts, nil
}

func claimSurplus(c *sqlite.Conn, now, leaseUntil time.Time, limit int) (receipts []payments.Receipt, err error) {
	stmt, err := c.Prepare(dueSurplusSQL)
	if err != nil {
		return nil, err
	}
	var due []string
	err = stmt.Time(now).Int(limit).Query(func(r sqlite.Row) error {
		due = append(due, r.Text(0))
		return nil
	})
	if err != nil {
		return nil, err
	}
	if stmt, err = c.Prepare(claimSurplusSQL); err != nil {
		return nil, err
	}
	for _, endToEndID := range due {
		err := stmt.Time(leaseUntil).Text(endToEndID).Query(func(r sqlite.Row) error {
			receipts = append(receipts, scanReceipt(r))
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("claim surplus %s: %w", endToEndID, err)
		}
	}
	return receipts, nil
}

const giveBackSQL = `UPDATE receipts SET status = ?, due_at = NULL WHERE end_to_end_id = ? AND status = 'surplus'`

// GiveBack implements payments.Store.
func (s *Store) GiveBack(ctx context.Context, receipt payments.Receipt, now time.Time) error {
	return s.db.Write(ctx, func(c *sqlite.Conn) error {
		known, found, err := selectReceipt(c, receipt.EndToEndID)
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("give back receipt %s: %w", receipt.EndToEndID, payments.ErrNotFound)
		}
		if known.Status != payments.Surplus {
			return nil
		}
		charge, err := mustSelect(c, known.PaymentID)
		if err != nil {
			return err
		}
		change, back := charge.GiveBack(known, now)
		stmt, err := c.Prepare(giveBackSQL)
		if err != nil {
			return err
		}
		if err := stmt.Text(string(back.Status)).Text(back.EndToEndID).Exec(); err != nil {
			return fmt.Errorf("give back receipt %s: %w", receipt.EndToEndID, err)
		}
		return mustSave(c, change)
	})
}
