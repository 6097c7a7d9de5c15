package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

// accounts are the balances of the ledger's rows l, in the order of payments.Balances. A sum of bigint is numeric.
const accounts = `coalesce(sum(CASE 'provider' WHEN l.debit THEN l.amount_cents WHEN l.credit THEN -l.amount_cents END), 0)::bigint,
	coalesce(sum(CASE 'sales' WHEN l.debit THEN l.amount_cents WHEN l.credit THEN -l.amount_cents END), 0)::bigint,
	coalesce(sum(CASE 'surplus' WHEN l.debit THEN l.amount_cents WHEN l.credit THEN -l.amount_cents END), 0)::bigint`

// The zero id is below, and the highest is above every order's: an open end needs no statement of its own. The page is cut
// before the ledger is looked into, row by row: a join would make the planner hash all of it.
const booksSQL = `SELECT c.id, c.order_id, c.status, c.amount_cents, c.received_cents, c.refunded_cents,
	c.close_wanted, c.attempts, c.updated_at, s.*
FROM (SELECT id, order_id, status, amount_cents, received_cents, refunded_cents, close_wanted, attempts, updated_at FROM charges
	WHERE order_id >= $1 AND order_id < $2 ORDER BY order_id, id LIMIT $3) AS c
CROSS JOIN LATERAL (SELECT ` + accounts + ` FROM ledger l WHERE l.payment_id = c.id) AS s
ORDER BY c.order_id, c.id`

// Books implements payments.Store.
func (s *Store) Books(ctx context.Context, r payments.Range) ([]payments.Book, error) {
	before := r.Before
	if before.IsZero() {
		for i := range before {
			before[i] = 0xff
		}
	}
	rows, err := s.pool.Query(ctx, booksSQL, [16]byte(r.From), [16]byte(before), r.Limit)
	if err != nil {
		return nil, fmt.Errorf("query books: %w", postgres.Classify(err))
	}
	books, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (b payments.Book, err error) {
		var updated int64
		err = row.Scan((*[16]byte)(&b.ID), (*[16]byte)(&b.OrderID), (*string)(&b.Status), (*int64)(&b.Amount), (*int64)(&b.Received),
			(*int64)(&b.Refunded), &b.CloseWanted, &b.Attempts, &updated,
			(*int64)(&b.Ledger.AtProvider), (*int64)(&b.Ledger.Sales), (*int64)(&b.Ledger.CustomerSurplus))
		b.UpdatedAt = fromMicros(updated)
		return b, err
	})
	if err != nil {
		return nil, fmt.Errorf("query books: %w", postgres.Classify(err))
	}
	return books, nil
}

// One statement, because each sees a moment of its own.
const balanceSQL = `SELECT * FROM (SELECT ` + accounts + ` FROM ledger l) AS ledger,
(SELECT coalesce(sum(captured_cents), 0)::bigint, coalesce(sum(refunded_cents), 0)::bigint, coalesce(sum(surplus_cents), 0)::bigint FROM ledger_sums) AS sums,
(SELECT coalesce(sum(received_cents), 0)::bigint, coalesce(sum(refunded_cents), 0)::bigint FROM charges) AS charged`

// Balance implements payments.Store.
func (s *Store) Balance(ctx context.Context) (b payments.Balance, err error) {
	err = s.pool.QueryRow(ctx, balanceSQL).Scan((*int64)(&b.Ledger.AtProvider), (*int64)(&b.Ledger.Sales), (*int64)(&b.Ledger.CustomerSurplus),
		(*int64)(&b.Totals.Captured), (*int64)(&b.Totals.Refunded), (*int64)(&b.Totals.Surplus), (*int64)(&b.Received), (*int64)(&b.Refunded))
	if err != nil {
		return payments.Balance{}, fmt.Errorf("sum the ledger: %w", postgres.Classify(err))
	}
	return b, nil
}
