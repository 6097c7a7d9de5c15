package memory

import (
	"context"
	"slices"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

// States implements orders.Store.
func (s *Store) States(ctx context.Context, r orders.Range) ([]orders.State, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var states []orders.State
	for _, o := range s.orders {
		if matches(&o, orders.Filter{From: r.From, Before: r.Before}) {
			states = append(states, orders.StateOf(&o))
		}
	}
	slices.SortFunc(states, func(a, b orders.State) int { return compareIDs(a.ID, b.ID) })
	return states[:min(r.Limit, len(states))], nil
}
