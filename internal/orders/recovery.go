package orders

import (
	"context"
	"fmt"
	"log/slog"
)

// recoveryBatch bounds what one step of Recover or FollowPayments takes up.
const recoveryBatch = 500

// Recover is a single step of the loop that takes up orders whose time has come: those of a crashed process, those that
// were parted with, and those whose payment has expired. It tells whether there may be more.
func (s *Saga) Recover(ctx context.Context) (more bool, err error) {
	room := s.cfg.MaxInFlight - int(s.inFlight.Load())
	limit := min(recoveryBatch, room)
	if limit < 1 || s.draining.Load() {
		return false, nil
	}
	now := s.clock.Now()
	claimed, err := s.store.Claim(ctx, now, now.Add(s.cfg.Lease), limit)
	if err != nil {
		return false, fmt.Errorf("claim due orders: %w", err)
	}
	for _, order := range claimed {
		s.takeUp(order)
	}
	return len(claimed) == limit, nil
}

func (s *Saga) takeUp(order Order) {
	if !s.admit() {
		return // the lease runs out, and somebody with room takes it up
	}
	f := newFlight(order)
	// An order that rests and was due all the same is written once more, so that it is due no longer.
	f.dirty = order.Next(s.clock.Now()) == StepNone
	s.dispatch(f)
}

// FollowPayments is a single step of the loop that hears of payments which changed by themselves: a Pix that was paid, in
// time or late, and answers that came after everybody stopped waiting. It tells whether there may be more.
func (s *Saga) FollowPayments(ctx context.Context) (more bool, err error) {
	if s.draining.Load() {
		return false, nil
	}
	notices, err := s.payments.Notices(ctx, recoveryBatch)
	if err != nil || len(notices) == 0 {
		return false, err
	}
	current, err := s.ordersOf(ctx, notices)
	if err != nil {
		return false, err
	}
	heard, changed := s.applyNotices(notices, current)
	acks, err := s.saveNoticed(ctx, heard, changed)
	if err != nil {
		return false, err
	}
	if len(acks) == 0 {
		return false, nil
	}
	if err := s.payments.Ack(ctx, acks); err != nil {
		return false, fmt.Errorf("acknowledge %d notices: %w", len(acks), err)
	}
	return len(notices) == recoveryBatch, nil
}

func (s *Saga) ordersOf(ctx context.Context, notices []Notice) (map[ID]Order, error) {
	ids := make([]ID, len(notices))
	for i, n := range notices {
		ids[i] = n.OrderID
	}
	current, err := s.stored(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read %d orders with news of their payments: %w", len(ids), err)
	}
	return current, nil
}

// noticed is an order that a notice has changed.
type noticed struct {
	ack    NoticeAck
	flight *flight
}

// applyNotices returns what can be acknowledged at once, and the orders that must be saved before.
func (s *Saga) applyNotices(notices []Notice, current map[ID]Order) (acks []NoticeAck, changed []noticed) {
	for _, n := range notices {
		ack := NoticeAck{PaymentID: n.PaymentID, Version: n.Version}
		order, ok := current[n.OrderID]
		if !ok || order.PaymentID != n.PaymentID {
			s.log.Error("notice of a payment that belongs to no order", slog.String("payment_id", n.PaymentID.String()), slog.String("order_id", n.OrderID.String()))
			acks = append(acks, ack)
			continue
		}
		f := newFlight(order)
		news, err := f.order.ApplyNotice(n.Result, s.clock.Now())
		switch {
		case err != nil:
			s.log.Error("order cannot take the notice", slog.String("order_id", n.OrderID.String()), slog.String("error", err.Error()))
			acks = append(acks, ack)
		case news == NewsNone:
			acks = append(acks, ack)
		case news == NewsApplied:
			f.dirty = true
			f.order.Refusals = 0
			changed = append(changed, noticed{ack, f})
		}
	}
	return acks, changed
}

// saveNoticed saves the changed orders and sends them on; those that somebody else changed meanwhile hear of it again.
func (s *Saga) saveNoticed(ctx context.Context, acks []NoticeAck, changed []noticed) ([]NoticeAck, error) {
	if len(changed) == 0 {
		return acks, nil
	}
	changes := make([]Change, len(changed))
	for i, n := range changed {
		s.schedule(n.flight)
		changes[i] = Change{Order: n.flight.order, FromVersion: n.flight.savedVersion, Events: n.flight.order.events}
	}
	saved, err := s.store.Save(ctx, changes)
	if err != nil {
		return nil, fmt.Errorf("save %d orders with news of their payments: %w", len(changes), err)
	}
	for i, n := range changed {
		if !saved[i] {
			continue
		}
		acks = append(acks, n.ack)
		if s.admit() { // without room, the lease that was just written brings the order back
			s.saved(n.flight)
		} else {
			s.report(n.flight.order.events)
		}
	}
	return acks, nil
}
