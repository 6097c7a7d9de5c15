package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

// The zero id is below, and the highest is above every order's: an open end needs no statement of its own.
const selectRangeSQL = `SELECT order_id, round, released, lines FROM holds
WHERE order_id >= ? AND order_id < ? ORDER BY order_id, round LIMIT ?`

// Rounds implements inventory.Store.
func (s *Store) Rounds(ctx context.Context, r inventory.Range) (rounds []inventory.HoldState, err error) {
	before := r.Before
	if before.IsZero() {
		for i := range before {
			before[i] = 0xff
		}
	}
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(selectRangeSQL)
		if err != nil {
			return err
		}
		return stmt.Blob(r.From[:]).Blob(before[:]).Int(r.Limit).Query(func(r sqlite.Row) error {
			state := inventory.HoldState{OrderID: inventory.OrderID(r.Raw(0)), Round: r.Int(1), Released: r.Bool(2)}
			if err := json.Unmarshal(r.Raw(3), &state.Lines); err != nil {
				return fmt.Errorf("read round %d of order %s: %w", state.Round, state.OrderID, err)
			}
			rounds = append(rounds, state)
			return nil
		})
	})
	return rounds, err
}

// One pass over each table and one sort; a join would look every item up in three places.
const imbalancesSQL = `SELECT sku, sum(on_hand), sum(held), sum(moved_on_hand), sum(moved_held), sum(orders_hold) FROM (
	SELECT sku, on_hand, held, 0 AS moved_on_hand, 0 AS moved_held, 0 AS orders_hold FROM items
	UNION ALL SELECT sku, 0, 0, on_hand_delta, held_delta, 0 FROM movements
	UNION ALL SELECT line.value ->> 'sku', 0, 0, 0, 0, line.value ->> 'quantity' FROM holds, json_each(lines) AS line WHERE NOT released)
GROUP BY sku HAVING sum(on_hand) <> sum(moved_on_hand) OR sum(held) <> sum(moved_held) OR sum(held) <> sum(orders_hold)
ORDER BY sku LIMIT ?`

// Imbalances implements inventory.Store.
func (s *Store) Imbalances(ctx context.Context, limit int) (found []inventory.Imbalance, err error) {
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(imbalancesSQL)
		if err != nil {
			return err
		}
		return stmt.Int(limit).Query(func(r sqlite.Row) error {
			found = append(found, inventory.Imbalance{SKU: inventory.SKU(r.Text(0)), OnHand: r.Int64(1), Held: r.Int64(2),
				MovedOnHand: r.Int64(3), MovedHeld: r.Int64(4), OrdersHold: r.Int64(5)})
			return nil
		})
	})
	return found, err
}
