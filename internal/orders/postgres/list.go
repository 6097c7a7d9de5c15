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

// listQuery is a filter in SQL. Its text depends on which fields are set, not on their values, so that few statements exist.
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
		and(`s.status = $%d`, string(f.Status))
	}
	if f.PaymentStatus != "" {
		and(`s.payment_status = $%d`, string(f.PaymentStatus))
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

// source names the tables, and the id by which the page is walked: that of the table that picks, so that its index gives
// the order as well.
func source(f orders.Filter) (from, id string) {
	const orderOf, stateOf = ` JOIN orders o ON o.id = `, ` JOIN order_states s ON s.order_id = `
	switch {
	case f.SKU != "" && f.Email != "":
		return `orders o` + stateOf + `o.id JOIN order_skus k ON k.order_id = o.id`, `o.id`
	case f.SKU != "":
		return `order_skus k` + stateOf + `k.order_id` + orderOf + `k.order_id`, `k.order_id`
	case f.Email != "" || f.Status == "" && !isRare(f.PaymentStatus):
		return `orders o` + stateOf + `o.id`, `o.id`
	}
	return `order_states s` + orderOf + `s.order_id`, `s.order_id`
}
