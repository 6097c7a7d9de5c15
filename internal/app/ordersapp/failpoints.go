//go:build failpoints

package ordersapp

import (
	"context"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/failpoint"
)

// mortalStore lets the process die around every write.
type mortalStore struct{ orders.Store }

func underFaults(store orders.Store) orders.Store { return mortalStore{store} }

// Place implements orders.Store.
func (s mortalStore) Place(ctx context.Context, placements []orders.Placement) (placings []orders.Placing, err error) {
	err = failpoint.OrdersPlace.Around(func() error { placings, err = s.Store.Place(ctx, placements); return err })
	return placings, err
}

// Save implements orders.Store.
func (s mortalStore) Save(ctx context.Context, changes []orders.Change) (saved []bool, err error) {
	err = failpoint.OrdersSave.Around(func() error { saved, err = s.Store.Save(ctx, changes); return err })
	return saved, err
}

// Claim implements orders.Store. A claim of nothing is no place to die at: it comes four times a second.
func (s mortalStore) Claim(ctx context.Context, now, leaseUntil time.Time, limit int) ([]orders.Order, error) {
	claimed, err := s.Store.Claim(ctx, now, leaseUntil, limit)
	if err != nil || len(claimed) == 0 {
		return claimed, err
	}
	return claimed, failpoint.OrdersClaim.Around(func() error { return nil })
}
