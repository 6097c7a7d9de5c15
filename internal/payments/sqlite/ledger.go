package sqlite

import (
	"context"
	"fmt"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

const (
	insertTransferSQL = `INSERT INTO ledger (payment_id, number, kind, debit, credit, amount_cents, at) VALUES (?, ?, ?, ?, ?, ?, ?)`
	addSumsSQL        = `UPDATE ledger_sums SET captured_cents = captured_cents + ?, refunded_cents = refunded_cents + ?,
	surplus_cents = surplus_cents + ?`
)

// record appends to the ledger and adds to its sums, once a transaction.
func record(c *sqlite.Conn, rows []payments.Transfer) error {
	if len(rows) == 0 {
		return nil
	}
	stmt, err := c.Prepare(insertTransferSQL)
	if err != nil {
		return err
	}
	var sums payments.Totals
	for i := range rows {
		t := &rows[i]
		err := stmt.Blob(t.PaymentID[:]).Int64(t.Number).Text(string(t.Kind)).Text(string(t.Debit)).Text(string(t.Credit)).
			Int64(int64(t.Amount)).Time(t.At).Exec()
		if err != nil {
			return fmt.Errorf("write transfer %d of %s: %w", t.Number, t.PaymentID, err)
		}
		sums.Add(*t)
	}
	if stmt, err = c.Prepare(addSumsSQL); err != nil {
		return err
	}
	return stmt.Int64(int64(sums.Captured)).Int64(int64(sums.Refunded)).Int64(int64(sums.Surplus)).Exec()
}

// Fold implements payments.Store. There is one row of sums.
func (s *Store) Fold(context.Context) (more bool, err error) { return false, nil }

const transfersSQL = `SELECT payment_id, number, kind, debit, credit, amount_cents, at FROM (
	SELECT payment_id, number, kind, debit, credit, amount_cents, at FROM ledger WHERE payment_id = ? ORDER BY number DESC LIMIT ?
) ORDER BY number`

// Transfers implements payments.Store.
func (s *Store) Transfers(ctx context.Context, id payments.ID, limit int) (transfers []payments.Transfer, err error) {
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(transfersSQL)
		if err != nil {
			return err
		}
		return stmt.Blob(id[:]).Int(limit).Query(func(r sqlite.Row) error {
			transfers = append(transfers, payments.Transfer{
				PaymentID: payments.ID(r.Raw(0)), Number: r.Int64(1), Kind: payments.TransferKind(r.Text(2)),
				Debit: payments.Account(r.Text(3)), Credit: payments.Account(r.Text(4)), Amount: cents(r, 5), At: r.Time(6),
			})
			return nil
		})
	})
	return transfers, err
}
