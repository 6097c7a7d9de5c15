// Package memory keeps the inventory in memory: the store of the simulation. It passes the conformance suite of the real engines.
package memory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

type round struct {
	order  inventory.OrderID
	number int
}

type adjusted struct {
	made        inventory.Adjustment
	fingerprint inventory.Fingerprint
}

// Store implements inventory.Store.
type Store struct {
	mu        sync.Mutex
	closed    bool
	items     map[inventory.SKU]inventory.Item
	holds     map[round]inventory.HoldState
	movements map[inventory.MovementID]inventory.Movement
	keys      map[inventory.IdempotencyKey]adjusted
}

var _ inventory.Store = (*Store)(nil)

// New makes an empty store.
func New() *Store {
	return &Store{items: make(map[inventory.SKU]inventory.Item), holds: make(map[round]inventory.HoldState),
		movements: make(map[inventory.MovementID]inventory.Movement), keys: make(map[inventory.IdempotencyKey]adjusted)}
}

// begin locks the store for a transaction; the caller unlocks it unless there is an error.
func (s *Store) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.Transient(err)
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errors.New("store is closed")
	}
	return nil
}

// PutItem implements inventory.Store.
func (s *Store) PutItem(ctx context.Context, item inventory.Item) (inventory.Item, error) {
	if err := s.begin(ctx); err != nil {
		return inventory.Item{}, err
	}
	defer s.mu.Unlock()
	if item.Price <= 0 || item.LowStockThreshold < 0 {
		return inventory.Item{}, fmt.Errorf("item %s: price %d, threshold %d", item.SKU, item.Price, item.LowStockThreshold)
	}
	stored, ok := s.items[item.SKU]
	if !ok {
		stored = inventory.Item{SKU: item.SKU, CreatedAt: item.CreatedAt}
	}
	stored.Name, stored.Price, stored.LowStockThreshold, stored.UpdatedAt = item.Name, item.Price, item.LowStockThreshold, item.UpdatedAt
	s.items[item.SKU] = stored
	return stored, nil
}

// Items implements inventory.Store.
func (s *Store) Items(ctx context.Context, skus []inventory.SKU) ([]inventory.Item, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	return s.some(skus), nil
}

func (s *Store) some(skus []inventory.SKU) (found []inventory.Item) {
	for _, sku := range slices.Compact(slices.Sorted(slices.Values(skus))) {
		if item, ok := s.items[sku]; ok {
			found = append(found, item)
		}
	}
	return found
}

// ListItems implements inventory.Store.
func (s *Store) ListItems(ctx context.Context, filter inventory.ItemFilter) (page []inventory.Item, err error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	for _, sku := range slices.Sorted(maps.Keys(s.items)) {
		item := s.items[sku]
		if len(page) < filter.Limit && sku > filter.After && sku <= filter.End() && (!filter.LowStock || item.Available() <= item.LowStockThreshold) {
			page = append(page, item)
		}
	}
	return page, nil
}

// Edge implements inventory.Store.
func (s *Store) Edge(ctx context.Context, after inventory.SKU, n int) (edge inventory.SKU, err error) {
	if err := s.begin(ctx); err != nil {
		return "", err
	}
	defer s.mu.Unlock()
	for _, sku := range slices.Sorted(maps.Keys(s.items)) {
		if sku <= after {
			continue
		}
		if n == 0 {
			return edge, nil
		}
		edge = sku
		n--
	}
	return "", nil
}

// ListMovements implements inventory.Store.
func (s *Store) ListMovements(ctx context.Context, filter inventory.MovementFilter) (page []inventory.Movement, err error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	next := s.items[filter.SKU].LastMovement
	if !filter.Before.IsZero() {
		before := s.movements[filter.Before]
		if before.SKU != filter.SKU {
			return nil, nil
		}
		next = before.Previous
	}
	for ; len(page) < filter.Limit && !next.IsZero(); next = s.movements[next].Previous {
		page = append(page, s.movements[next])
	}
	return page, nil
}

// Adjust implements inventory.Store.
func (s *Store) Adjust(ctx context.Context, request inventory.NewAdjustment, ids *id.Source) (inventory.Adjustment, error) {
	if err := s.begin(ctx); err != nil {
		return inventory.Adjustment{}, err
	}
	defer s.mu.Unlock()
	if known, ok := s.keys[request.Key]; ok {
		if known.fingerprint != request.Fingerprint {
			return inventory.Adjustment{}, inventory.ErrKeyReused
		}
		return known.made, nil
	}
	item, ok := s.items[request.Adjustment.SKU]
	if !ok {
		return inventory.Adjustment{}, inventory.ErrNotFound
	}
	made, movement, err := inventory.DecideAdjustment(item, request, ids)
	if err != nil {
		return inventory.Adjustment{}, err
	}
	s.keys[request.Key] = adjusted{made, request.Fingerprint}
	return made, s.write(inventory.Decision{Movements: []inventory.Movement{movement}, Changes: []inventory.Change{movement.Change()}}, made.CreatedAt)
}

// Hold implements inventory.Store.
func (s *Store) Hold(ctx context.Context, holds []inventory.Hold, now time.Time, ids *id.Source) ([]inventory.HoldResult, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	known := s.rounds(len(holds), func(i int) round { return round{holds[i].OrderID, holds[i].Round} })
	decision := inventory.DecideHolds(s.some(inventory.HoldSKUs(holds)), known, holds, now, ids)
	return decision.Results, s.write(decision, now)
}

// Release implements inventory.Store.
func (s *Store) Release(ctx context.Context, releases []inventory.Release, now time.Time, ids *id.Source) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	known := s.rounds(len(releases), func(i int) round { return round{releases[i].OrderID, releases[i].Round} })
	return s.write(inventory.DecideReleases(s.some(inventory.HeldSKUs(known)), known, releases, now, ids), now)
}

func (s *Store) rounds(n int, key func(int) round) (known []inventory.HoldState) {
	for i := range n {
		if state, ok := s.holds[key(i)]; ok {
			known = append(known, state)
		}
	}
	return known
}

// write refuses what the schemas of the real engines refuse.
func (s *Store) write(decision inventory.Decision, now time.Time) error {
	for _, change := range decision.Changes {
		item := s.items[change.SKU]
		if held, onHand := item.Held+change.HeldDelta, item.OnHand+change.OnHandDelta; held < 0 || held > onHand {
			return fmt.Errorf("item %s: %d held of %d on hand", change.SKU, held, onHand)
		}
	}
	for _, change := range decision.Changes {
		item := s.items[change.SKU]
		item.OnHand += change.OnHandDelta
		item.Held += change.HeldDelta
		item.LastMovement, item.UpdatedAt = change.LastMovement, now
		s.items[change.SKU] = item
	}
	for _, state := range decision.States {
		s.holds[round{state.OrderID, state.Round}] = state
	}
	for _, m := range decision.Movements {
		s.movements[m.ID] = m
	}
	return nil
}

// HeldRounds are the rounds that hold units now, for an auditor.
func (s *Store) HeldRounds() (held []inventory.HoldState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, state := range s.holds {
		if !state.Released {
			held = append(held, state)
		}
	}
	return held
}

// Stock implements inventory.Store.
func (s *Store) Stock(ctx context.Context) (inventory.Stock, error) {
	if err := s.begin(ctx); err != nil {
		return inventory.Stock{}, err
	}
	defer s.mu.Unlock()
	stock := inventory.Stock{Items: int64(len(s.items))}
	for _, item := range s.items {
		stock.OnHand += item.OnHand
		stock.Held += item.Held
	}
	return stock, nil
}

// Ping implements inventory.Store.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	s.mu.Unlock()
	return nil
}

// Close implements inventory.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}
