package postgres_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
	db "github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// TestHoldLocksInOrder finds out in which order a hold locks: while another transaction has the last SKU, the hold must
// have all before it. A race would not tell, because a deadlock is retried.
func TestHoldLocksInOrder(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	if _, err := migrate.Postgres(t.Context(), url, postgres.Migrations()); err != nil {
		t.Fatal(err)
	}
	store, err := postgres.Open(t.Context(), url, db.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	ids := id.NewSource(clock.System{}, rand.Reader)
	hold := inventory.Hold{OrderID: inventory.OrderID(id.New[struct{}](ids)), Round: 1}
	for i := 9; i >= 0; i-- {
		sku := inventory.SKU(fmt.Sprintf("sku-%d", i))
		if _, err := store.PutItem(t.Context(), inventory.Item{SKU: sku, Name: "x", Price: 1, CreatedAt: time.Now(), UpdatedAt: time.Now()}); err != nil {
			t.Fatal(err)
		}
		hold.Lines = append(hold.Lines, inventory.Line{SKU: sku, Quantity: 1})
	}
	other := lockLast(t, url)
	done := make(chan error, 1)
	go func() {
		_, err := store.Hold(context.WithoutCancel(t.Context()), []inventory.Hold{hold}, time.Now(), ids)
		done <- err
	}()
	waitUntilBlocked(t, url)
	free, err := other.Exec(t.Context(), `SELECT 1 FROM items WHERE sku < 'sku-9' FOR UPDATE SKIP LOCKED`)
	if err := errors.Join(err, other.Rollback(t.Context()), <-done); err != nil {
		t.Fatal(err)
	}
	if free.RowsAffected() > 0 {
		t.Errorf("the hold waits for the last SKU, and has not locked %d of the nine before it", free.RowsAffected())
	}
}

// lockLast begins a transaction that has the last SKU's row.
func lockLast(t *testing.T, url string) pgx.Tx {
	t.Helper()
	tx, err := connect(t, url).Begin(t.Context())
	if err == nil {
		_, err = tx.Exec(t.Context(), `SELECT 1 FROM items WHERE sku = 'sku-9' FOR UPDATE`)
	}
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

// waitUntilBlocked returns when a session of the database waits for a lock.
func waitUntilBlocked(t *testing.T, url string) {
	t.Helper()
	watcher := connect(t, url)
	for blocked := false; !blocked; {
		err := watcher.QueryRow(t.Context(), `SELECT EXISTS (SELECT 1 FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock')`).Scan(&blocked)
		if err != nil {
			t.Fatal(err)
		}
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}
