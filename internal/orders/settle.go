package orders

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/batch"
)

// The errors of a placement.
var (
	// ErrOverloaded says that the order was not taken, and is not stored: send it again later.
	ErrOverloaded = errors.New("too many orders under way")
	// ErrKeyReused says that the idempotency key came with another body before.
	ErrKeyReused = errors.New("idempotency key was used with another request")
	// ErrNotStored says that the store failed: the order may or may not be there. The same key finds out.
	ErrNotStored = errors.New("order could not be stored")
)

// placeBatch makes orders durable. What comes after is promised from here on.
func (s *Saga) placeBatch(ctx context.Context, flights []*flight) {
	now := s.clock.Now()
	fresh := make([]*flight, 0, len(flights))
	for _, f := range flights {
		if now.After(f.staleAt) {
			s.refuse(f, ErrOverloaded)
			continue
		}
		f.order.NextAttemptAt = now.Add(s.cfg.Lease)
		f.leaseUntil = f.order.NextAttemptAt
		fresh = append(fresh, f)
	}
	if len(fresh) == 0 {
		return
	}
	batch.Isolate(fresh, func(part []*flight) error { return s.placePart(ctx, part) }, splittable,
		func(part []*flight, err error) {
			s.log.Error("orders could not be stored", slog.Int("orders", len(part)), slog.String("error", err.Error()))
			for _, f := range part {
				s.refuse(f, ErrNotStored)
			}
		})
}

func (s *Saga) placePart(ctx context.Context, flights []*flight) error {
	placements := make([]Placement, len(flights))
	for i, f := range flights {
		placements[i] = Placement{Order: f.order, Key: f.key, Fingerprint: f.fingerprint}
	}
	placings, err := s.store.Place(ctx, placements)
	if err != nil { // the commit may have happened: the keys tell
		placings, err = s.store.Place(ctx, placements)
	}
	if err != nil {
		return fmt.Errorf("place %d orders: %w", len(flights), err)
	}
	for i, f := range flights {
		switch placing := placings[i]; {
		case !placing.Existing:
			s.accept(f)
		case placing.Fingerprint != f.fingerprint:
			s.refuse(f, ErrKeyReused)
		default:
			s.replay(f, placing.Order)
		}
	}
	return nil
}

func (s *Saga) accept(f *flight) {
	s.report(f.order.events)
	f.order.events = nil
	f.savedVersion = f.order.Version
	f.accepted = f.order
	s.board.lead(f)
	close(f.durable)
	s.dispatch(f)
}

func (s *Saga) refuse(f *flight, err error) {
	f.err = err
	s.finish(f)
	close(f.durable) // last: until the flight is done, whoever hears of it would take it for accepted
}

// replay answers a repeated request with the first one's order, once that is decided.
func (s *Saga) replay(f *flight, order Order) {
	f.order, f.accepted = order, order
	close(f.durable)
	s.await(f)
}

// await waits for an order that somebody drives: this process, another one, or, after a crash, whoever takes it up.
func (s *Saga) await(f *flight) {
	now := s.clock.Now()
	if f.order.Next(now) == StepNone || s.draining.Load() || now.After(f.staleAt) {
		s.finish(f)
		return
	}
	if s.board.follow(f) {
		return
	}
	s.poll(f)
}

// poll looks after a moment how an order stands that another process drives. Flights that wait at the same time share a
// look: after a crash there are as many as buyers who repeat their requests.
func (s *Saga) poll(f *flight) {
	const moment = 100 * time.Millisecond
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.polled = append(s.polled, f); len(s.polled) == 1 {
		s.clock.AfterFunc(moment, s.pollAll)
	}
}

func (s *Saga) pollAll() {
	s.mu.Lock()
	flights := s.polled
	s.polled = nil
	s.mu.Unlock()
	var err error
	for part := range slices.Chunk(flights, s.cfg.MaxBatch) {
		var current map[ID]Order
		if err == nil { // a store that does not answer the first ones is not asked for the others
			current, err = s.current(part)
		}
		for _, f := range part {
			if order, ok := current[f.order.ID]; ok {
				f.order = order
			}
			s.await(f)
		}
	}
}

// current is how the flights' orders stand in the store.
func (s *Saga) current(flights []*flight) (map[ID]Order, error) {
	ids := make([]ID, len(flights))
	for i, f := range flights {
		ids[i] = f.order.ID
	}
	return s.stored(context.Background(), ids)
}

// stored reads orders, by their ids.
func (s *Saga) stored(ctx context.Context, ids []ID) (map[ID]Order, error) {
	found, err := s.store.Get(ctx, ids)
	stored := make(map[ID]Order, len(found))
	for _, o := range found {
		stored[o.ID] = o
	}
	return stored, err
}

// settleBatch writes orders as they are now, unless somebody else did meanwhile.
func (s *Saga) settleBatch(ctx context.Context, flights []*flight) {
	flights, again := onceEach(flights)
	batch.Isolate(flights, func(part []*flight) error {
		changes := make([]Change, len(part))
		for i, f := range part {
			s.schedule(f)
			changes[i] = Change{Order: f.order, FromVersion: f.savedVersion, Events: f.order.events}
		}
		saved, err := s.store.Save(ctx, changes)
		if err != nil {
			return fmt.Errorf("save %d orders: %w", len(part), err)
		}
		var lost []*flight
		for i, f := range part {
			if saved[i] {
				s.saved(f)
			} else {
				lost = append(lost, f)
			}
		}
		if len(lost) > 0 {
			s.reload(lost)
		}
		return nil
	}, splittable, s.retryAll("settle"))
	for _, f := range again { // the next batch finds out what this one has changed
		s.dispatch(f)
	}
}

// onceEach sets aside the flights whose order is in the batch already: one that is driven and canceled at the same time has
// two, and a store writes an order once a call.
func onceEach(flights []*flight) (first, again []*flight) {
	seen := make(map[ID]struct{}, len(flights))
	first = make([]*flight, 0, len(flights))
	for _, f := range flights {
		if _, twice := seen[f.order.ID]; twice {
			again = append(again, f)
			continue
		}
		seen[f.order.ID] = struct{}{}
		first = append(first, f)
	}
	return first, again
}

// schedule says when anybody else may take the order up: never while it rests, at its expiry while it waits for its
// payer, and otherwise when this process has had its time.
func (s *Saga) schedule(f *flight) {
	now := s.clock.Now()
	switch {
	case f.order.Status == AwaitingPayment && now.Before(f.order.Pix.ExpiresAt):
		f.order.NextAttemptAt = f.order.Pix.ExpiresAt
	case f.order.Next(now) == StepNone:
		f.order.NextAttemptAt = time.Time{}
	case s.draining.Load():
		f.order.NextAttemptAt = now
	case f.parting:
		f.order.NextAttemptAt = now.Add(min(time.Minute/2, time.Second<<min(f.order.Lease, 5)))
	default:
		f.order.NextAttemptAt = now.Add(s.cfg.Lease)
	}
	f.leaseUntil = f.order.NextAttemptAt
}

func (s *Saga) saved(f *flight) {
	s.report(f.order.events)
	f.order.events = nil
	f.savedVersion = f.order.Version
	f.dirty = false
	if f.parting {
		s.finish(f)
		return
	}
	s.dispatch(f)
}

// reload ends flights whose order belongs to somebody else by now, with what the store has.
func (s *Saga) reload(flights []*flight) {
	current, err := s.current(flights)
	if err != nil {
		s.log.Warn("orders changed by somebody else could not be read", slog.Int("orders", len(flights)), slog.String("error", err.Error()))
	}
	for _, f := range flights {
		if o, ok := current[f.order.ID]; ok {
			f.order, f.dirty = o, false
		}
		s.finish(f)
	}
}

func (s *Saga) report(events []Event) {
	if s.cfg.OnEvents != nil && len(events) > 0 {
		s.cfg.OnEvents(events)
	}
}
