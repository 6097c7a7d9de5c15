package inventory

import (
	"context"
	"fmt"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// Service is the inventory's rules over a store.
type Service struct {
	store Store
	clock clock.Clock
	ids   *id.Source
}

// New makes a service.
func New(store Store, clock clock.Clock, ids *id.Source) *Service {
	return &Service{store: store, clock: clock, ids: ids}
}

// PutItem creates an item or changes its name, price and threshold.
func (s *Service) PutItem(ctx context.Context, item Item) (Item, error) {
	item.CreatedAt = s.clock.Now()
	item.UpdatedAt = item.CreatedAt
	item, err := s.store.PutItem(ctx, item)
	if err != nil {
		return Item{}, fmt.Errorf("put item %s: %w", item.SKU, err)
	}
	return item, nil
}

// Item reads one item, or ErrNotFound.
func (s *Service) Item(ctx context.Context, sku SKU) (Item, error) {
	items, err := s.store.Items(ctx, []SKU{sku})
	if err != nil {
		return Item{}, fmt.Errorf("read item %s: %w", sku, err)
	}
	if len(items) == 0 {
		return Item{}, ErrNotFound
	}
	return items[0], nil
}

// lowStockLook is how many items a page looks at for those whose stock is low: some milliseconds. No index has them, which each
// hold would have to write.
const lowStockLook = 10_000

// ListItems reads a page of items, and tells after which SKU the next one begins: none after the last. Of low stock a page may be
// short, and even empty, and not be the last.
func (s *Service) ListItems(ctx context.Context, filter ItemFilter) (items []Item, next SKU, err error) {
	limit := filter.Limit
	filter.Limit++ // one more tells whether there is a next page
	if filter.LowStock {
		if filter.UpTo, err = s.store.Edge(ctx, filter.After, lowStockLook); err != nil {
			return nil, "", fmt.Errorf("list items: %w", err)
		}
	}
	if items, err = s.store.ListItems(ctx, filter); err != nil {
		return nil, "", fmt.Errorf("list items: %w", err)
	}
	if len(items) > limit {
		return items[:limit], items[limit-1].SKU, nil
	}
	return items, filter.UpTo, nil
}

// ListMovements reads a page of an item's movements, or ErrNotFound.
func (s *Service) ListMovements(ctx context.Context, filter MovementFilter) ([]Movement, error) {
	movements, err := s.store.ListMovements(ctx, filter)
	if err != nil {
		return nil, fmt.Errorf("list movements of %s: %w", filter.SKU, err)
	}
	if len(movements) == 0 {
		_, err = s.Item(ctx, filter.SKU)
	}
	return movements, err
}

// Adjust adds or removes units, once a key. Errors: those of Store.Adjust.
func (s *Service) Adjust(ctx context.Context, request NewAdjustment) (Adjustment, error) {
	request.Adjustment.ID = id.New[adjustment](s.ids)
	request.Adjustment.CreatedAt = s.clock.Now()
	made, err := s.store.Adjust(ctx, request, s.ids)
	if err != nil {
		return Adjustment{}, fmt.Errorf("adjust stock of %s: %w", request.Adjustment.SKU, err)
	}
	return made, nil
}

// Known returns those of skus that exist.
func (s *Service) Known(ctx context.Context, skus []SKU) ([]SKU, error) {
	items, err := s.store.Items(ctx, skus)
	if err != nil {
		return nil, fmt.Errorf("look items up: %w", err)
	}
	known := make([]SKU, len(items))
	for i, item := range items {
		known[i] = item.SKU
	}
	return known, nil
}

// Hold holds stock for a batch of orders and answers one result a hold, in order. After an error, repeating is safe.
func (s *Service) Hold(ctx context.Context, holds []Hold) ([]HoldResult, error) {
	results, err := s.store.Hold(ctx, holds, s.clock.Now(), s.ids)
	if err != nil {
		return nil, fmt.Errorf("hold stock for %d orders, first %s: %w", len(holds), holds[0].OrderID, err)
	}
	return results, nil
}

// Release gives back what orders hold. All are released, or none and an error: repeating is safe.
func (s *Service) Release(ctx context.Context, releases []Release) error {
	if err := s.store.Release(ctx, releases, s.clock.Now(), s.ids); err != nil {
		return fmt.Errorf("release stock of %d orders, first %s: %w", len(releases), releases[0].OrderID, err)
	}
	return nil
}

// Rounds reads what a range of orders hold and have held.
func (s *Service) Rounds(ctx context.Context, r Range) ([]HoldState, error) {
	rounds, err := s.store.Rounds(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("read the rounds of orders: %w", err)
	}
	return rounds, nil
}

// Imbalances finds items whose stock, movements and holds disagree.
func (s *Service) Imbalances(ctx context.Context, limit int) ([]Imbalance, error) {
	imbalances, err := s.store.Imbalances(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("compare stock with its movements: %w", err)
	}
	return imbalances, nil
}

// Stock sums the stock of all items.
func (s *Service) Stock(ctx context.Context) (Stock, error) { return s.store.Stock(ctx) }

// Ready tells whether the service can work now.
func (s *Service) Ready(ctx context.Context) error { return s.store.Ping(ctx) }
