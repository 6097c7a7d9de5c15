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

// Ticket is an order on its way.
type Ticket struct {
	flight *flight
	saga   *Saga
}

// Durable is closed when the order is in the store, or never will be. It is nil for a cancellation.
func (t Ticket) Durable() <-chan struct{} { return t.flight.durable }

// Done is closed when the order is decided, or left to another process.
func (t Ticket) Done() <-chan struct{} { return t.flight.done }

// Result is the order as it is known to be stored: after Done as it was decided, after Durable as it was accepted.
func (t Ticket) Result() (Order, error) {
	select {
	case <-t.flight.done:
		return t.flight.order, t.flight.err
	default:
		return t.flight.accepted, nil
	}
}

// wait returns the result when it is decided, or what is known when the caller stops waiting.
func (t Ticket) wait(ctx context.Context, until time.Time) (Order, error) {
	patience := time.NewTimer(until.Sub(t.saga.clock.Now()))
	defer patience.Stop()
	return t.waitFor(ctx, patience)
}

func (t Ticket) waitFor(ctx context.Context, patience *time.Timer) (Order, error) {
	select {
	case <-t.flight.done:
	case <-patience.C:
	case <-ctx.Done():
		return Order{}, ctx.Err()
	}
	return t.Result()
}

// Submit takes an order in and returns at once. Errors: UnknownSKUError, ErrOverloaded, those of the inventory port while
// a SKU is looked up. What happens later is in the ticket's Result: also ErrKeyReused and ErrNotStored.
func (s *Service) Submit(ctx context.Context, request PlaceRequest) (Ticket, error) {
	if err := s.catalogue.check(ctx, request.Request.Items); err != nil {
		return Ticket{}, err
	}
	orderID := id.New[Order](s.ids)
	// Placed at the time in its id: lists are cut by ids, and a bound that was read off an order must cut exactly there.
	order := NewOrder(orderID, id.New[payment](s.ids), request.Caller, request.Request, orderID.Time())
	f := newFlight(order)
	f.key, f.fingerprint, f.staleAt = request.Key, request.Fingerprint, request.WaitUntil
	f.durable = make(chan struct{})
	if s.cfg.Traces != nil {
		f.trace = s.cfg.Traces.Of(ctx)
	}
	if !s.admit() {
		return Ticket{}, ErrOverloaded
	}
	if err := s.place.Submit(f); err != nil {
		s.land()
		return Ticket{}, ErrOverloaded
	}
	return Ticket{f, s.Saga}, nil
}

// Place makes an order durable and drives it until it is decided, or the caller stops waiting: then, and with Async, the
// order is answered as it was last seen, and goes on. A repeated key answers the first order. A store that does not answer is
// waited for by a lease longer, and then the error is ErrNotStored. Other errors: those of Submit and of its ticket, or the
// end of ctx — an order that is durable goes on all the same.
func (s *Service) Place(ctx context.Context, request PlaceRequest) (Order, error) {
	ticket, err := s.Submit(ctx, request)
	if err != nil {
		return Order{}, err
	}
	left := request.WaitUntil.Sub(s.clock.Now())
	patience := time.NewTimer(left + s.cfg.Lease) // what was begun in time is not given up because the store is slow
	defer patience.Stop()
	select {
	case <-ticket.Durable():
	case <-patience.C:
		return Order{}, ErrNotStored
	case <-ctx.Done():
		return Order{}, ctx.Err()
	}
	if _, err := ticket.Result(); err != nil || request.Async {
		return ticket.flight.accepted, err
	}
	patience.Reset(request.WaitUntil.Sub(s.clock.Now()))
	return ticket.waitFor(ctx, patience)
}

// SubmitCancel begins to cancel an order and returns at once; the ticket's Result is the order as it was until the
// cancellation is stored. It also returns the order as it was found. Errors: ErrNotFound, ErrNotCancelable, ErrOverloaded,
// those of the store.
func (s *Service) SubmitCancel(ctx context.Context, order ID, reason string) (ticket Ticket, current Order, err error) {
	current, err = s.Get(ctx, order)
	if err != nil {
		return Ticket{}, Order{}, err
	}
	f := newFlight(current)
	if err := f.order.Cancel(reason, s.clock.Now()); err != nil {
		return Ticket{}, current, err
	}
	f.accepted = current
	f.dirty = f.order.Version != current.Version
	f.leaseUntil = s.clock.Now().Add(s.cfg.Lease)
	if !s.admit() {
		return Ticket{}, Order{}, ErrOverloaded
	}
	if f.dirty {
		s.dispatch(f)
	} else {
		s.finish(f)
	}
	return Ticket{f, s.Saga}, current, nil
}

// Cancel ends an order and gives back its stock and its money. It answers when that is done, or at the time given with
// the order as it is then. Errors: those of SubmitCancel, ErrSuperseded.
func (s *Service) Cancel(ctx context.Context, order ID, reason string, until time.Time) (Order, error) {
	const tries = 5 // each conflict means that the order has moved on, and it has few moves
	for range tries {
		ticket, current, err := s.SubmitCancel(ctx, order, reason)
		if err != nil {
			return current, err
		}
		canceled, err := ticket.wait(ctx, until)
		if err != nil || canceled.canceledForGood() {
			return canceled, err
		}
		if s.clock.Now().Before(until) {
			continue
		}
		// It may be stored, and only what it owes takes longer.
		if canceled, err = s.Get(ctx, order); err != nil || canceled.canceledForGood() {
			return canceled, err
		}
		break
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

// States reads what became of a range of orders.
func (s *Service) States(ctx context.Context, r Range) ([]State, error) {
	states, err := s.store.States(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("read the states of orders: %w", err)
	}
	return states, nil
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
