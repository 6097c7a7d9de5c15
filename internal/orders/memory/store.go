// Package memory keeps orders in memory: the store of tests and of the simulation. It passes the conformance suite of the
// real engines, and can be copied, as a disk is after a crash.
package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

type key struct {
	order       orders.ID
	fingerprint orders.Fingerprint
}

// Store implements orders.Store.
type Store struct {
	mu     sync.Mutex
	rows   map[orders.ID]orders.Row
	events map[orders.ID][]orders.Event
	keys   map[orders.IdempotencyKey]key
}

var _ orders.Store = (*Store)(nil)

// New makes an empty store.
func New() *Store {
	return &Store{rows: make(map[orders.ID]orders.Row), events: make(map[orders.ID][]orders.Event), keys: make(map[orders.IdempotencyKey]key)}
}

// Place implements orders.Store.
func (s *Store) Place(_ context.Context, placements []orders.Placement) ([]orders.Placing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	placings := make([]orders.Placing, len(placements))
	for i, p := range placements {
		existing, ok := s.keys[p.Key]
		if !ok {
			row, err := p.Order.Row()
			if err != nil {
				return nil, err
			}
			s.rows[p.Order.ID] = row
			s.events[p.Order.ID] = slices.Clone(p.Order.Events())
			s.keys[p.Key] = key{p.Order.ID, p.Fingerprint}
			continue
		}
		if existing.order == p.Order.ID {
			continue // the same placement again, after a commit whose answer was lost
		}
		order, err := s.rows[existing.order].Order()
		if err != nil {
			return nil, err
		}
		placings[i] = orders.Placing{Existing: true, Order: order, Fingerprint: existing.fingerprint}
	}
	return placings, nil
}

// Save implements orders.Store.
func (s *Store) Save(_ context.Context, changes []orders.Change) ([]bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	saved := make([]bool, len(changes))
	for i, c := range changes {
		old, ok := s.rows[c.Order.ID]
		if !ok || old.Version != c.FromVersion || old.Lease != c.Order.Lease {
			continue
		}
		row, err := c.Order.Row()
		if err != nil {
			return nil, err
		}
		row.PaymentID, row.Caller, row.Email, row.Request, row.CreatedAt = old.PaymentID, old.Caller, old.Email, old.Request, old.CreatedAt
		s.rows[c.Order.ID] = row
		s.events[c.Order.ID] = append(s.events[c.Order.ID], c.Events...)
		saved[i] = true
	}
	return saved, nil
}

// Get implements orders.Store.
func (s *Store) Get(_ context.Context, ids []orders.ID) ([]orders.Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []orders.Order
	for _, i := range slices.Compact(slices.SortedFunc(slices.Values(ids), compareIDs)) {
		row, ok := s.rows[i]
		if !ok {
			continue
		}
		order, err := row.Order()
		if err != nil {
			return nil, err
		}
		found = append(found, order)
	}
	return found, nil
}

// List implements orders.Store.
func (s *Store) List(_ context.Context, filter orders.Filter) ([]orders.Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var page []orders.Order
	newestFirst := func(a, b orders.ID) int { return compareIDs(b, a) }
	for _, i := range slices.SortedFunc(maps.Keys(s.rows), newestFirst) {
		order, err := s.rows[i].Order()
		if err != nil {
			return nil, err
		}
		if len(page) < filter.Limit && matches(s.rows[i], order, filter) {
			page = append(page, order)
		}
	}
	return page, nil
}

func matches(row orders.Row, order orders.Order, filter orders.Filter) bool {
	hasSKU := func(item orders.Item) bool { return item.SKU == filter.SKU }
	return (filter.Status == "" || row.Status == filter.Status) &&
		(filter.PaymentStatus == "" || row.PaymentStatus == filter.PaymentStatus) &&
		(filter.Email == "" || row.Email == orders.SearchableEmail(filter.Email)) &&
		(filter.SKU == "" || slices.ContainsFunc(order.Items, hasSKU)) &&
		(filter.From.IsZero() || compareIDs(row.ID, filter.From) >= 0) &&
		(filter.Before.IsZero() || compareIDs(row.ID, filter.Before) < 0)
}

func compareIDs(a, b orders.ID) int { return slices.Compare(a[:], b[:]) }

// Events implements orders.Store.
func (s *Store) Events(_ context.Context, order orders.ID) ([]orders.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events[order]), nil
}

// Claim implements orders.Store.
func (s *Store) Claim(_ context.Context, now, leaseUntil time.Time, limit int) ([]orders.Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []orders.Row
	for _, row := range s.rows {
		if row.NextAttemptAt != 0 && row.NextAttemptAt <= now.UnixMicro() {
			due = append(due, row)
		}
	}
	slices.SortFunc(due, func(a, b orders.Row) int {
		return cmp.Or(cmp.Compare(a.NextAttemptAt, b.NextAttemptAt), compareIDs(a.ID, b.ID))
	})
	var claimed []orders.Order
	for _, row := range due[:min(limit, len(due))] {
		row.Lease++
		row.NextAttemptAt = leaseUntil.UnixMicro()
		order, err := row.Order()
		if err != nil {
			return nil, err
		}
		s.rows[row.ID] = row
		claimed = append(claimed, order)
	}
	return claimed, nil
}

// Open implements orders.Store.
func (s *Store) Open(context.Context) (orders.Open, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var open orders.Open
	for _, row := range s.rows {
		if row.PaymentStatus == orders.PaymentUnknown {
			open.PaymentsUnknown++
		}
		switch {
		case row.Status == orders.AwaitingPayment:
			open.AwaitingPayment++
		case row.NextAttemptAt != 0:
			open.Orders++
			if created := time.UnixMicro(row.CreatedAt).UTC(); open.OldestCreatedAt.IsZero() || created.Before(open.OldestCreatedAt) {
				open.OldestCreatedAt = created
			}
		}
	}
	return open, nil
}

// Ping implements orders.Store.
func (s *Store) Ping(context.Context) error { return nil }

// Close implements orders.Store.
func (s *Store) Close() error { return nil }
