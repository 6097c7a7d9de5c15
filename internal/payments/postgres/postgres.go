// Package postgres keeps payments in PostgreSQL. A batch is one statement over arrays, and so one round trip.
package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

var _ payments.Store = (*Store)(nil)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations is the schema's history.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the name is a constant of this file
	}
	return sub
}

// Store implements payments.Store.
type Store struct{ pool *pgxpool.Pool }

// loops has batches joined as loops over the key. A plan that was made while the tables were small, and is kept, would hash
// or sort all charges for each batch, and would not lock them in the order of their ids.
var loops = map[string]string{"enable_hashjoin": "off", "enable_mergejoin": "off"}

// Open opens the database at url, which is migrated already.
func Open(ctx context.Context, url string, cfg postgres.Config) (*Store, error) {
	cfg.Parameters = loops
	pool, err := postgres.Open(ctx, url, cfg)
	if err != nil {
		return nil, fmt.Errorf("open payments: %w", err)
	}
	return &Store{pool}, nil
}

// Ping implements payments.Store.
func (s *Store) Ping(ctx context.Context) error { return postgres.Classify(s.pool.Ping(ctx)) }

// Close implements payments.Store.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}
