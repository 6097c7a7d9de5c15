package storetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

// model is an orders.Store that is forgotten: what the engines are compared with. It is written to be read,
// not to be fast, and passes the suite itself.
type model struct {
	mu     sync.Mutex
	rows   map[orders.ID]orders.Row
	orders map[orders.ID]orders.Order // rows as they are read
	events map[orders.ID][]orders.Event
	skus   map[orders.ID][]string
	keys   map[orders.IdempotencyKey]entry
	closed bool
}

type entry struct {
	order       orders.ID
	fingerprint orders.Fingerprint
}

var _ orders.Store = (*model)(nil)

// newModel makes an empty one.
func newModel() *model {
	return &model{rows: map[orders.ID]orders.Row{}, orders: map[orders.ID]orders.Order{}, events: map[orders.ID][]orders.Event{}, skus: map[orders.ID][]string{},
		keys: map[orders.IdempotencyKey]entry{}}
}

var errInvalid = errors.New("row violates a constraint")

// write runs fn on the store, and on an error leaves the store as it was.
func (m *model) write(ctx context.Context, fn func() error) error {
	return m.read(ctx, func() error {
		rows, read, events, keys := maps.Clone(m.rows), maps.Clone(m.orders), maps.Clone(m.events), maps.Clone(m.keys)
		err := fn()
		if err != nil {
			m.rows, m.orders, m.events, m.keys = rows, read, events, keys
		}
		return err
	})
}

// read runs fn on the store, alone.
func (m *model) read(ctx context.Context, fn func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return fault.Transient(errors.New("store is closed"))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return fn()
}

// Place implements orders.Store.
func (m *model) Place(ctx context.Context, placements []orders.Placement) (placings []orders.Placing, err error) {
	err = m.write(ctx, func() error {
		for _, p := range placements {
			placing, err := m.place(p)
			if err != nil {
				return fmt.Errorf("place order %s: %w", p.Order.ID, err)
			}
			placings = append(placings, placing)
		}
		return nil
	})
	return placings, err
}

func (m *model) place(p orders.Placement) (orders.Placing, error) {
	if known, ok := m.keys[p.Key]; ok {
		if known.order == p.Order.ID {
			return orders.Placing{}, nil
		}
		return orders.Placing{Existing: true, Order: m.orders[known.order], Fingerprint: known.fingerprint}, nil
	}
	row, err := p.Order.Row()
	if err != nil {
		return orders.Placing{}, err
	}
	if _, taken := m.rows[row.ID]; taken || row.CreatedAt < 0 {
		return orders.Placing{}, errInvalid
	}
	m.keys[p.Key] = entry{row.ID, p.Fingerprint}
	m.skus[row.ID] = p.Order.SKUs()
	return orders.Placing{}, m.put(row, p.Order.Events())
}

// put stores a row and its events, as far as a schema's constraints allow.
func (m *model) put(row orders.Row, events []orders.Event) error {
	_, status := orders.Transitions[row.Status]
	if !status || !slices.Contains(paymentStatuses, row.PaymentStatus) || !slices.Contains(fulfillments, row.FulfillmentStatus) ||
		row.Version < 1 || min(row.Lease, row.NextAttemptAt, row.UpdatedAt) < 0 {
		return errInvalid
	}
	if err := m.set(row); err != nil {
		return err
	}
	for _, e := range events {
		_, status := orders.Transitions[e.Status]
		taken := slices.ContainsFunc(m.events[row.ID], func(old orders.Event) bool { return old.Version == e.Version })
		if !status || taken || e.Type == "" || e.At.UnixMicro() < 0 {
			return errInvalid
		}
		m.events[row.ID] = append(slices.Clone(m.events[row.ID]), e)
	}
	return nil
}

func (m *model) set(row orders.Row) (err error) {
	m.rows[row.ID] = row
	m.orders[row.ID], err = row.Order()
	return err
}

var (
	paymentStatuses = []orders.PaymentStatus{orders.PaymentNone, orders.PaymentPending, orders.PaymentAuthorized, orders.PaymentPaid,
		orders.PaymentPartiallyRefunded, orders.PaymentRefunded, orders.PaymentUnknown}
	fulfillments = []orders.FulfillmentStatus{orders.Unfulfilled, "partial", "fulfilled", "delivered", "returned"}
)

// Save implements orders.Store.
func (m *model) Save(ctx context.Context, changes []orders.Change) (saved []bool, err error) {
	err = m.write(ctx, func() error {
		for _, c := range changes {
			ok, err := m.save(c)
			if err != nil {
				return fmt.Errorf("save order %s: %w", c.Order.ID, err)
			}
			saved = append(saved, ok)
		}
		return nil
	})
	return saved, err
}

func (m *model) save(c orders.Change) (bool, error) {
	row, ok := m.rows[c.Order.ID]
	if !ok || row.Version != c.FromVersion || row.Lease != c.Order.Lease {
		return false, nil
	}
	next, err := c.Order.StateRow()
	if err != nil {
		return false, err
	}
	row.Status, row.PaymentStatus, row.FulfillmentStatus = next.Status, next.PaymentStatus, next.FulfillmentStatus
	row.Progress, row.Version = next.Progress, next.Version
	row.NextAttemptAt, row.UpdatedAt = next.NextAttemptAt, next.UpdatedAt
	return true, m.put(row, c.Events)
}

// Get implements orders.Store.
func (m *model) Get(ctx context.Context, ids []orders.ID) (found []orders.Order, err error) {
	err = m.read(ctx, func() error {
		found = m.selected(func(o orders.Order) bool { return slices.Contains(ids, o.ID) })
		return nil
	})
	return found, err
}

// selected reads the orders that keep picks, newest first.
func (m *model) selected(keep func(orders.Order) bool) (found []orders.Order) {
	for _, order := range m.orders {
		if keep(order) {
			found = append(found, order)
		}
	}
	slices.SortFunc(found, func(a, b orders.Order) int { return bytes.Compare(b.ID[:], a.ID[:]) })
	return found
}

// List implements orders.Store.
func (m *model) List(ctx context.Context, filter orders.Filter) (page []orders.Order, err error) {
	err = m.read(ctx, func() error {
		page = choose(m.selected(func(o orders.Order) bool { return matches(o, filter) }), filter)
		return nil
	})
	return page, err
}

func (m *model) States(ctx context.Context, r orders.Range) (states []orders.State, err error) {
	err = m.read(ctx, func() error {
		all := m.selected(func(o orders.Order) bool { return matches(o, orders.Filter{From: r.From, Before: r.Before}) })
		for _, o := range slices.Backward(all) {
			if len(states) < r.Limit {
				states = append(states, orders.StateOf(&o))
			}
		}
		return nil
	})
	return states, err
}

// choose is what a filter means, of orders that are newest first.
func choose(all []orders.Order, f orders.Filter) (page []orders.Order) {
	for _, o := range all {
		if len(page) < f.Limit && matches(o, f) {
			page = append(page, o)
		}
	}
	return page
}

func matches(o orders.Order, f orders.Filter) bool {
	return (f.Status == "" || o.Status == f.Status) &&
		(f.PaymentStatus == "" || o.PaymentStatus == f.PaymentStatus) &&
		(f.Email == "" || orders.SearchableEmail(o.Customer.Email) == orders.SearchableEmail(f.Email)) &&
		(f.SKU == "" || slices.ContainsFunc(o.Items, func(i orders.Item) bool { return i.SKU == f.SKU })) &&
		bytes.Compare(o.ID[:], f.From[:]) >= 0 &&
		(f.Before.IsZero() || bytes.Compare(o.ID[:], f.Before[:]) < 0)
}

// Events implements orders.Store.
func (m *model) Events(ctx context.Context, order orders.ID) (events []orders.Event, err error) {
	err = m.read(ctx, func() error {
		events = slices.Clone(m.events[order])
		return nil
	})
	return events, err
}

// Claim implements orders.Store.
func (m *model) Claim(ctx context.Context, now, leaseUntil time.Time, limit int) (claimed []orders.Order, err error) {
	err = m.read(ctx, func() error {
		due := m.selected(func(o orders.Order) bool { return !o.NextAttemptAt.IsZero() && !o.NextAttemptAt.After(now) })
		slices.SortFunc(due, func(a, b orders.Order) int {
			return cmp.Or(a.NextAttemptAt.Compare(b.NextAttemptAt), bytes.Compare(a.ID[:], b.ID[:]))
		})
		for _, o := range due[:min(limit, len(due))] {
			row := m.rows[o.ID]
			row.Lease++
			row.NextAttemptAt = leaseUntil.UnixMicro()
			if err := m.set(row); err != nil {
				return err
			}
			claimed = append(claimed, m.orders[o.ID])
		}
		return nil
	})
	return claimed, err
}

// Open implements orders.Store.
func (m *model) Open(ctx context.Context) (open orders.Open, err error) {
	err = m.read(ctx, func() error {
		for _, o := range m.orders {
			switch {
			case o.Status == orders.AwaitingPayment:
				open.AwaitingPayment++
			case !o.NextAttemptAt.IsZero():
				open.Orders++
				if open.OldestCreatedAt.IsZero() || o.CreatedAt.Before(open.OldestCreatedAt) {
					open.OldestCreatedAt = o.CreatedAt
				}
			}
			if o.PaymentStatus == orders.PaymentUnknown {
				open.PaymentsUnknown++
			}
		}
		return nil
	})
	return open, err
}

// Ping implements orders.Store.
func (m *model) Ping(ctx context.Context) error { return m.read(ctx, func() error { return nil }) }

// Close implements orders.Store.
func (m *model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}
