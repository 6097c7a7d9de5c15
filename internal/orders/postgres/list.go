package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

// isRare tells whether the filter's payment status is one that the index order_states_by_payment_status has.
func isRare(p orders.PaymentStatus) bool { return p != "" && p != orders.PaymentPaid }

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
	q := &query{}
	limit := q.arg(f.Limit)
	var states, bounds []string
	if f.Status != "" {
		states = append(states, `s.status = `+q.arg(string(f.Status)))
	}
	if f.PaymentStatus != "" {
		states = append(states, `s.payment_status = `+q.arg(string(f.PaymentStatus)))
	}
	if !f.From.IsZero() {
		bounds = append(bounds, ` >= `+q.arg(uuidOf(f.From)))
	}
	if !f.Before.IsZero() {
		bounds = append(bounds, ` < `+q.arg(uuidOf(f.Before)))
	}
	if f.Email == "" && f.SKU == "" && len(states) > 0 && f.TakesPlaced() {
		q.asPlaced(states, bounds, limit)
	} else {
		q.walk(f, states, bounds)
	}
	return `SELECT ` + columns + ` FROM ` + q.from + q.condition() + ` ORDER BY ` + q.id + ` DESC LIMIT ` + limit, q.args
}

// query is a SELECT that grows.
type query struct {
	from, id string // the tables, and the id by which the page is walked
	where    []string
	args     []any
}

// arg adds an argument and returns its placeholder.
func (q *query) arg(value any) string {
	q.args = append(q.args, value)
	return fmt.Sprintf("$%d", len(q.args))
}

func (q *query) and(conditions ...string) { q.where = append(q.where, conditions...) }

func (q *query) condition() string {
	if len(q.where) == 0 {
		return ""
	}
	return ` WHERE ` + strings.Join(q.where, ` AND `)
}

// walk takes a page from one table: the one that picks, so that its index gives the order as well.
func (q *query) walk(f orders.Filter, states, bounds []string) {
	q.from, q.id = source(f)
	if f.Email != "" {
		q.and(`o.email = ` + q.arg(orders.SearchableEmail(f.Email)))
	}
	if f.SKU != "" {
		q.and(`k.sku = ` + q.arg(f.SKU))
	}
	// An order without a state is as it was placed. The bare column is all that the planner has statistics of: behind a
	// function it takes every status for rare, and sorts a million orders to find twenty.
	switch condition := strings.Join(states, ` AND `); {
	case condition == "":
	case f.TakesPlaced():
		q.and(`(` + condition + ` OR s.order_id IS NULL)`)
	default:
		q.and(condition)
	}
	q.and(on(q.id, bounds)...)
}

// asPlaced merges two walks: of the states, which is no longer than the page, and of the open orders that have none yet,
// which are at their first version. One walk of the orders would pass over all that are settled, in a shop where most are.
func (q *query) asPlaced(states, bounds []string, limit string) {
	walk := func(from, id string, conditions []string) string {
		return `(SELECT ` + id + ` FROM ` + from + ` WHERE ` + strings.Join(append(conditions, on(id, bounds)...), ` AND `) +
			` ORDER BY ` + id + ` DESC LIMIT ` + limit + `)`
	}
	settled := walk(`order_states s`, `s.order_id`, states)
	open := walk(`open_orders p`, `p.order_id`, []string{`p.version = 1`, `NOT EXISTS (SELECT FROM order_states s WHERE s.order_id = p.order_id)`})
	q.from = `(` + settled + ` UNION ALL ` + open + `) AS picked JOIN orders o ON o.id = picked.order_id` + withState(`o.id`)
	q.id = `o.id`
}

// on says of an id what bounds say.
func on(id string, bounds []string) []string {
	conditions := make([]string, len(bounds))
	for i, bound := range bounds {
		conditions[i] = id + bound
	}
	return conditions
}

// byState is the id by which a page is walked whose orders are picked by their state.
const byState = `s.order_id`

// source names the tables, and the id by which the page is walked.
func source(f orders.Filter) (from, id string) {
	switch {
	case f.SKU != "" && f.Email != "":
		return `orders o` + withState(`o.id`) + ` JOIN order_skus k ON k.order_id = o.id`, `o.id`
	case f.SKU != "":
		return `order_skus k JOIN orders o ON o.id = k.order_id` + withState(`k.order_id`), `k.order_id`
	case f.Email == "" && (f.Status != "" || isRare(f.PaymentStatus)):
		return `order_states s JOIN orders o ON o.id = s.order_id` + withOpen(byState), byState
	}
	return `orders o` + withState(`o.id`), `o.id`
}
