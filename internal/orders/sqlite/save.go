package sqlite

import (
	"context"
	"fmt"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

// What an order has to be at stands in the row that says so: of an open order in open_orders, of one at rest in order_states.
const (
	closeOpen = `DELETE FROM open_orders WHERE order_id = ? AND version = ? AND lease = ?`

	keepOpen = `UPDATE open_orders SET version = ?, next_attempt_at = ? WHERE order_id = ? AND version = ? AND lease = ?`

	isAtRest = `SELECT 1 FROM order_states s WHERE s.order_id = ?1 AND s.version = ?2 AND s.lease = ?3
	AND NOT EXISTS (SELECT 1 FROM open_orders o WHERE o.order_id = ?1)`
)

// Save implements orders.Store.
func (s *Store) Save(ctx context.Context, changes []orders.Change) ([]bool, error) {
	rows, events := make([]orders.Row, len(changes)), make([][]byte, len(changes))
	for i := range changes { // encoded before the writer is taken: others wait for it
		var err error
		if rows[i], err = changes[i].Order.StateRow(); err != nil {
			return nil, err
		}
		if len(changes[i].Events) == 0 {
			continue
		}
		if events[i], err = orders.EncodeEvents(changes[i].FromVersion, changes[i].Events); err != nil {
			return nil, err
		}
	}
	saved := make([]bool, len(changes))
	err := s.db.Write(ctx, func(c *sqlite.Conn) error {
		for i := range changes {
			written, err := saveOne(c, &changes[i], &rows[i], events[i])
			if err != nil {
				return fmt.Errorf("save order %s: %w", rows[i].ID, err)
			}
			saved[i] = written
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return saved, nil
}

func saveOne(c *sqlite.Conn, change *orders.Change, row *orders.Row, events []byte) (saved bool, err error) {
	if saved, err = saveOpen(c, change, row); err == nil && !saved {
		saved, err = reopen(c, change, row)
	}
	if err != nil || !saved {
		return false, err
	}
	if change.FromVersion == 1 && row.Lease == 0 && row.NextAttemptAt == 0 {
		return true, writeState(c, &change.Order, row, events)
	}
	if err := writeState(c, &change.Order, row, nil); err != nil || events == nil {
		return true, err
	}
	return true, writeEvents(c, row.ID, change.FromVersion, events)
}

// saveOpen closes or keeps an order that is open, and tells whether it was what the change expects.
func saveOpen(c *sqlite.Conn, change *orders.Change, row *orders.Row) (bool, error) {
	sql := closeOpen
	if row.NextAttemptAt != 0 {
		sql = keepOpen
	}
	stmt, err := c.Prepare(sql)
	if err != nil {
		return false, err
	}
	if row.NextAttemptAt != 0 {
		stmt.Int64(row.Version).Int64(row.NextAttemptAt)
	}
	err = stmt.Blob(row.ID[:]).Int64(change.FromVersion).Int64(row.Lease).Exec()
	return err == nil && c.Changes() > 0, err
}

// reopen tells whether the order is at rest and what the change expects, and opens it again if it has more to do.
func reopen(c *sqlite.Conn, change *orders.Change, row *orders.Row) (bool, error) {
	stmt, err := c.Prepare(isAtRest)
	if err != nil {
		return false, err
	}
	found, err := stmt.Blob(row.ID[:]).Int64(change.FromVersion).Int64(row.Lease).One(func(sqlite.Row) error { return nil })
	if err != nil || !found || row.NextAttemptAt == 0 {
		return found, err
	}
	return true, writeOpen(c, row)
}
