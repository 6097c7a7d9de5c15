package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

// isRare tells whether the filter's payment status is one that the index order_states_by_payment_status has.
func isRare(p orders.PaymentStatus) bool {
	return p != "" && p != orders.PaymentNone && p != orders.PaymentPaid
}

// List implements orders.Store.
func (s *Store) List(ctx context.Context, filter orders.Filter) ([]orders.Order, error) {
	sql, args := listQuery(filter)
	page, err := s.orders(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	return page, nil
}

// listQuery is a filter in SQL. Its text depends on which fields are set, and whether to what a placed order has, so that few statements exist.
func listQuery(f orders.Filter) (sql string, args []any) {
	var where []string
	and := func(condition string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	from, id := source(f)
	if f.Email != "" {
		and(`o.email = $%d`, orders.SearchableEmail(f.Email))
	}
	if f.SKU != "" {
		and(`k.sku = $%d`, f.SKU)
	}
	if f.Status != "" {
		and(is(`s.status`, f.Status == orders.Placed), string(f.Status))
	}
	if f.PaymentStatus != "" {
		and(is(`s.payment_status`, f.PaymentStatus == orders.PaymentNone), string(f.PaymentStatus))
	}
	if !f.From.IsZero() {
		and(id+` >= $%d`, uuidOf(f.From))
	}
	if !f.Before.IsZero() {
		and(id+` < $%d`, uuidOf(f.Before))
	}
	condition := ``
	if len(where) > 0 {
		condition = ` WHERE ` + strings.Join(where, ` AND `)
	}
	args = append(args, f.Limit)
	return fmt.Sprintf(`SELECT `+columns+` FROM %s%s ORDER BY %s DESC LIMIT $%d`, from, condition, id, len(args)), args
}

// byState is the id by which a page is walked whose orders are picked by their state.
const byState = `s.order_id`

// source names the tables, and the id by which the page is walked: that of the table that picks, so that its index gives
// the order as well.
func source(f orders.Filter) (from, id string) {
	switch {
	case f.SKU != "" && f.Email != "":
		return `orders o` + withState(`o.id`) + ` JOIN order_skus k ON k.order_id = o.id`, `o.id`
	case f.SKU != "":
		return `order_skus k JOIN orders o ON o.id = k.order_id` + withState(`k.order_id`), `k.order_id`
	case f.Email == "" && f.Status == orders.Placed:
		return notSettled + withState(`o.id`), `o.id`
	case f.Email == "" && (f.Status != "" || isRare(f.PaymentStatus)):
		return `order_states s JOIN orders o ON o.id = s.order_id` + withOpen(byState), byState
	}
	return `orders o` + withState(`o.id`), `o.id`
}

// notSettled are the orders that may still be as they were placed.
const notSettled = `(SELECT order_id FROM open_orders UNION SELECT order_id FROM order_states WHERE status = 'placed') AS open
	JOIN orders o ON o.id = open.order_id`

// is compares a column of the state. An order without a state is as it was placed. The bare column is all that the planner
// has statistics of: behind a function it takes every status for rare, and sorts a million orders to find twenty.
func is(column string, placed bool) string {
	if placed {
		return `(` + column + ` = $%d OR ` + column + ` IS NULL)`
	}
	return column + ` = $%d`
}
