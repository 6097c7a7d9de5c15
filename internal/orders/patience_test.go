package orders_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/memory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// silentStore answers nothing, for as long as it is asked, until it speaks.
type silentStore struct {
	orders.Store
	speaks atomic.Bool
}

func (s *silentStore) Place(ctx context.Context, placements []orders.Placement) ([]orders.Placing, error) {
	if !s.speaks.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.Store.Place(ctx, placements)
}

// TestASilentStoreHoldsNobodyForEver: whoever places an order hears that its outcome is unknown, and the stage goes on
// when the store is back.
func TestASilentStoreHoldsNobodyForEver(t *testing.T) {
	t.Parallel()
	const lease = time.Second
	store := &silentStore{Store: memory.New()}
	inventory := &fakeInventory{wire: &wire{}, stock: map[string]int64{"SKU": units}, held: map[holdKey][]orders.Item{}, ended: map[holdKey]bool{}}
	payments := &fakePayments{wire: &wire{}, clock: clock.System{}, charges: map[orders.PaymentID]*fakeCharge{}}
	service, err := orders.New(orders.Config{MaxInFlight: 100, Queue: 10, MaxBatch: 10, ChargeWorkers: 1, Lease: lease},
		store, inventory, payments, clock.System{}, id.NewSource(clock.System{}, rand.NewChaCha8([32]byte{})), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { service.Run(ctx); close(done) }()
	defer func() { stop(); <-done }()

	place := func(key byte, wait time.Duration) (orders.Order, error) {
		return service.Place(t.Context(), orders.PlaceRequest{Caller: "caller", Key: orders.IdempotencyKey{key},
			Request: card("tok_approved"), WaitUntil: time.Now().Add(wait)})
	}
	began := time.Now()
	if _, err := place(1, lease/2); !errors.Is(err, orders.ErrNotStored) || time.Since(began) > 4*lease {
		t.Errorf("while the store was silent: %v after %s", err, time.Since(began))
	}
	store.speaks.Store(true)
	if o, err := place(2, 20*time.Second); err != nil || o.Status != orders.Confirmed {
		t.Errorf("when it was back: %s, %v", o.Status, err)
	}
}
