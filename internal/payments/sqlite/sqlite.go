// Package sqlite keeps payments in one SQLite file: one writer, so a batch needs no locks besides its transaction.
package sqlite

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
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
type Store struct{ db *sqlite.DB }

// Open opens the database at path, which is migrated already.
func Open(ctx context.Context, path string, opts ...sqlite.Option) (*Store, error) {
	db, err := sqlite.Open(ctx, path, opts...)
	if err != nil {
		return nil, fmt.Errorf("open payments: %w", err)
	}
	return &Store{db}, nil
}

// Ping implements payments.Store.
func (s *Store) Ping(ctx context.Context) error { return s.db.Ping(ctx) }

// Close implements payments.Store.
func (s *Store) Close() error { return s.db.Close() }

const totalsSQL = `SELECT captured_cents, refunded_cents, surplus_cents, unknown, oldest FROM ledger_sums,
	(SELECT count(*) AS unknown, min(created_at) AS oldest FROM charges INDEXED BY charges_due
		WHERE next_attempt_at IS NOT NULL AND status = 'unknown')`

// Totals implements payments.Store. The sums are kept by the transactions that write the ledger, and what is unknown is
// always due some time, so the index of due charges has it.
func (s *Store) Totals(ctx context.Context) (totals payments.Totals, err error) {
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(totalsSQL)
		if err != nil {
			return err
		}
		_, err = stmt.One(func(r sqlite.Row) error {
			totals = payments.Totals{Captured: cents(r, 0), Refunded: cents(r, 1), Surplus: cents(r, 2), Unknown: r.Int64(3)}
			if !r.IsNull(4) {
				totals.OldestUnknown = r.Time(4)
			}
			return nil
		})
		return err
	})
	return totals, err
}
