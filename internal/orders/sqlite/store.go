// Package sqlite keeps orders in one SQLite file. It is the embedded engine of orders.Store.
package sqlite

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the schema's steps, for goose. Their numbers are those of the PostgreSQL engine.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(fmt.Sprintf("embedded migrations: %v", err)) // a constant, valid path
	}
	return sub
}

// Store is an orders.Store in a SQLite file.
type Store struct {
	db     *sqlite.DB
	newest newestSegment
}

var _ orders.Store = (*Store)(nil)

// Open opens the file at path, whose schema must have been migrated. Close it.
func Open(ctx context.Context, path string, opts ...sqlite.Option) (*Store, error) {
	db, err := sqlite.Open(ctx, path, opts...)
	if err != nil {
		return nil, fmt.Errorf("open orders: %w", err)
	}
	return &Store{db: db, newest: newestSegment{limit: segmentRows, rows: -1}}, nil
}

// Ping implements orders.Store.
func (s *Store) Ping(ctx context.Context) error { return s.db.Ping(ctx) }

// Close implements orders.Store.
func (s *Store) Close() error { return s.db.Close() }
