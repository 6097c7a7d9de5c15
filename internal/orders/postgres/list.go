package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

// List implements orders.Store.
func (s *Store) List(ctx context.Context, filter orders.Filter) ([]orders.Order, error) {
	page, err := s.list(ctx, filter)
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	return page, nil
}

// list tries first what is quick when many of a SKU's orders have the state.
func (s *Store) list(ctx context.Context, f orders.Filter) ([]orders.Order, error) {
	_, rare := f.RareState()
	if rare || f.SKU == "" || f.Email != "" || f.Status == "" && f.PaymentStatus == "" {
		return s.page(ctx, f, wholeIndex)
	}
	if page, err := s.page(ctx, f, newestOfSKU); err != nil || len(page) == f.Limit {
		return page, err
	}
	return s.page(ctx, f, wholeIndex)
}

func (s *Store) page(ctx context.Context, f orders.Filter, from walked) ([]orders.Order, error) {
	sql, args := listQuery(f, from)
	return s.orders(ctx, sql, args...)
}

// walked is what a page is picked from.
type walked int

const (
	wholeIndex  walked = iota
	newestOfSKU        // the newest orders of the SKU; the page is whole when it is full
)

// listQuery is a filter in SQL. Its text depends on which fields are set, and whether to what a placed order has, so that few
// statements exist.
//
// The page is picked first, and then read. In one join the planner may walk the orders beside what picks, which is as cheap
// by its statistics, and then passes over all that came since the SKU was last sold.
func listQuery(f orders.Filter, from walked) (sql string, args []any) {
	q := &query{}
	q.limit = q.arg(f.Limit)
	picked := q.picked(f, from)
	return `SELECT ` + columns + ` FROM (` + picked + `) AS picked (order_id) JOIN orders o ON o.id = picked.order_id` + withState(`o.id`) +
		` ORDER BY o.id DESC LIMIT ` + q.limit, q.args
}

// query is a SELECT that grows.
type query struct {
	limit string
	args  []any
}

// arg adds an argument and returns its placeholder.
func (q *query) arg(value any) string {
	q.args = append(q.args, value)
	return fmt.Sprintf("$%d", len(q.args))
}

// conditions are what f says of an order's states and, by its time, of its id.
func (q *query) conditions(f orders.Filter) (states, bounds []string) {
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
	return states, bounds
}

// picked selects the ids of the page by a walk of one index that has them in order.
func (q *query) picked(f orders.Filter, from walked) string {
	states, bounds := q.conditions(f)
	walk := func(from, id string, conditions ...string) string {
		return `SELECT ` + id + ` FROM ` + from + where(append(conditions, on(id, bounds)...)) + ` ORDER BY ` + id + ` DESC LIMIT ` + q.limit
	}
	// each state is looked up: OFFSET 0 keeps the planner from walking those of all newer orders
	stateOfEach := func(of string) string {
		return ` LEFT JOIN LATERAL (SELECT * FROM order_states s WHERE s.order_id = ` + of + `.order_id OFFSET 0) AS s ON true`
	}
	rare, isRare := f.RareState()
	switch {
	case isRare:
		return walk(`order_skus_by_state r`+stateOfEach(`r`), `r.order_id`, append(states, `r.sku = `+q.arg(f.SKU), `r.state = `+q.arg(rare))...)
	case from == newestOfSKU:
		newest := `(SELECT k.order_id FROM order_skus k` + where(append(on(`k.order_id`, bounds), `k.sku = `+q.arg(f.SKU))) +
			` ORDER BY k.order_id DESC LIMIT 2000) AS newest`
		return walk(newest+stateOfEach(`newest`), `newest.order_id`, orPlaced(f, states)...)
	case f.Email != "" && f.SKU != "":
		return walk(`orders o JOIN order_skus k ON k.order_id = o.id`+stateOf(`o.id`, states), `o.id`,
			append(orPlaced(f, states), `o.email = `+q.arg(orders.SearchableEmail(f.Email)), `k.sku = `+q.arg(f.SKU))...)
	case f.Email != "":
		return walk(`orders o`+stateOf(`o.id`, states), `o.id`, append(orPlaced(f, states), `o.email = `+q.arg(orders.SearchableEmail(f.Email)))...)
	case f.SKU != "":
		return walk(`order_skus k`+stateOf(`k.order_id`, states), `k.order_id`, append(orPlaced(f, states), `k.sku = `+q.arg(f.SKU))...)
	case len(states) == 0:
		return walk(`orders o`, `o.id`)
	case f.TakesPlaced():
		// Two walks, of which that of the open orders without a state, which are at their first version, is short. One walk of
		// the orders would pass over all that are settled, in a shop where most are.
		open := walk(`open_orders p`, `p.order_id`, `p.version = 1`, `NOT EXISTS (SELECT FROM order_states s WHERE s.order_id = p.order_id)`)
		return `(` + walk(`order_states s`, `s.order_id`, states...) + `) UNION ALL (` + open + `)`
	}
	return walk(`order_states s`, `s.order_id`, states...)
}

// stateOf joins the states when there is something to ask of them.
func stateOf(id string, states []string) string {
	if len(states) == 0 {
		return ""
	}
	return ` LEFT JOIN order_states s ON s.order_id = ` + id
}

// orPlaced takes an order without a state for what it is: as it was placed. The bare column is all that the planner has
// statistics of: behind a function it takes every status for rare, and sorts a million orders to find twenty.
func orPlaced(f orders.Filter, states []string) []string {
	if len(states) == 0 || !f.TakesPlaced() {
		return states
	}
	return []string{`(` + strings.Join(states, ` AND `) + ` OR s.order_id IS NULL)`}
}

func where(conditions []string) string {
	if len(conditions) == 0 {
		return ""
	}
	return ` WHERE ` + strings.Join(conditions, ` AND `)
}

// on says of an id what bounds say.
func on(id string, bounds []string) []string {
	conditions := make([]string, len(bounds))
	for i, bound := range bounds {
		conditions[i] = id + bound
	}
	return conditions
}
