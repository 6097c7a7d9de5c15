package postgres

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

// ANY repeats what the join says, so that a kept plan finds the states by their key.
const saveSQL = `WITH saved AS (
	UPDATE order_states s SET version = c.version, next_attempt_at = c.next_attempt_at,
		updated_at = c.updated_at, status = c.status, payment_status = c.payment_status,
		fulfillment_status = c.fulfillment_status, progress = c.progress
	FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[],
		$8::text[], $9::text[], $10::bigint[]) AS c(order_id, version, lease, next_attempt_at, updated_at, status,
		payment_status, fulfillment_status, progress, from_version)
	WHERE s.order_id = c.order_id AND s.version = c.from_version AND s.lease = c.lease AND s.order_id = ANY($1::uuid[])
	RETURNING s.order_id
), events AS (
	INSERT INTO order_events (order_id, version, at, type, status, payment_status, reason)
	SELECT e.* FROM unnest($11::uuid[], $12::bigint[], $13::bigint[], $14::text[], $15::text[], $16::text[], $17::text[])
		AS e(order_id) JOIN saved ON saved.order_id = e.order_id
)
SELECT order_id FROM saved`

// Save implements orders.Store.
func (s *Store) Save(ctx context.Context, changes []orders.Change) ([]bool, error) {
	args, err := saveArgs(changes)
	if err != nil {
		return nil, err
	}
	written, err := s.ids(ctx, pgx.QueryExecModeCacheStatement, saveSQL, args)
	if err != nil {
		return nil, fmt.Errorf("save %d orders: %w", len(changes), err)
	}
	saved := make([]bool, len(changes))
	for i := range changes {
		saved[i] = written[changes[i].Order.ID]
	}
	return saved, nil
}

// saveArgs sorts by id, so that two calls with the same orders mostly lock them in the same order.
func saveArgs(changes []orders.Change) ([]any, error) {
	sorted := make([]*orders.Change, len(changes))
	for i := range changes {
		sorted[i] = &changes[i]
	}
	slices.SortFunc(sorted, func(a, b *orders.Change) int { return bytes.Compare(a.Order.ID[:], b.Order.ID[:]) })
	n := len(sorted)
	states, events, from := newStateColumns(n), newEventColumns(2*n), make([]int64, 0, n)
	for _, c := range sorted {
		row, err := c.Order.StateRow()
		if err != nil {
			return nil, err
		}
		states.add(&row)
		events.add(c.Events)
		from = append(from, c.FromVersion)
	}
	return slices.Concat(states.args(), []any{from}, events.args()), nil
}
