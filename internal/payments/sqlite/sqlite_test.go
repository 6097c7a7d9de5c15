package sqlite_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/sqlite"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/storetest"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
	engine "github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

func migrated(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "payments.db")
	if _, err := migrate.SQLite(t.Context(), path, sqlite.Migrations()); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) payments.Store {
		store, err := sqlite.Open(t.Context(), migrated(t))
		if err != nil {
			t.Fatal(err)
		}
		return store
	})
}

func TestLedgerIsAppendOnly(t *testing.T) {
	t.Parallel()
	db, err := engine.Open(t.Context(), migrated(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	const row = `INSERT INTO ledger (payment_id, number, kind, debit, credit, amount_cents, at) VALUES (zeroblob(16), 1, 'capture', 'provider', 'sales', 5, 0)`
	if err := db.Write(t.Context(), func(c *engine.Conn) error { return c.Exec(row) }); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{`UPDATE ledger SET amount_cents = 1`, `DELETE FROM ledger`} {
		err := db.Write(t.Context(), func(c *engine.Conn) error { return c.Exec(sql) })
		if err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", sql, err)
		}
	}
}
