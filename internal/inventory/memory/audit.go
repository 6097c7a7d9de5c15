package memory

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
)

// Rounds implements inventory.Store.
func (s *Store) Rounds(ctx context.Context, r inventory.Range) ([]inventory.HoldState, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var rounds []inventory.HoldState
	for _, state := range s.holds {
		id := state.OrderID
		if bytes.Compare(id[:], r.From[:]) >= 0 && (r.Before.IsZero() || bytes.Compare(id[:], r.Before[:]) < 0) {
			rounds = append(rounds, state)
		}
	}
	slices.SortFunc(rounds, func(a, b inventory.HoldState) int {
		return cmp.Or(bytes.Compare(a.OrderID[:], b.OrderID[:]), cmp.Compare(a.Round, b.Round))
	})
	return rounds[:min(r.Limit, len(rounds))], nil
}

// Imbalances implements inventory.Store.
func (s *Store) Imbalances(ctx context.Context, limit int) (found []inventory.Imbalance, err error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	sums := make(map[inventory.SKU]inventory.Imbalance)
	add := func(sku inventory.SKU, to func(*inventory.Imbalance)) {
		sum := sums[sku]
		sum.SKU = sku
		to(&sum)
		sums[sku] = sum
	}
	for _, item := range s.items {
		add(item.SKU, func(i *inventory.Imbalance) { i.OnHand, i.Held = item.OnHand, item.Held })
	}
	for _, m := range s.movements {
		add(m.SKU, func(i *inventory.Imbalance) { i.MovedOnHand += m.OnHandDelta; i.MovedHeld += m.HeldDelta })
	}
	for _, state := range s.holds {
		for _, line := range state.Lines {
			if !state.Released {
				add(line.SKU, func(i *inventory.Imbalance) { i.OrdersHold += line.Quantity })
			}
		}
	}
	for _, sku := range slices.Sorted(maps.Keys(sums)) {
		if sum := sums[sku]; !sum.Balanced() && len(found) < limit {
			found = append(found, sum)
		}
	}
	return found, nil
}
