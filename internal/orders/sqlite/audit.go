package sqlite

import (
	"context"
	"fmt"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

// The zero id is below, and the highest is above every order's: an open end needs no statement of its own.
const selectStates = `SELECT o.id, coalesce(s.status, 'placed'), coalesce(s.payment_status, 'none'),
	coalesce(s.progress, '` + orders.UntouchedProgress + `'), coalesce(s.version, 1), coalesce(p.next_attempt_at, 0), coalesce(s.updated_at, o.created_at)
FROM orders o` + withState + ` WHERE o.id >= ? AND o.id < ? ORDER BY o.id LIMIT ?`

// States implements orders.Store.
func (s *Store) States(ctx context.Context, r orders.Range) (states []orders.State, err error) {
	before := r.Before
	if before.IsZero() {
		for i := range before {
			before[i] = 0xff
		}
	}
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(selectStates)
		if err != nil {
			return err
		}
		return stmt.Blob(r.From[:]).Blob(before[:]).Int(r.Limit).Query(func(r sqlite.Row) error {
			state, err := scanState(r)
			states = append(states, state)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read states: %w", err)
	}
	return states, nil
}

func scanState(r sqlite.Row) (orders.State, error) {
	row := orders.Row{Status: orders.Status(r.Text(1)), PaymentStatus: orders.PaymentStatus(r.Text(2)), Progress: r.Raw(3),
		Version: r.Int64(4), NextAttemptAt: r.Int64(5), UpdatedAt: r.Int64(6)}
	copy(row.ID[:], r.Raw(0))
	return row.State()
}
