package sqlite_test

import (
	"crypto/sha256"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/sqlite"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/storetest"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
)

func open(tb testing.TB) *sqlite.Store {
	tb.Helper()
	return openAt(tb, migrated(tb))
}

func migrated(tb testing.TB) (path string) {
	tb.Helper()
	path = filepath.Join(tb.TempDir(), "orders.db")
	if _, err := migrate.SQLite(tb.Context(), path, sqlite.Migrations()); err != nil {
		tb.Fatal(err)
	}
	return path
}

func openAt(tb testing.TB, path string) *sqlite.Store {
	tb.Helper()
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

func TestStoreOfManySegments(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) orders.Store { return open(t).WithSegmentRows(2) })
}

// TestSegmentsFillUp says that a start goes on with the segment that was there, and that each is full when the next begins.
func TestSegmentsFillUp(t *testing.T) {
	t.Parallel()
	path := migrated(t)
	for start := range 4 {
		store, err := sqlite.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 25 {
			_, placed := store.WithSegmentRows(10).Place(t.Context(), []orders.Placement{numbered(1 + start*25 + n)})
			err = errors.Join(err, placed)
		}
		if err := errors.Join(err, store.Close()); err != nil {
			t.Fatal(err)
		}
	}
	store := openAt(t, path)
	if got := store.Segments(t); got != 10 {
		t.Errorf("%d segments of 100 rows, want 10", got)
	}
}

// TestAClockThatWasAhead says that an order of next year does not end the segments: it moves along with the newest.
func TestAClockThatWasAhead(t *testing.T) {
	t.Parallel()
	store := open(t).WithSegmentRows(10)
	for n := range 100 {
		batch := []orders.Placement{numbered(1 + n)}
		if n == 5 {
			batch = append(batch, numbered(200))
		}
		if _, err := store.Place(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	if got := store.Segments(t); got < 10 {
		t.Errorf("%d segments of 101 rows, want at least 10", got)
	}
	page, err := store.List(t.Context(), orders.Filter{SKU: "SKU-1", Limit: 1000})
	if err != nil || len(page) != 101 || page[0].ID != idOf(200) || page[100].ID != idOf(1) {
		t.Errorf("%d orders, %v; want 101, the one of next year first", len(page), err)
	}
}

// TestAFailedBatchAtTheEndOfASegment has its segment taken back with it, and nothing else.
func TestAFailedBatchAtTheEndOfASegment(t *testing.T) {
	t.Parallel()
	store := open(t).WithSegmentRows(10)
	for n := range 30 {
		if n%10 == 0 {
			bad := numbered(200)
			bad.Order.Lease = -1
			if _, err := store.Place(t.Context(), []orders.Placement{bad}); err == nil {
				t.Fatal("a lease of -1 was taken")
			}
		}
		if _, err := store.Place(t.Context(), []orders.Placement{numbered(1 + n)}); err != nil {
			t.Fatal(err)
		}
	}
	page, err := store.List(t.Context(), orders.Filter{SKU: "SKU-1", Limit: 1000})
	if err != nil || len(page) != 30 || page[0].ID != idOf(30) || page[29].ID != idOf(1) {
		t.Errorf("%d orders, %v; want 30, the last one first", len(page), err)
	}
}

func idOf(n int) orders.ID { return orders.ID{1, byte(n)} }

func numbered(n int) orders.Placement {
	request := orders.Request{Customer: orders.Customer{Name: "Ana Souza", Email: "ana@example.com"}, Method: orders.Card, Token: "tok_approved",
		Items: []orders.Item{{SKU: "SKU-1", Quantity: 1}}}
	o := orders.NewOrder(idOf(n), orders.PaymentID{1, byte(n)}, "caller-1", request, time.UnixMicro(1))
	o.NextAttemptAt = time.UnixMicro(2)
	return orders.Placement{Order: o, Key: sha256.Sum256([]byte{byte(n)})}
}

func BenchmarkStore(b *testing.B) {
	storetest.Benchmark(b, func(b *testing.B) orders.Store { return open(b) })
}
