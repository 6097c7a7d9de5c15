package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

// The zero id is below, and the highest is above every order's: an open end needs no statement of its own.
var statesSQL = `SELECT o.id, coalesce(s.status, 'placed'), coalesce(s.payment_status, 'none'),
	coalesce(s.progress, '` + orders.UntouchedProgress + `'), coalesce(s.version, 1), coalesce(p.next_attempt_at, 0), coalesce(s.updated_at, o.created_at)
FROM orders o` + withState(`o.id`) + ` WHERE o.id >= $1 AND o.id < $2 ORDER BY o.id LIMIT $3`

// States implements orders.Store.
func (s *Store) States(ctx context.Context, r orders.Range) ([]orders.State, error) {
	before := r.Before
	if before.IsZero() {
		for i := range before {
			before[i] = 0xff
		}
	}
	rows, err := s.pool.Query(ctx, statesSQL, uuidOf(r.From), uuidOf(before), r.Limit)
	if err != nil {
		return nil, fmt.Errorf("read states: %w", postgres.Classify(err))
	}
	var states []orders.State
	var row orders.Row
	targets := []any{(*[16]byte)(&row.ID), (*string)(&row.Status), (*string)(&row.PaymentStatus), &row.Progress, &row.Version,
		&row.NextAttemptAt, &row.UpdatedAt}
	_, err = pgx.ForEachRow(rows, targets, func() error {
		state, err := row.State()
		states = append(states, state)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read states: %w", postgres.Classify(err))
	}
	return states, nil
}
