//go:build failpoints

package inventoryapp

import (
	"context"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/failpoint"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// mortalStore lets the process die around every write that an order causes.
type mortalStore struct{ inventory.Store }

func underFaults(store inventory.Store) inventory.Store { return mortalStore{store} }

// Hold implements inventory.Store.
func (s mortalStore) Hold(ctx context.Context, holds []inventory.Hold, now time.Time, ids *id.Source) (results []inventory.HoldResult, err error) {
	err = failpoint.InventoryHold.Around(func() error { results, err = s.Store.Hold(ctx, holds, now, ids); return err })
	return results, err
}

// Release implements inventory.Store.
func (s mortalStore) Release(ctx context.Context, releases []inventory.Release, now time.Time, ids *id.Source) error {
	return failpoint.InventoryRelease.Around(func() error { return s.Store.Release(ctx, releases, now, ids) })
}
