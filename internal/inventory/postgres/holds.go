package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// Hold implements inventory.Store.
func (s *Store) Hold(ctx context.Context, holds []inventory.Hold, now time.Time, ids *id.Source) (results []inventory.HoldResult, err error) {
	if len(holds) == 0 {
		return nil, nil
	}
	orders := make([]pgtype.UUID, len(holds))
	for i := range holds {
		orders[i] = nullable(holds[i].OrderID)
	}
	err = s.inTx(ctx, func(t *tx) error {
		var items []inventory.Item
		var known []inventory.HoldState
		b := &pgx.Batch{}
		queueLock(b, inventory.HoldSKUs(holds), &items)
		// After the lock: a batch with the same orders has committed by then, as a rule. When it has not, the keys collide.
		queueRounds(b, orders, &known)
		if err := t.first(ctx, b); err != nil {
			return err
		}
		decision := inventory.DecideHolds(items, known, holds, now, ids)
		results = decision.Results
		return write(ctx, t, decision, now)
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// Release implements inventory.Store.
func (s *Store) Release(ctx context.Context, releases []inventory.Release, now time.Time, ids *id.Source) error {
	if len(releases) == 0 {
		return nil
	}
	orders := make([]pgtype.UUID, len(releases))
	for i := range releases {
		orders[i] = nullable(releases[i].OrderID)
	}
	return s.inTx(ctx, func(t *tx) error {
		known, items, err := lockRounds(ctx, t, orders)
		if err != nil {
			return err
		}
		return write(ctx, t, inventory.DecideReleases(items, known, releases, now, ids), now)
	})
}

// lockRounds reads the rounds of orders to learn their SKUs, locks those, and reads the rounds again: what they held may
// have been given back meanwhile.
func lockRounds(ctx context.Context, t *tx, orders []pgtype.UUID) (known []inventory.HoldState, items []inventory.Item, err error) {
	b := &pgx.Batch{}
	queueRounds(b, orders, &known)
	if err := t.first(ctx, b); err != nil {
		return nil, nil, err
	}
	locked := inventory.HeldSKUs(known)
	if len(locked) == 0 {
		return known, nil, nil // nothing to give back: whoever holds one of these rounds now collides with its tombstone
	}
	b = &pgx.Batch{}
	queueLock(b, locked, &items)
	queueRounds(b, orders, &known)
	if err := t.next(ctx, b); err != nil {
		return nil, nil, err
	}
	for _, sku := range inventory.HeldSKUs(known) {
		if _, found := slices.BinarySearch(locked, sku); !found {
			return nil, nil, errOvertaken
		}
	}
	return known, items, nil
}

// FOR NO KEY UPDATE, because an adjustment's foreign key shall not wait for a batch.
const lockItemsSQL = `SELECT ` + itemColumns + ` FROM items WHERE sku = ANY($1) ORDER BY sku FOR NO KEY UPDATE`

// queueLock locks items in the order of their SKUs, the one order that all transactions take.
func queueLock(b *pgx.Batch, skus []inventory.SKU, items *[]inventory.Item) {
	b.Queue(lockItemsSQL, names(skus)).Query(func(rows pgx.Rows) (err error) {
		*items, err = pgx.CollectRows(rows, scanItem)
		return err
	})
}

const selectRoundsSQL = `SELECT order_id, round, released, lines FROM holds WHERE order_id = ANY($1)`

func queueRounds(b *pgx.Batch, orders []pgtype.UUID, known *[]inventory.HoldState) {
	b.Queue(selectRoundsSQL, orders).Query(func(rows pgx.Rows) (err error) {
		*known, err = pgx.CollectRows(rows, scanRound)
		return err
	})
}

func scanRound(row pgx.CollectableRow) (state inventory.HoldState, err error) {
	var order pgtype.UUID
	var lines []byte
	if err := row.Scan(&order, &state.Round, &state.Released, &lines); err != nil {
		return state, err
	}
	state.OrderID = order.Bytes
	if err := json.Unmarshal(lines, &state.Lines); err != nil {
		return state, fmt.Errorf("read round %d of order %s: %w", state.Round, state.OrderID, err)
	}
	return state, nil
}

func write(ctx context.Context, t *tx, decision inventory.Decision, now time.Time) error {
	if len(decision.States) == 0 {
		return nil
	}
	b := &pgx.Batch{}
	if err := queueStates(b, decision.States); err != nil {
		return err
	}
	if len(decision.Movements) > 0 {
		queueMovements(b, decision.Movements, now)
		queueChanges(b, decision.Changes, now)
	}
	return t.last(ctx, b)
}

const (
	insertRoundsSQL = `INSERT INTO holds (order_id, round, released, lines)
SELECT order_id, round, released, lines::json
FROM unnest($1::uuid[], $2::smallint[], $3::boolean[], $4::text[]) AS r (order_id, round, released, lines)`
	// As in changeItemsSQL, the server checks the row count.
	releaseRoundsSQL = `WITH changed AS (
	UPDATE holds h SET released = true
	FROM unnest($1::uuid[], $2::smallint[]) AS r (order_id, round)
	WHERE h.order_id = r.order_id AND h.round = r.round AND NOT h.released
	RETURNING 1)
SELECT CAST(CASE count(*) WHEN cardinality($1) THEN '1' ELSE 'rounds were released twice' END AS integer) FROM changed`
)

// rounds are the columns of states.
type rounds struct {
	orders   []pgtype.UUID
	numbers  []int16
	released []bool
	lines    []string
}

// queueStates writes holds, ends of holds, and, without lines, ends of what never held.
func queueStates(b *pgx.Batch, states []inventory.HoldState) error {
	var inserted, ended rounds
	for _, state := range states {
		if state.Released && len(state.Lines) > 0 {
			ended.orders = append(ended.orders, nullable(state.OrderID))
			ended.numbers = append(ended.numbers, int16(state.Round))
			continue
		}
		lines, err := marshalLines(state.Lines)
		if err != nil {
			return err
		}
		inserted.orders = append(inserted.orders, nullable(state.OrderID))
		inserted.numbers = append(inserted.numbers, int16(state.Round))
		inserted.released = append(inserted.released, state.Released)
		inserted.lines = append(inserted.lines, lines)
	}
	if len(inserted.orders) > 0 {
		b.Queue(insertRoundsSQL, inserted.orders, inserted.numbers, inserted.released, inserted.lines)
	}
	if len(ended.orders) > 0 {
		b.Queue(releaseRoundsSQL, ended.orders, ended.numbers)
	}
	return nil
}

func marshalLines(lines []inventory.PricedLine) (string, error) {
	if len(lines) == 0 {
		return "[]", nil // nil would be null
	}
	text, err := json.Marshal(lines)
	return string(text), err
}
