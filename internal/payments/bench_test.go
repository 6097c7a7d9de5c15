package payments_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/providers/sandbox"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/sqlite"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
	pgengine "github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// BenchmarkCharge is one caller that charges batch after batch: two durable commits each.
func BenchmarkCharge(b *testing.B) {
	for name, open := range map[string]func(*testing.B) payments.Store{"sqlite": openSQLite, "postgres": openPostgres} {
		for _, size := range []int{1, 16, 256} {
			b.Run(fmt.Sprintf("%s/batch=%d", name, size), func(b *testing.B) { benchmarkCharge(b, open(b), size) })
		}
	}
}

func openSQLite(b *testing.B) payments.Store {
	path := filepath.Join(b.TempDir(), "payments.db")
	if _, err := migrate.SQLite(b.Context(), path, sqlite.Migrations()); err != nil {
		b.Fatal(err)
	}
	store, err := sqlite.Open(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	return store
}

func openPostgres(b *testing.B) payments.Store {
	url := pgtest.URL(b)
	if _, err := migrate.Postgres(b.Context(), url, postgres.Migrations()); err != nil {
		b.Fatal(err)
	}
	store, err := postgres.Open(b.Context(), url, pgengine.Config{})
	if err != nil {
		b.Fatal(err)
	}
	return store
}

func benchmarkCharge(b *testing.B, store payments.Store, size int) {
	b.Cleanup(func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	provider, err := sandbox.New(sandbox.Config{MerchantName: "Loja", MerchantCity: "Recife", Clock: clock.System{}})
	if err != nil {
		b.Fatal(err)
	}
	cfg := payments.Config{Patience: time.Second, ProviderTimeout: 10 * time.Second, MaxCalls: 256}
	service, err := payments.New(cfg, store, provider, clock.System{}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	ids, wishes, n := id.SystemSource(), make([]payments.Charge, size), 0
	b.ReportAllocs()
	for b.Loop() {
		for i := range wishes {
			wishes[i] = payments.Charge{ID: payments.ID(id.New[struct{}](ids)), OrderID: payments.OrderID(id.New[struct{}](ids)),
				Method: payments.Card, Token: sandbox.Approved, Amount: 12345}
		}
		charges, err := service.Charge(b.Context(), wishes)
		if err != nil || charges[size-1].Status != payments.Paid {
			b.Fatal(charges, err)
		}
		n += size
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "charges/s")
}
