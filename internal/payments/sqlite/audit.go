package sqlite

import (
	"context"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

// accounts are the balances of the ledger's rows l, in the order of payments.Balances.
const accounts = `coalesce(sum((l.debit = 'provider') * l.amount_cents - (l.credit = 'provider') * l.amount_cents), 0),
	coalesce(sum((l.debit = 'sales') * l.amount_cents - (l.credit = 'sales') * l.amount_cents), 0),
	coalesce(sum((l.debit = 'surplus') * l.amount_cents - (l.credit = 'surplus') * l.amount_cents), 0)`

// The zero id is below, and the highest is above every order's: an open end needs no statement of its own. The page is cut
// before the ledger is looked into.
const booksSQL = `SELECT c.id, c.order_id, c.status, c.amount_cents, c.received_cents, c.refunded_cents, ` + accounts + `,
	c.close_wanted, c.attempts, c.updated_at
FROM (SELECT id, order_id, status, amount_cents, received_cents, refunded_cents, close_wanted, attempts, updated_at FROM charges INDEXED BY charges_by_order
	WHERE order_id >= ? AND order_id < ? ORDER BY order_id, id LIMIT ?) AS c
LEFT JOIN ledger l ON l.payment_id = c.id
GROUP BY c.order_id, c.id ORDER BY c.order_id, c.id`

// Books implements payments.Store.
func (s *Store) Books(ctx context.Context, r payments.Range) (books []payments.Book, err error) {
	before := r.Before
	if before.IsZero() {
		for i := range before {
			before[i] = 0xff
		}
	}
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(booksSQL)
		if err != nil {
			return err
		}
		return stmt.Blob(r.From[:]).Blob(before[:]).Int(r.Limit).Query(func(r sqlite.Row) error {
			books = append(books, payments.Book{ID: payments.ID(r.Raw(0)), OrderID: payments.OrderID(r.Raw(1)),
				Status: payments.Status(r.Text(2)), Amount: cents(r, 3), Received: cents(r, 4), Refunded: cents(r, 5),
				Ledger:      payments.Balances{AtProvider: cents(r, 6), Sales: cents(r, 7), CustomerSurplus: cents(r, 8)},
				CloseWanted: r.Bool(9), Attempts: r.Int(10), UpdatedAt: r.Time(11)})
			return nil
		})
	})
	return books, err
}

const (
	balanceSQL = `SELECT ` + accounts + ` FROM ledger l`
	sumsSQL    = `SELECT captured_cents, refunded_cents, surplus_cents FROM ledger_sums`
	chargesSQL = `SELECT coalesce(sum(received_cents), 0), coalesce(sum(refunded_cents), 0) FROM charges`
)

// Balance implements payments.Store.
func (s *Store) Balance(ctx context.Context) (b payments.Balance, err error) {
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		for sql, scan := range map[string]func(sqlite.Row){
			balanceSQL: func(r sqlite.Row) {
				b.Ledger = payments.Balances{AtProvider: cents(r, 0), Sales: cents(r, 1), CustomerSurplus: cents(r, 2)}
			},
			sumsSQL: func(r sqlite.Row) {
				b.Totals = payments.Totals{Captured: cents(r, 0), Refunded: cents(r, 1), Surplus: cents(r, 2)}
			},
			chargesSQL: func(r sqlite.Row) { b.Received, b.Refunded = cents(r, 0), cents(r, 1) },
		} {
			stmt, err := c.Prepare(sql)
			if err != nil {
				return err
			}
			if _, err := stmt.One(func(r sqlite.Row) error { scan(r); return nil }); err != nil {
				return err
			}
		}
		return nil
	})
	return b, err
}
