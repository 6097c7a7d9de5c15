package sqlite

import (
	"context"
	"fmt"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

const updateState = `UPDATE order_states SET status = ?, payment_status = ?, fulfillment_status = ?, progress = ?, version = ?,
	next_attempt_at = ?, updated_at = ? WHERE order_id = ? AND version = ? AND lease = ?`

// Save implements orders.Store.
func (s *Store) Save(ctx context.Context, changes []orders.Change) ([]bool, error) {
	rows := make([]orders.Row, len(changes))
	for i := range changes {
		row, err := changes[i].Order.StateRow()
		if err != nil {
			return nil, err
		}
		rows[i] = row
	}
	saved := make([]bool, len(changes))
	err := s.db.Write(ctx, func(c *sqlite.Conn) error {
		for i := range changes {
			written, err := saveOne(c, &changes[i], &rows[i])
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

func saveOne(c *sqlite.Conn, change *orders.Change, row *orders.Row) (bool, error) {
	stmt, err := c.Prepare(updateState)
	if err != nil {
		return false, err
	}
	err = stmt.Text(string(row.Status)).Text(string(row.PaymentStatus)).Text(string(row.FulfillmentStatus)).Text(string(row.Progress)).
		Int64(row.Version).Int64(row.NextAttemptAt).Int64(row.UpdatedAt).
		Blob(row.ID[:]).Int64(change.FromVersion).Int64(row.Lease).Exec()
	if err != nil || c.Changes() == 0 {
		return false, err
	}
	return true, writeEvents(c, change.Events)
}
