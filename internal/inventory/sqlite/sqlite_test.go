package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory/sqlite"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory/storetest"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) inventory.Store { return open(t) })
}

func BenchmarkHold(b *testing.B) { storetest.Bench(b, open(b)) }

func open(tb testing.TB) *sqlite.Store {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "inventory.db")
	if _, err := migrate.SQLite(tb.Context(), path, sqlite.Migrations()); err != nil {
		tb.Fatal(err)
	}
	store, err := sqlite.Open(tb.Context(), path)
	if err != nil {
		tb.Fatal(err)
	}
	return store
}
