// Package postgres keeps the inventory in PostgreSQL. A batch is two round trips, however many orders it has: one locks
// and reads, one writes and commits.
package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

var _ inventory.Store = (*Store)(nil)

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

// Store implements inventory.Store.
type Store struct{ pool *pgxpool.Pool }

// Open opens the database at url, which is migrated already.
func Open(ctx context.Context, url string, cfg postgres.Config) (*Store, error) {
	pool, err := postgres.Open(ctx, url, cfg)
	if err != nil {
		return nil, fmt.Errorf("open inventory: %w", err)
	}
	return &Store{pool}, nil
}

// Ping implements inventory.Store.
func (s *Store) Ping(ctx context.Context) error { return postgres.Classify(s.pool.Ping(ctx)) }

// Close implements inventory.Store.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}
