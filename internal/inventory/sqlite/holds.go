package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// Hold implements inventory.Store.
func (s *Store) Hold(ctx context.Context, holds []inventory.Hold, now time.Time, ids *id.Source) (results []inventory.HoldResult, err error) {
	if len(holds) == 0 {
		return nil, nil
	}
	err = s.db.Write(ctx, func(c *sqlite.Conn) error {
		items, err := selectItems(c, inventory.HoldSKUs(holds))
		if err != nil {
			return err
		}
		known, err := selectRounds(c, len(holds), func(i int) (inventory.OrderID, int) { return holds[i].OrderID, holds[i].Round })
		if err != nil {
			return err
		}
		decision := inventory.DecideHolds(items, known, holds, now, ids)
		results = decision.Results
		return write(c, decision, now)
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
	return s.db.Write(ctx, func(c *sqlite.Conn) error {
		known, err := selectRounds(c, len(releases), func(i int) (inventory.OrderID, int) { return releases[i].OrderID, releases[i].Round })
		if err != nil {
			return err
		}
		items, err := selectItems(c, inventory.HeldSKUs(known))
		if err != nil {
			return err
		}
		return write(c, inventory.DecideReleases(items, known, releases, now, ids), now)
	})
}

const selectRoundSQL = `SELECT released, lines FROM holds WHERE order_id = ? AND round = ?`

// selectRounds reads those of n rounds that exist.
func selectRounds(c *sqlite.Conn, n int, round func(int) (inventory.OrderID, int)) (known []inventory.HoldState, err error) {
	stmt, err := c.Prepare(selectRoundSQL)
	if err != nil {
		return nil, err
	}
	for i := range n {
		order, number := round(i)
		_, err := stmt.Blob(order[:]).Int(number).One(func(r sqlite.Row) error {
			state := inventory.HoldState{OrderID: order, Round: number, Released: r.Bool(0)}
			known = append(known, state)
			return json.Unmarshal(r.Raw(1), &known[len(known)-1].Lines)
		})
		if err != nil {
			return nil, fmt.Errorf("read round %d of order %s: %w", number, order, err)
		}
	}
	return known, nil
}

func write(c *sqlite.Conn, decision inventory.Decision, now time.Time) error {
	for _, state := range decision.States {
		if err := writeRound(c, state); err != nil {
			return fmt.Errorf("write round %d of order %s: %w", state.Round, state.OrderID, err)
		}
	}
	if err := insertMovements(c, decision.Movements); err != nil {
		return err
	}
	for _, change := range decision.Changes {
		if err := changeItem(c, change, now); err != nil {
			return err
		}
	}
	return nil
}

const (
	insertRoundSQL  = `INSERT INTO holds (order_id, round, released, lines) VALUES (?, ?, ?, ?)`
	releaseRoundSQL = `UPDATE holds SET released = 1 WHERE order_id = ? AND round = ? AND NOT released`
)

// writeRound writes a hold, the end of a hold, or, without lines, the end of what never held.
func writeRound(c *sqlite.Conn, state inventory.HoldState) error {
	if state.Released && len(state.Lines) > 0 {
		stmt, err := c.Prepare(releaseRoundSQL)
		if err != nil {
			return err
		}
		if err := stmt.Blob(state.OrderID[:]).Int(state.Round).Exec(); err != nil {
			return err
		}
		return wantRow(c, "holds", state.OrderID.String())
	}
	stmt, err := c.Prepare(insertRoundSQL)
	if err != nil {
		return err
	}
	lines, err := marshalLines(state.Lines)
	if err != nil {
		return err
	}
	return stmt.Blob(state.OrderID[:]).Int(state.Round).Bool(state.Released).Text(lines).Exec()
}

func marshalLines(lines []inventory.PricedLine) (string, error) {
	if len(lines) == 0 {
		return "[]", nil // nil would be null
	}
	text, err := json.Marshal(lines)
	return string(text), err
}
