package storetest_test

import (
	"path/filepath"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/sqlite"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/storetest"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
	database "github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

// The same history on both engines and on the model gives the same answers, byte for byte.
func TestEnginesAgree(t *testing.T) {
	t.Parallel()
	path, url := filepath.Join(t.TempDir(), "orders.db"), pgtest.URL(t)
	if _, err := migrate.SQLite(t.Context(), path, sqlite.Migrations()); err != nil {
		t.Fatal(err)
	}
	if _, err := migrate.Postgres(t.Context(), url, postgres.Migrations()); err != nil {
		t.Fatal(err)
	}
	embedded, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer embedded.Close()
	server, err := postgres.Open(t.Context(), url, database.Config{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	storetest.History(t, embedded, server)
}
