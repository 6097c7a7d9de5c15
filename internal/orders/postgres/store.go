// Package postgres keeps orders in PostgreSQL. It is the production engine of orders.Store.
//
// Place and Save are one statement each: an implicit transaction is one round trip and one commit, whatever the size of
// the batch. A statement that loses a deadlock is not repeated here; its error is fault.Transient and its caller repeats.
package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the schema's steps, for goose. Their numbers are those of the SQLite engine.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(fmt.Sprintf("embedded migrations: %v", err)) // a constant, valid path
	}
	return sub
}

// Store is an orders.Store in a PostgreSQL database.
type Store struct{ pool *pgxpool.Pool }

var _ orders.Store = (*Store)(nil)

// Open connects to the database at url, whose schema must have been migrated. Close it.
func Open(ctx context.Context, url string, cfg postgres.Config) (*Store, error) {
	pool, err := postgres.Open(ctx, url, cfg)
	if err != nil {
		return nil, fmt.Errorf("open orders: %w", err)
	}
	return &Store{pool: pool}, nil
}

// Ping implements orders.Store.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return fmt.Errorf("ping orders: %w", postgres.Classify(err))
	}
	return nil
}

// Close implements orders.Store.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// uuids is a parameter for uuid[]; the flat array spares pgx the reflection that [][16]byte would cost it.
type uuids = pgtype.FlatArray[pgtype.UUID]

func uuidOf(id [16]byte) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

func uuidsOf(ids []orders.ID) uuids {
	out := make(uuids, len(ids))
	for i, id := range ids {
		out[i] = uuidOf(id)
	}
	return out
}
