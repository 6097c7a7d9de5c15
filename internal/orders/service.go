package orders

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// Service is what the orders service can do.
type Service struct {
	*Saga
	catalogue *catalogue
}

// New makes a service.
func New(cfg Config, store Store, inventory Inventory, payments Payments, clock clock.Clock, ids *id.Source, log *slog.Logger) (*Service, error) {
	saga, err := newSaga(cfg, store, inventory, payments, clock, ids, log)
	if err != nil {
		return nil, err
	}
	return &Service{Saga: saga, catalogue: newCatalogue(inventory)}, nil
}

// PlaceRequest asks for an order.
type PlaceRequest struct {
	Caller      string
	Key         IdempotencyKey
	Fingerprint Fingerprint
	Request     Request
	// Async answers as soon as the order is durable.
	Async bool
	// WaitUntil is when the caller stops waiting.
	WaitUntil time.Time
}

// Place makes an order durable and drives it until it is decided, or the caller stops waiting: then, and with Async, the
// order is answered as it was last seen, and goes on. A repeated key answers the first order. Errors: UnknownSKUError,
// ErrKeyReused, ErrOverloaded, ErrNotStored, those of the inventory port while a SKU is looked up, or the end of ctx —
// an order that is durable goes on all the same.
func (s *Service) Place(ctx context.Context, request PlaceRequest) (Order, error) {
	if err := s.catalogue.check(ctx, request.Request.Items); err != nil {
		return Order{}, err
	}
	f := newFlight(NewOrder(id.New[Order](s.ids), id.New[payment](s.ids), request.Caller, request.Request, s.clock.Now()))
	f.key, f.fingerprint, f.staleAt = request.Key, request.Fingerprint, request.WaitUntil
	f.durable = make(chan struct{})
	if !s.admit() {
		return Order{}, ErrOverloaded
	}
	if err := s.place.Submit(f); err != nil {
		s.land()
		return Order{}, ErrOverloaded
	}
	select {
	case <-f.durable:
	case <-ctx.Done():
		return Order{}, ctx.Err()
	}
	if request.Async {
		return s.acceptedNow(f)
	}
	return s.wait(ctx, f, request.WaitUntil)
}

// acceptedNow answers with the order as it became durable.
func (s *Service) acceptedNow(f *flight) (Order, error) {
	select {
	case <-f.done:
		return f.order, f.err
	default:
		return f.accepted, nil
	}
}

func (s *Service) wait(ctx context.Context, f *flight, until time.Time) (Order, error) {
	patience := time.NewTimer(until.Sub(s.clock.Now()))
	defer patience.Stop()
	select {
	case <-f.done:
		return f.order, f.err
	case <-patience.C:
		return f.accepted, nil
	case <-ctx.Done():
		return Order{}, ctx.Err()
	}
}

// Cancel ends an order and gives back its stock and its money. It answers when that is done, or at the time given with
// the order as it is then. Errors: ErrNotFound, ErrNotCancelable, ErrOverloaded, those of the store.
func (s *Service) Cancel(ctx context.Context, order ID, reason string, until time.Time) (Order, error) {
	const tries = 5 // each conflict means that the order has moved on, and it has few moves
	for range tries {
		current, err := s.Get(ctx, order)
		if err != nil {
			return Order{}, err
		}
		f := newFlight(current)
		if err := f.order.Cancel(reason, s.clock.Now()); err != nil {
			return current, err
		}
		if f.order.Version == current.Version {
			return current, nil
		}
		f.dirty = true
		f.accepted = current
		f.leaseUntil = s.clock.Now().Add(s.cfg.Lease)
		if !s.admit() {
			return Order{}, ErrOverloaded
		}
		s.dispatch(f)
		canceled, err := s.wait(ctx, f, until)
		if err != nil || canceled.Status == Canceled {
			return canceled, err
		}
		if !s.clock.Now().Before(until) { // it may be durable, and only what it owes takes longer
			if canceled, err = s.Get(ctx, order); err != nil || canceled.Status == Canceled {
				return canceled, err
			}
			break
		}
	}
	return Order{}, fmt.Errorf("cancel order %s: %w", order, ErrSuperseded)
}

// Get reads an order, or ErrNotFound.
func (s *Service) Get(ctx context.Context, order ID) (Order, error) {
	orders, err := s.store.Get(ctx, []ID{order})
	if err != nil {
		return Order{}, fmt.Errorf("read order %s: %w", order, err)
	}
	if len(orders) == 0 {
		return Order{}, ErrNotFound
	}
	return orders[0], nil
}

// List reads a page of orders.
func (s *Service) List(ctx context.Context, filter Filter) ([]Order, error) {
	orders, err := s.store.List(ctx, filter)
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	return orders, nil
}

// Events reads an order's timeline, or ErrNotFound.
func (s *Service) Events(ctx context.Context, order ID) ([]Event, error) {
	events, err := s.store.Events(ctx, order)
	if err != nil {
		return nil, fmt.Errorf("read events of order %s: %w", order, err)
	}
	if len(events) == 0 {
		return nil, ErrNotFound
	}
	return events, nil
}

// OpenOrders counts what is not done.
func (s *Service) OpenOrders(ctx context.Context) (Open, error) { return s.store.Open(ctx) }

// InFlight is the number of orders that this process drives now.
func (s *Saga) InFlight() int64 { return s.inFlight.Load() }

// Ready tells whether the service can work now.
func (s *Service) Ready(ctx context.Context) error { return s.store.Ping(ctx) }
