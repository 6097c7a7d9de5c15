package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
	engine "github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// BenchmarkCard is what the store does for cards that are paid for at once: Create and Save, two durable commits a batch.
func BenchmarkCard(b *testing.B) {
	for _, size := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) { benchmarkCard(b, size) })
	}
}

func benchmarkCard(b *testing.B, size int) {
	url := pgtest.URL(b)
	if _, err := migrate.Postgres(b.Context(), url, postgres.Migrations()); err != nil {
		b.Fatal(err)
	}
	store, err := postgres.Open(b.Context(), url, engine.Config{})
	if err != nil {
		b.Fatal(err)
	}
	conn, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := conn.Close(context.WithoutCancel(b.Context())); err != nil {
			b.Error(err)
		}
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	ids, wishes, changes, n := id.SystemSource(), make([]payments.Charge, size), make([]payments.Change, size), 0
	b.ReportAllocs()
	before := walBytes(b, conn)
	for b.Loop() {
		b.StopTimer()
		for i, now := 0, time.Now(); i < size; i++ {
			wishes[i] = payments.NewCharge(payments.Charge{ID: payments.ID(id.New[struct{}](ids)), OrderID: payments.OrderID(id.New[struct{}](ids)),
				Method: payments.Card, Token: "tok_approved", Amount: 12345, Provider: "sandbox"}, now)
			changes[i], _ = wishes[i].Apply(payments.Outcome{Status: payments.OutcomePaid}, now)
		}
		b.StartTimer()
		if _, err := store.Create(b.Context(), wishes); err != nil {
			b.Fatal(err)
		}
		if saved, err := store.Save(b.Context(), changes); err != nil || !saved[0] {
			b.Fatal(saved, err)
		}
		n += size
	}
	b.ReportMetric(float64(walBytes(b, conn)-before)/float64(n), "WAL-bytes/charge")
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "charges/s")
}

// walBytes is where the server's log ends.
func walBytes(b *testing.B, conn *pgx.Conn) (n int64) {
	if err := conn.QueryRow(b.Context(), `SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint`).Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n
}
