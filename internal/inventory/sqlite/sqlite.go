// Package sqlite keeps the inventory in one SQLite file: one writer, so a batch needs no locks besides its transaction.
package sqlite

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
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
type Store struct{ db *sqlite.DB }

// Open opens the database at path, which is migrated already.
func Open(ctx context.Context, path string) (*Store, error) {
	db, err := sqlite.Open(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open inventory: %w", err)
	}
	return &Store{db}, nil
}

// Ping implements inventory.Store.
func (s *Store) Ping(ctx context.Context) error { return s.db.Ping(ctx) }

// Close implements inventory.Store.
func (s *Store) Close() error { return s.db.Close() }
