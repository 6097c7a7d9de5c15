package postgres_test

import (
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory/storetest"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
	db "github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) inventory.Store { return open(t) })
}

func BenchmarkHold(b *testing.B) { storetest.Bench(b, open(b)) }

func open(tb testing.TB) *postgres.Store {
	tb.Helper()
	url := pgtest.URL(tb)
	if _, err := migrate.Postgres(tb.Context(), url, postgres.Migrations()); err != nil {
		tb.Fatal(err)
	}
	store, err := postgres.Open(tb.Context(), url, db.Config{})
	if err != nil {
		tb.Fatal(err)
	}
	return store
}
