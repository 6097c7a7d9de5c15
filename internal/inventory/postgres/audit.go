package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

// The zero id is below, and the highest is above every order's: an open end needs no statement of its own.
const selectRangeSQL = `SELECT order_id, round, released, lines FROM holds
WHERE order_id >= $1 AND order_id < $2 ORDER BY order_id, round LIMIT $3`

// Rounds implements inventory.Store.
func (s *Store) Rounds(ctx context.Context, r inventory.Range) ([]inventory.HoldState, error) {
	before := r.Before
	if before.IsZero() {
		for i := range before {
			before[i] = 0xff
		}
	}
	// The zero id is a value here, and not NULL.
	rows, err := s.pool.Query(ctx, selectRangeSQL, pgtype.UUID{Bytes: r.From, Valid: true}, pgtype.UUID{Bytes: before, Valid: true}, r.Limit)
	if err != nil {
		return nil, postgres.Classify(err)
	}
	rounds, err := pgx.CollectRows(rows, scanRound)
	return rounds, postgres.Classify(err)
}

// One pass over each table; the sums are few, one a SKU. A sum of bigint is numeric, which no variable takes: hence the casts.
const imbalancesSQL = `SELECT sku, sum(on_hand)::bigint, sum(held)::bigint, sum(moved_on_hand)::bigint, sum(moved_held)::bigint, sum(orders_hold)::bigint
FROM (
	SELECT sku, on_hand, held, 0 AS moved_on_hand, 0 AS moved_held, 0 AS orders_hold FROM items
	UNION ALL SELECT sku, 0, 0, on_hand_delta, held_delta, 0 FROM movements
	UNION ALL SELECT line ->> 'sku', 0, 0, 0, 0, (line ->> 'quantity')::bigint FROM holds, json_array_elements(lines) AS line WHERE NOT released) AS parts
GROUP BY sku HAVING sum(on_hand) <> sum(moved_on_hand) OR sum(held) <> sum(moved_held) OR sum(held) <> sum(orders_hold)
ORDER BY sku COLLATE "C" LIMIT $1`

// Imbalances implements inventory.Store.
func (s *Store) Imbalances(ctx context.Context, limit int) ([]inventory.Imbalance, error) {
	rows, err := s.pool.Query(ctx, imbalancesSQL, limit)
	if err != nil {
		return nil, postgres.Classify(err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (i inventory.Imbalance, err error) {
		err = row.Scan(&i.SKU, &i.OnHand, &i.Held, &i.MovedOnHand, &i.MovedHeld, &i.OrdersHold)
		return i, err
	})
	return found, postgres.Classify(err)
}
