package postgres_test

import (
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/storetest"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
	database "github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

func openAt(tb testing.TB, url string) *postgres.Store {
	tb.Helper()
	if _, err := migrate.Postgres(tb.Context(), url, postgres.Migrations()); err != nil {
		tb.Fatal(err)
	}
	// Few connections, because the suite's tests run side by side on one server.
	store, err := postgres.Open(tb.Context(), url, database.Config{MaxConns: 4})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := store.Close(); err != nil {
			tb.Error(err)
		}
	})
	return store
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) orders.Store { return openAt(t, pgtest.URL(t)) })
}

func BenchmarkStore(b *testing.B) {
	storetest.Benchmark(b, func(b *testing.B) orders.Store { return openAt(b, pgtest.URL(b)) })
}
