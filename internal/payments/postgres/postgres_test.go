package postgres_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/storetest"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
	engine "github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

func migrated(t *testing.T) string {
	t.Helper()
	url := pgtest.URL(t)
	if _, err := migrate.Postgres(t.Context(), url, postgres.Migrations()); err != nil {
		t.Fatal(err)
	}
	return url
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) payments.Store {
		store, err := postgres.Open(t.Context(), migrated(t), engine.Config{MaxConns: 8})
		if err != nil {
			t.Fatal(err)
		}
		return store
	})
}

func TestLedgerIsAppendOnly(t *testing.T) {
	t.Parallel()
	c, err := pgx.Connect(t.Context(), migrated(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	for _, sql := range []string{`UPDATE ledger SET amount_cents = 1`, `DELETE FROM ledger`, `TRUNCATE ledger`} {
		if _, err := c.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", sql, err)
		}
	}
}
