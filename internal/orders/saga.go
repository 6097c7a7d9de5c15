package orders

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/batch"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// Config shapes the saga. Fields that may be nil say so; all others are required.
type Config struct {
	// MaxInFlight bounds the orders that are under way in this process; more are refused.
	MaxInFlight int
	// Queue bounds the orders that wait to be placed.
	Queue int
	// MaxBatch bounds a batch; peers take up to 1,000.
	MaxBatch int
	// ChargeWorkers is how many batches of charges, expiries and undoings are worked on at once: a slow payment provider
	// holds one of them for as long as payments has patience. The other stages work on one batch: a second one would wait
	// for the first one's rows, and both would be smaller.
	ChargeWorkers int
	// Lease is how long an order that was taken up is left alone by others. A crashed owner's orders wait that long.
	Lease time.Duration
	// Observer hears of the stages' batches. May be nil.
	Observer batch.Observer
	// OnEvents hears of every event after it was saved. May be nil.
	OnEvents func([]Event)
	// Traces carries the traces of requests into batches. Nil: there are none.
	Traces Traces
	// Jitter picks a duration below its argument. Nil: at random.
	Jitter func(time.Duration) time.Duration
}

func (c Config) validate() error {
	if c.MaxInFlight < 1 || c.Queue < 1 || c.MaxBatch < 1 || c.MaxBatch > 1000 || c.ChargeWorkers < 1 || c.Lease < time.Second {
		return fmt.Errorf("orders: max in flight (%d), queue (%d), max batch (%d, at most 1000), charge workers (%d) and lease (%s, at least 1s) must be set",
			c.MaxInFlight, c.Queue, c.MaxBatch, c.ChargeWorkers, c.Lease)
	}
	return nil
}

// Saga drives orders through the stages.
type Saga struct {
	cfg       Config
	store     Store
	inventory Inventory
	payments  Payments
	clock     clock.Clock
	ids       *id.Source
	log       *slog.Logger

	place, hold, charge, settle, expire, undo *batch.Stage[*flight]
	line                                      *batch.Line // works the first four

	board    *board
	inFlight atomic.Int64
	draining atomic.Bool
	idle     chan struct{} // receives when the last flight ended while draining

	mu      sync.Mutex
	delayed map[*flight]uint64 // waiting for their next try, numbered
	delays  uint64
	polled  []*flight // waiting for an order that another process drives
}

// crews is how many batches of the stages that every order passes are under way at once: one waits for its database
// while the other works.
const crews = 2

// patience is longer than a batch takes, and shorter than a payment provider that is slow: the others go on then.
var patience = batch.Patience{Batch: 20 * time.Millisecond, Item: 200 * time.Microsecond}

func newSaga(cfg Config, store Store, inventory Inventory, payments Payments, clock clock.Clock, ids *id.Source, log *slog.Logger) (*Saga, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.Jitter == nil {
		cfg.Jitter = rand.N[time.Duration]
	}
	s := &Saga{cfg: cfg, store: patientStore{store, cfg.Lease}, inventory: inventory, payments: payments, clock: clock, ids: ids, log: log,
		board: newBoard(), idle: make(chan struct{}, 1), delayed: make(map[*flight]uint64)}
	s.line = batch.NewLine(crews, patience)
	var errs [6]error
	s.place, errs[0] = s.stage("place", cfg.Queue, 1, s.line, s.placeBatch)
	s.hold, errs[1] = s.stage("hold", cfg.MaxInFlight, 1, s.line, s.holdBatch)
	s.charge, errs[2] = s.stage("charge", cfg.MaxInFlight, cfg.ChargeWorkers, s.line, s.chargeBatch)
	s.settle, errs[3] = s.stage("settle", cfg.MaxInFlight, 1, s.line, s.settleBatch)
	s.expire, errs[4] = s.stage("expire", cfg.MaxInFlight, cfg.ChargeWorkers, nil, s.expireBatch)
	s.undo, errs[5] = s.stage("undo", cfg.MaxInFlight, cfg.ChargeWorkers, nil, s.undoBatch)
	return s, errors.Join(errs[:]...)
}

func (s *Saga) stage(name string, queue, workers int, line *batch.Line, work func(context.Context, []*flight)) (*batch.Stage[*flight], error) {
	if s.cfg.Traces != nil {
		work = s.traced(name, work)
	}
	return batch.NewStage(batch.Config{Name: name, Queue: queue, MaxBatch: s.cfg.MaxBatch, Workers: workers, Line: line, Observer: s.cfg.Observer}, work)
}

// Traces lets an order's trace be seen through the batches that it shares with others.
type Traces interface {
	// Of is the trace that ctx belongs to, or nil when nobody records it.
	Of(ctx context.Context) any
	// Batch begins a stage's work for the members whose traces are given, at least one. end is called when it is over.
	Batch(ctx context.Context, stage string, members []any) (in context.Context, end func())
}

func (s *Saga) traced(stage string, work func(context.Context, []*flight)) func(context.Context, []*flight) {
	return func(ctx context.Context, flights []*flight) {
		var members []any
		for _, f := range flights {
			if f.trace != nil {
				members = append(members, f.trace)
			}
		}
		if len(members) > 0 {
			var end func()
			ctx, end = s.cfg.Traces.Batch(ctx, stage, members)
			defer end()
		}
		work(ctx, flights)
	}
}

func (s *Saga) stages() []*batch.Stage[*flight] {
	return []*batch.Stage[*flight]{s.place, s.hold, s.charge, s.settle, s.expire, s.undo}
}

// Run works the stages until ctx ends. Drain first.
func (s *Saga) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, run := range []func(context.Context){s.line.Run, s.expire.Run, s.undo.Run} {
		wg.Go(func() { run(ctx) })
	}
	wg.Wait()
}

// Step works on one batch of every stage that has any, and tells whether one had. It is Run for tests and simulations.
func (s *Saga) Step(ctx context.Context) (worked bool) {
	for _, stage := range s.stages() {
		worked = stage.Step(ctx) || worked
	}
	return worked
}

// Stages is how many stages there are for StepStage.
func (s *Saga) Stages() int { return len(s.stages()) }

// StepStage is Step for one stage alone, so that a simulation can let them work in any order.
func (s *Saga) StepStage(ctx context.Context, stage int) (worked bool) {
	return s.stages()[stage].Step(ctx)
}

// Drain refuses new orders, lets those under way end, gives up those that wait for a retry, and returns when none is left
// or ctx ended: whatever is left then is taken up by another process when its lease is over.
func (s *Saga) Drain(ctx context.Context) error {
	s.draining.Store(true)
	s.mu.Lock()
	waiting := s.delayed
	s.delayed = make(map[*flight]uint64)
	s.mu.Unlock()
	inTurn := func(a, b *flight) int { return cmp.Compare(waiting[a], waiting[b]) }
	for _, f := range slices.SortedFunc(maps.Keys(waiting), inTurn) { // in turn, so that a simulation replays
		s.part(f)
	}
	for s.inFlight.Load() > 0 {
		select {
		case <-s.idle:
		case <-ctx.Done():
			return fmt.Errorf("drain: %d orders are left to other processes: %w", s.inFlight.Load(), ctx.Err())
		}
	}
	return nil
}

// admit counts a flight in, or says that there is no room.
func (s *Saga) admit() bool {
	if s.inFlight.Add(1) > int64(s.cfg.MaxInFlight) || s.draining.Load() {
		s.land()
		return false
	}
	return true
}

func (s *Saga) land() {
	if s.inFlight.Add(-1) == 0 && s.draining.Load() {
		select {
		case s.idle <- struct{}{}:
		default:
		}
	}
}

// dispatch puts an order into the stage that it needs. What the store does not know yet is settled first, but for a hold
// without a payment that nobody refuses: that commit is saved, because a repeated hold answers as the first did.
func (s *Saga) dispatch(f *flight) {
	step := f.order.Next(s.clock.Now())
	unpaid := f.order.Status == Held && f.order.PaymentStatus == PaymentNone
	stage := s.settle
	switch {
	case f.parting, f.dirty && (!unpaid || f.order.Refusals > 0):
	case step == StepHold:
		stage = s.hold
	case step == StepCharge:
		stage = s.charge
	case step == StepExpire:
		stage = s.expire
	case step == StepUndo:
		stage = s.undo
	default:
		s.finish(f)
		return
	}
	if err := stage.Submit(f); err != nil { // cannot be: every queue has room for all that is in flight
		s.log.Error("order left to its lease", slog.String("order_id", f.order.ID.String()), slog.String("error", err.Error()))
		s.finish(f)
	}
}

// retry tries an order again a little later, for as long as the lease allows; then it parts with it.
func (s *Saga) retry(f *flight) {
	const margin = 2 * time.Second // for the settle that parts
	f.tries++
	ceiling := min(time.Second, 20*time.Millisecond<<min(f.tries, 10))
	delay := ceiling/2 + s.cfg.Jitter(ceiling/2)
	switch {
	case f.parting: // even that failed: the lease will run out
		s.finish(f)
	case s.draining.Load(), s.clock.Now().Add(delay + margin).After(f.leaseUntil):
		s.part(f)
	default:
		s.delay(f, delay)
	}
}

func (s *Saga) delay(f *flight, d time.Duration) {
	s.mu.Lock()
	s.delays++
	s.delayed[f] = s.delays
	s.mu.Unlock()
	s.clock.AfterFunc(d, func() {
		s.mu.Lock()
		_, mine := s.delayed[f]
		delete(s.delayed, f)
		s.mu.Unlock()
		if mine { // otherwise Drain has parted with it
			s.dispatch(f)
		}
	})
}

// part gives an order back: the store shall say when anybody may take it up.
func (s *Saga) part(f *flight) {
	f.parting, f.dirty = true, true
	s.dispatch(f)
}

// finish ends a flight and answers who waits for it: with what is durable, never with what could not be saved.
func (s *Saga) finish(f *flight) {
	if f.dirty {
		f.order = f.accepted
	}
	followers := s.board.leave(f)
	close(f.done)
	s.land()
	for _, follower := range followers {
		follower.order = f.order
		close(follower.done)
		s.land()
	}
}

// splittable: a peer or a database that is away fails the halves of a batch as well. Only what stays is worth isolating.
func splittable(err error) bool { return !fault.IsTransient(err) }

// retryAll is what becomes of a batch that could not be worked on.
func (s *Saga) retryAll(stage string) func([]*flight, error) {
	return func(flights []*flight, err error) {
		s.log.Warn("orders will be tried again", slog.String("stage", stage), slog.Int("orders", len(flights)),
			slog.String("order_id", flights[0].order.ID.String()), slog.String("error", err.Error()))
		for _, f := range flights {
			switch {
			case !splittable(err):
				s.retry(f)
			case f.order.poisonous():
				s.giveUp(f)
			case !f.refused:
				f.order.Refusals++
				f.refused, f.dirty = true, true
				s.dispatch(f) // to be settled: whoever takes it up next has to know
			default:
				s.retry(f)
			}
		}
	}
}

// giveUp cancels an order that cannot be worked on. What it may have held or paid is given back as after any cancel.
func (s *Saga) giveUp(f *flight) {
	s.log.Error("order is refused again and again: it is canceled", slog.String("order_id", f.order.ID.String()))
	if err := f.order.Cancel(string(ReasonUnprocessable), s.clock.Now()); err != nil {
		s.retry(f)
		return
	}
	f.dirty = true
	s.dispatch(f)
}

func (s *Saga) holdBatch(ctx context.Context, flights []*flight) {
	batch.Isolate(flights, func(part []*flight) error {
		requests := make([]HoldRequest, len(part))
		for i, f := range part {
			requests[i] = f.order.holdRequest()
		}
		results, err := s.inventory.Hold(ctx, requests)
		if err != nil {
			return fmt.Errorf("hold stock: %w", err)
		}
		for i, f := range part {
			s.applied(f, true, f.order.ApplyHold(results[i], s.clock.Now(), f.asksAgain()))
		}
		return nil
	}, splittable, s.retryAll("hold"))
}

func (s *Saga) chargeBatch(ctx context.Context, flights []*flight) {
	batch.Isolate(flights, func(part []*flight) error {
		requests := make([]ChargeRequest, len(part))
		for i, f := range part {
			requests[i] = ChargeRequest{PaymentID: f.order.PaymentID, OrderID: f.order.ID, Method: f.order.Method,
				Token: f.order.Token, Amount: f.order.Total}
		}
		results, err := s.payments.Charge(ctx, requests)
		if err != nil {
			return fmt.Errorf("charge: %w", err)
		}
		for i, f := range part {
			changed, err := f.order.ApplyCharge(results[i], s.clock.Now())
			s.applied(f, changed, err)
		}
		return nil
	}, splittable, s.retryAll("charge"))
}

// expireBatch asks payments to close charges whose time is over. One that was paid meanwhile goes on.
func (s *Saga) expireBatch(ctx context.Context, flights []*flight) {
	batch.Isolate(flights, func(part []*flight) error {
		results, err := s.payments.Close(ctx, closeRequests(part, false))
		if err != nil {
			return fmt.Errorf("close expired charges: %w", err)
		}
		for i, f := range part {
			changed, err := f.order.ApplyCharge(results[i], s.clock.Now())
			s.applied(f, changed, err)
		}
		return nil
	}, splittable, s.retryAll("expire"))
}

// undoBatch gives back what ended orders owe: their stock, and their money.
func (s *Saga) undoBatch(ctx context.Context, flights []*flight) {
	batch.Isolate(flights, func(part []*flight) error {
		return errors.Join(s.closeCharges(ctx, part), s.releaseStock(ctx, part)) // in this order: see paymentInDoubt
	}, splittable, func(part []*flight, err error) {
		s.log.Warn("ended orders still owe something", slog.Int("orders", len(part)),
			slog.String("order_id", part[0].order.ID.String()), slog.String("error", err.Error()))
	})
	for _, f := range flights {
		if f.dirty {
			s.dispatch(f)
		} else {
			s.retry(f)
		}
	}
}

func (s *Saga) releaseStock(ctx context.Context, flights []*flight) error {
	due := where(flights, func(f *flight) bool { return f.order.ReleaseDue && !f.order.paymentInDoubt() })
	if len(due) == 0 {
		return nil
	}
	requests := make([]ReleaseRequest, len(due))
	for i, f := range due {
		requests[i] = ReleaseRequest{OrderID: f.order.ID, Round: f.order.HoldRound, Reason: string(f.order.Status)}
	}
	if err := s.inventory.Release(ctx, requests); err != nil {
		return fmt.Errorf("release stock: %w", err)
	}
	for _, f := range due {
		f.order.ApplyRelease(s.clock.Now())
		f.dirty = true
	}
	return nil
}

func (s *Saga) closeCharges(ctx context.Context, flights []*flight) error {
	due := where(flights, func(f *flight) bool { return f.order.RefundDue })
	if len(due) == 0 {
		return nil
	}
	results, err := s.payments.Close(ctx, closeRequests(due, true))
	if err != nil {
		return fmt.Errorf("close charges: %w", err)
	}
	for i, f := range due {
		f.dirty = f.order.ApplyClose(results[i], s.clock.Now()) || f.dirty
	}
	return nil
}

func closeRequests(flights []*flight, refund bool) []CloseRequest {
	requests := make([]CloseRequest, len(flights))
	for i, f := range flights {
		requests[i] = CloseRequest{PaymentID: f.order.PaymentID, OrderID: f.order.ID, Method: f.order.Method, Refund: refund}
	}
	return requests
}

func where(flights []*flight, keep func(*flight) bool) []*flight {
	var kept []*flight
	for _, f := range flights {
		if keep(f) {
			kept = append(kept, f)
		}
	}
	return kept
}

// applied sends an order on after an answer was folded in.
func (s *Saga) applied(f *flight, changed bool, err error) {
	f.order.Refusals = 0
	switch {
	case errors.Is(err, ErrSuperseded):
		s.reload([]*flight{f})
	case err != nil:
		s.log.Error("order cannot take the answer", slog.String("order_id", f.order.ID.String()), slog.String("error", err.Error()))
		s.retry(f)
	case !changed:
		s.retry(f)
	default:
		f.dirty = true
		s.dispatch(f)
	}
}
