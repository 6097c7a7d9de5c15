package sqlite_test

import (
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
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
	storetest.Run(t, func(t *testing.T) orders.Store { return open(t).WithSegments(2) })
}

// TestOrdersOutOfTurn places orders in any order of their ids, after one from a clock that was far ahead, and walks them by pages.
func TestOrdersOutOfTurn(t *testing.T) {
	t.Parallel()
	store := open(t).WithSegments(3)
	rng := rand.New(rand.NewPCG(1, 2))
	numbers := append([]int{200}, rng.Perm(100)...)
	for batch := range slices.Chunk(numbers, 4) {
		placements := make([]orders.Placement, len(batch))
		for i, n := range batch {
			placements[i] = numbered(n)
		}
		if _, err := store.Place(t.Context(), placements); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(numbers)
	for from := 0; from <= 100; from += 9 {
		var got []int
		for filter := (orders.Filter{SKU: "SKU-1", From: idOf(from), Limit: 7}); ; {
			page, err := store.List(t.Context(), filter)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for i := range page {
				got = append(got, int(page[i].ID[1]))
			}
			filter.Before = page[len(page)-1].ID
		}
		slices.Reverse(got)
		if want := numbers[from:]; !slices.Equal(got, want) {
			t.Errorf("from %d: %v, want %v", from, got, want)
		}
	}
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
			_, placed := store.WithSegments(10).Place(t.Context(), []orders.Placement{numbered(1 + start*25 + n)})
			err = errors.Join(err, placed)
		}
		if err := errors.Join(err, store.Close()); err != nil {
			t.Fatal(err)
		}
	}
	store := openAt(t, path)
	if got := store.Segments(t); got != 10 {
		t.Errorf("%d segments of 100 orders, want 10", got)
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
