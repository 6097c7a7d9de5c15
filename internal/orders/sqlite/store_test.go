package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/sqlite"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/storetest"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
)

func open(tb testing.TB) *sqlite.Store {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "orders.db")
	if _, err := migrate.SQLite(tb.Context(), path, sqlite.Migrations()); err != nil {
		tb.Fatal(err)
	}
	store, err := sqlite.Open(tb.Context(), path)
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
	storetest.Run(t, func(t *testing.T) orders.Store { return open(t) })
}

func BenchmarkStore(b *testing.B) {
	storetest.Benchmark(b, func(b *testing.B) orders.Store { return open(b) })
}
