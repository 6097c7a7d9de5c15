package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

// rarePayments is the predicate of the index order_states_by_payment_status. SQLite uses a partial index only for a
// query that repeats its predicate.
const rarePayments = `payment_status <> 'none' AND payment_status <> 'paid'`

// isRare tells whether the filter's payment status is one that the index has.
func isRare(p orders.PaymentStatus) bool {
	return p != "" && p != orders.PaymentNone && p != orders.PaymentPaid
}

// List implements orders.Store.
func (s *Store) List(ctx context.Context, filter orders.Filter) (page []orders.Order, err error) {
	q := newQuery(filter)
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(q.sql(filter))
		if err != nil {
			return err
		}
		for _, arg := range q.args {
			arg(stmt)
		}
		return stmt.Int(filter.Limit).Query(func(r sqlite.Row) error {
			order, err := scan(r)
			page = append(page, order)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	return page, nil
}

// query is a filter in SQL. Its text depends on which fields are set, not on their values, so that few statements exist.
type query struct {
	where []string
	args  []func(*sqlite.Stmt)
}

func (q *query) and(condition string, arg func(*sqlite.Stmt)) {
	q.where = append(q.where, condition)
	q.args = append(q.args, arg)
}

func newQuery(f orders.Filter) *query {
	q := &query{}
	if f.Email != "" {
		q.and(`o.email = ?`, func(s *sqlite.Stmt) { s.Text(orders.SearchableEmail(f.Email)) })
	}
	if f.SKU != "" {
		q.and(`k.sku = ?`, func(s *sqlite.Stmt) { s.Text(f.SKU) })
	}
	_, id, _ := source(f)
	if f.Status != "" {
		q.and(status(id)+` = ?`, func(s *sqlite.Stmt) { s.Text(string(f.Status)) })
	}
	if f.PaymentStatus != "" {
		q.and(paymentStatus(id)+` = ?`, func(s *sqlite.Stmt) { s.Text(string(f.PaymentStatus)) })
	}
	if !f.From.IsZero() {
		q.and(id+` >= ?`, func(s *sqlite.Stmt) { s.Blob(f.From[:]) })
	}
	if !f.Before.IsZero() {
		q.and(id+` < ?`, func(s *sqlite.Stmt) { s.Blob(f.Before[:]) })
	}
	return q
}

func (q *query) sql(f orders.Filter) string {
	from, id, rare := source(f)
	where := q.where
	if rare {
		where = append(slices.Clip(where), rarePayments)
	}
	var condition string
	if len(where) > 0 {
		condition = ` WHERE ` + strings.Join(where, ` AND `)
	}
	return `SELECT ` + columns + ` FROM ` + from + condition + ` ORDER BY ` + id + ` DESC LIMIT ?`
}

// byState is the id by which a page is walked whose orders are picked by their state.
const byState = `s.order_id`

// source names the tables, the one that picks first, and its id, by which the page is walked. CROSS JOIN keeps that order:
// without statistics SQLite would guess, and each of these walks an index backwards and stops at the end of the page, but
// for the orders that may still be as they were placed: those are few.
func source(f orders.Filter) (from, id string, rare bool) {
	const orderOf = ` CROSS JOIN orders o ON o.id = `
	switch {
	case f.SKU != "" && f.Email != "":
		return `orders o CROSS JOIN order_skus k ON k.order_id = o.id` + withState, `o.id`, false
	case f.SKU != "":
		return `order_skus k` + orderOf + `k.order_id` + withState, `k.order_id`, false
	case f.Email != "":
		return `orders o` + withState, `o.id`, false
	case isRare(f.PaymentStatus):
		return `order_states s INDEXED BY order_states_by_payment_status` + orderOf + byState + withOpen, byState, true
	case f.Status == orders.Placed:
		return `(SELECT order_id FROM open_orders UNION SELECT order_id FROM order_states WHERE status = 'placed') AS open` +
			orderOf + `open.order_id` + withState, `open.order_id`, false
	case f.Status != "":
		return `order_states s INDEXED BY order_states_by_status` + orderOf + byState + withOpen, byState, false
	}
	return `orders o` + withState, `o.id`, false
}

// status and paymentStatus are columns of a page that is walked by id. The bare column has an index; where the state is
// joined, it may be missing.
func status(id string) string { return orElse(id, `s.status`, orders.Placed) }

func paymentStatus(id string) string { return orElse(id, `s.payment_status`, orders.PaymentNone) }

func orElse[S ~string](id, column string, placed S) string {
	if id == byState {
		return column
	}
	return `coalesce(` + column + `, '` + string(placed) + `')`
}
