package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

const getSQL = `SELECT ` + chargeColumns + ` FROM charges WHERE id = ANY($1::uuid[]) ORDER BY id`

// Get implements payments.Store.
func (s *Store) Get(ctx context.Context, ids []payments.ID) ([]payments.Charge, error) {
	wanted := make([][16]byte, len(ids))
	for i, id := range ids {
		wanted[i] = id
	}
	return s.query(ctx, getSQL, wanted)
}

const byOrderSQL = `SELECT ` + chargeColumns + ` FROM charges WHERE order_id = $1 ORDER BY id`

// ByOrder implements payments.Store.
func (s *Store) ByOrder(ctx context.Context, order payments.OrderID) ([]payments.Charge, error) {
	return s.query(ctx, byOrderSQL, [16]byte(order))
}

const noticesSQL = `SELECT ` + chargeColumns + ` FROM charges WHERE notice ORDER BY id LIMIT $1`

// Notices implements payments.Store.
func (s *Store) Notices(ctx context.Context, limit int) ([]payments.Charge, error) {
	return s.query(ctx, noticesSQL, limit)
}

const ackSQL = `UPDATE charges c SET notice = false FROM unnest($1::uuid[], $2::bigint[]) AS a (id, version)
WHERE c.id = a.id AND c.version = a.version AND c.notice`

// Ack implements payments.Store.
func (s *Store) Ack(ctx context.Context, acks []payments.Ack) error {
	sorted := slices.SortedFunc(slices.Values(acks), func(a, b payments.Ack) int { return slices.Compare(a.ID[:], b.ID[:]) })
	ids, versions := make([][16]byte, len(acks)), make([]int64, len(acks))
	for i, a := range sorted {
		ids[i], versions[i] = a.ID, a.Version
	}
	if _, err := s.pool.Exec(ctx, ackSQL, ids, versions); err != nil {
		return fmt.Errorf("clear notices: %w", postgres.Classify(err))
	}
	return nil
}

func (s *Store) query(ctx context.Context, sql string, args ...any) ([]payments.Charge, error) {
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("query charges: %w", postgres.Classify(err))
	}
	charges, err := pgx.CollectRows(rows, scanCharge)
	if err != nil {
		return nil, fmt.Errorf("query charges: %w", postgres.Classify(err))
	}
	return charges, nil
}
