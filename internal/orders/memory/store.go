// Package memory keeps orders in memory: the store of tests and of the simulation. It passes the conformance suite of the
// real engines, and refuses what their schemas refuse.
package memory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

type key struct {
	order       orders.ID
	fingerprint orders.Fingerprint
}

// Store implements orders.Store.
type Store struct {
	mu     sync.Mutex
	closed bool
	orders map[orders.ID]orders.Order // without events, and never changed in place
	events map[orders.ID][]orders.Event
	keys   map[orders.IdempotencyKey]key
}

var _ orders.Store = (*Store)(nil)

// New makes an empty store.
func New() *Store {
	return &Store{orders: make(map[orders.ID]orders.Order), events: make(map[orders.ID][]orders.Event), keys: make(map[orders.IdempotencyKey]key)}
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

// Place implements orders.Store.
func (s *Store) Place(ctx context.Context, placements []orders.Placement) ([]orders.Placing, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	placings := make([]orders.Placing, len(placements))
	var inserted []*orders.Placement
	for i := range placements {
		p := &placements[i]
		existing, ok := s.keys[p.Key]
		if !ok {
			if err := s.insert(p); err != nil {
				s.remove(inserted)
				return nil, err
			}
			inserted = append(inserted, p)
		} else if existing.order != p.Order.ID { // otherwise it is the same placement again, after a commit whose answer was lost
			placings[i] = orders.Placing{Existing: true, Order: s.orders[existing.order], Fingerprint: existing.fingerprint}
		}
	}
	return placings, nil
}

func (s *Store) insert(p *orders.Placement) error {
	if _, ok := s.orders[p.Order.ID]; ok {
		return fmt.Errorf("order %s is there under another key", p.Order.ID)
	}
	if p.Order.CreatedAt.UnixMicro() < 0 {
		return fmt.Errorf("order %s was created before 1970", p.Order.ID)
	}
	if err := check(&p.Order, p.Order.Events(), 0); err != nil {
		return err
	}
	s.orders[p.Order.ID] = withoutEvents(&p.Order)
	s.events[p.Order.ID] = slices.Clone(p.Order.Events())
	s.keys[p.Key] = key{p.Order.ID, p.Fingerprint}
	return nil
}

func (s *Store) remove(placements []*orders.Placement) {
	for _, p := range placements {
		delete(s.orders, p.Order.ID)
		delete(s.events, p.Order.ID)
		delete(s.keys, p.Key)
	}
}

// Save implements orders.Store.
func (s *Store) Save(ctx context.Context, changes []orders.Change) ([]bool, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	saved := make([]bool, len(changes))
	named := make(map[orders.ID]struct{}, len(changes))
	for i := range changes {
		c := &changes[i]
		named[c.Order.ID] = struct{}{}
		old, ok := s.orders[c.Order.ID]
		if saved[i] = ok && old.Version == c.FromVersion && old.Lease == c.Order.Lease; !saved[i] {
			continue
		}
		if err := check(&c.Order, c.Events, int64(len(s.events[c.Order.ID]))); err != nil {
			return nil, err
		}
	}
	if len(named) < len(changes) {
		return nil, errors.New("an order stands in a call more than once")
	}
	for i := range changes {
		if saved[i] {
			s.save(&changes[i])
		}
	}
	return saved, nil
}

func (s *Store) save(c *orders.Change) {
	next := s.orders[c.Order.ID]
	next.Status, next.PaymentStatus, next.FulfillmentStatus = c.Order.Status, c.Order.PaymentStatus, c.Order.FulfillmentStatus
	next.Progress, next.Version = c.Order.Progress, c.Order.Version
	next.NextAttemptAt, next.UpdatedAt = c.Order.NextAttemptAt, c.Order.UpdatedAt
	s.orders[c.Order.ID] = next
	s.events[c.Order.ID] = append(s.events[c.Order.ID], c.Events...)
}

var (
	statuses = []orders.Status{orders.Placed, orders.Held, orders.AwaitingPayment, orders.Confirmed, orders.Completed,
		orders.Rejected, orders.Canceled}
	paymentStatuses = []orders.PaymentStatus{orders.PaymentNone, orders.PaymentPending, orders.PaymentAuthorized, orders.PaymentPaid,
		orders.PaymentPartiallyRefunded, orders.PaymentRefunded, orders.PaymentUnknown}
	fulfillmentStatuses = []orders.FulfillmentStatus{orders.Unfulfilled, "partial", "fulfilled", "delivered", "returned"}
)

// check refuses what the schemas refuse. latest is the version of the order's last event in the store.
func check(o *orders.Order, events []orders.Event, latest int64) error {
	due := !o.NextAttemptAt.IsZero() && o.NextAttemptAt.UnixMicro() < 0
	if !slices.Contains(statuses, o.Status) || !slices.Contains(paymentStatuses, o.PaymentStatus) ||
		!slices.Contains(fulfillmentStatuses, o.FulfillmentStatus) || o.Version < 1 || o.Lease < 0 || due || o.UpdatedAt.UnixMicro() < 0 {
		return fmt.Errorf("order %s is not one: %s, %s, %s, version %d, lease %d", o.ID, o.Status, o.PaymentStatus, o.FulfillmentStatus, o.Version, o.Lease)
	}
	for _, e := range events {
		if e.Version <= latest || e.Type == "" || e.At.UnixMicro() < 0 ||
			!slices.Contains(statuses, e.Status) || !slices.Contains(paymentStatuses, e.PaymentStatus) {
			return fmt.Errorf("event %d of order %s is not one, or there", e.Version, e.OrderID)
		}
		latest = e.Version
	}
	return nil
}

// withoutEvents copies what the engines store of an order.
func withoutEvents(o *orders.Order) orders.Order {
	return orders.Order{ID: o.ID, PaymentID: o.PaymentID, Caller: o.Caller, Status: o.Status, PaymentStatus: o.PaymentStatus,
		FulfillmentStatus: o.FulfillmentStatus, Request: o.Request, Progress: o.Progress, Version: o.Version, Lease: o.Lease,
		NextAttemptAt: o.NextAttemptAt, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt}
}

// Get implements orders.Store.
func (s *Store) Get(ctx context.Context, ids []orders.ID) ([]orders.Order, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	found := make([]orders.Order, 0, len(ids))
	for _, i := range slices.Compact(slices.SortedFunc(slices.Values(ids), compareIDs)) {
		if o, ok := s.orders[i]; ok {
			found = append(found, o)
		}
	}
	return found, nil
}

// List implements orders.Store.
func (s *Store) List(ctx context.Context, filter orders.Filter) ([]orders.Order, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var page []orders.Order
	for _, o := range s.orders {
		if matches(&o, filter) {
			page = append(page, o)
		}
	}
	slices.SortFunc(page, func(a, b orders.Order) int { return compareIDs(b.ID, a.ID) })
	return page[:min(filter.Limit, len(page))], nil
}

func matches(o *orders.Order, filter orders.Filter) bool {
	hasSKU := func(item orders.Item) bool { return item.SKU == filter.SKU }
	return (filter.Status == "" || o.Status == filter.Status) &&
		(filter.PaymentStatus == "" || o.PaymentStatus == filter.PaymentStatus) &&
		(filter.Email == "" || orders.SearchableEmail(o.Customer.Email) == orders.SearchableEmail(filter.Email)) &&
		(filter.SKU == "" || slices.ContainsFunc(o.Items, hasSKU)) &&
		(filter.From.IsZero() || compareIDs(o.ID, filter.From) >= 0) &&
		(filter.Before.IsZero() || compareIDs(o.ID, filter.Before) < 0)
}

func compareIDs(a, b orders.ID) int { return bytes.Compare(a[:], b[:]) }

// Events implements orders.Store.
func (s *Store) Events(ctx context.Context, order orders.ID) ([]orders.Event, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	return slices.Clone(s.events[order]), nil
}

// Claim implements orders.Store.
func (s *Store) Claim(ctx context.Context, now, leaseUntil time.Time, limit int) ([]orders.Order, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var due []orders.Order
	for _, o := range s.orders {
		if !o.NextAttemptAt.IsZero() && !o.NextAttemptAt.After(now) {
			due = append(due, o)
		}
	}
	slices.SortFunc(due, func(a, b orders.Order) int {
		return cmp.Or(a.NextAttemptAt.Compare(b.NextAttemptAt), compareIDs(a.ID, b.ID))
	})
	due = due[:min(limit, len(due))]
	for i := range due {
		due[i].Lease++
		due[i].NextAttemptAt = leaseUntil
		s.orders[due[i].ID] = due[i]
	}
	return due, nil
}

// Open implements orders.Store.
func (s *Store) Open(ctx context.Context) (orders.Open, error) {
	if err := s.begin(ctx); err != nil {
		return orders.Open{}, err
	}
	defer s.mu.Unlock()
	var open orders.Open
	for _, o := range s.orders {
		if o.PaymentStatus == orders.PaymentUnknown {
			open.PaymentsUnknown++
		}
		switch {
		case o.Status == orders.AwaitingPayment:
			open.AwaitingPayment++
		case !o.NextAttemptAt.IsZero():
			open.Orders++
			if open.OldestCreatedAt.IsZero() || o.CreatedAt.Before(open.OldestCreatedAt) {
				open.OldestCreatedAt = o.CreatedAt
			}
		}
	}
	return open, nil
}

// Keys are the orders by their idempotency keys, for an auditor.
func (s *Store) Keys() map[orders.IdempotencyKey]orders.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	owners := make(map[orders.IdempotencyKey]orders.ID, len(s.keys))
	for k, owner := range s.keys {
		owners[k] = owner.order
	}
	return owners
}

// Ping implements orders.Store.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	s.mu.Unlock()
	return nil
}

// Close implements orders.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}
