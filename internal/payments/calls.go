package payments

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

// collector gathers answers until its batch stops waiting.
type collector struct {
	mu      sync.Mutex
	closed  bool
	answers []*answer
	missing int
	all     chan struct{} // closed when none is missing
}

func newCollector(size int) *collector {
	return &collector{missing: size, all: make(chan struct{})}
}

// add is false when the batch has stopped waiting: the answer is the caller's to save.
func (c *collector) add(a *answer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.answers = append(c.answers, a)
	if c.missing--; c.missing == 0 {
		close(c.all)
	}
	return true
}

// close returns what came until now.
func (c *collector) close() []*answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return c.answers
}

// callAndSave makes the provider's calls for charges[i], i of which, at the same time, and saves in one transaction what
// is decided within the patience; charges is brought up to date. Later answers are saved behind.
func (s *Service) callAndSave(ctx context.Context, charges []Charge, which []int) error {
	if len(which) == 0 {
		return nil
	}
	work := context.WithoutCancel(ctx) // once a charge is wished, the caller's leaving does not stop it
	collected := newCollector(len(which))
	for _, i := range which {
		a := newAnswer(i, charges[i])
		s.spawn(&s.behind, func() {
			a.outcome = s.call(work, a.charge, true)
			if !collected.add(a) {
				s.saveBehind(a, math.MaxInt)
			}
		})
	}
	patience := make(chan struct{})
	s.clock.AfterFunc(s.cfg.Patience, func() { close(patience) })
	select {
	case <-collected.all:
	case <-patience:
	}
	answers := collected.close()
	saving, cancel := context.WithTimeout(work, saveTimeout)
	defer cancel()
	var err error
	s.saveAlone(saving, answers, func(part []*answer, reason error) {
		if fault.IsTransient(reason) {
			err = reason
			return
		}
		s.lose(part, reason) // its buyer hears that it is not decided, as of a lost answer
	})
	if err != nil {
		return err
	}
	for _, a := range answers {
		charges[a.index] = a.charge
	}
	return nil
}

// spawn is group.Go by way of Config.Spawn.
func (s *Service) spawn(group *sync.WaitGroup, call func()) {
	group.Add(1)
	s.cfg.Spawn(func() {
		defer group.Done()
		call()
	})
}

// errLeaseOver says that the reconciler may be looking after the charge by now.
var errLeaseOver = errors.New("the lease ended before the call began")

// call makes the call that the charge's state asks for. fresh says that no call of this state was ever made; otherwise
// the provider is asked first what became of it. An error is an unknown outcome, never a decline.
func (s *Service) call(ctx context.Context, c Charge, fresh bool) Outcome {
	outcome, err := s.callInPlace(ctx, c, fresh)
	if err == nil {
		return outcome
	}
	s.log.WarnContext(ctx, "the provider's answer was lost", slog.String("payment_id", c.ID.String()),
		slog.String("order_id", c.OrderID.String()), slog.String("status", string(c.Status)), slog.String("error", err.Error()))
	if errors.Is(err, errLeaseOver) {
		return Outcome{} // no call, no answer: whoever has the lease now will have one
	}
	return Outcome{Status: OutcomeUnknown}
}

func (s *Service) callInPlace(ctx context.Context, c Charge, fresh bool) (Outcome, error) {
	if c.Amount == 0 {
		return c.free(), nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ProviderTimeout)
	defer cancel()
	leave, err := s.enter(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer leave()
	// After a pause the charge may have been voided as never charged: a call now would charge what nobody expects.
	if !s.clock.Now().Before(c.NextAttemptAt) {
		return Outcome{}, errLeaseOver
	}
	outcome, err := s.ask(ctx, c, fresh)
	return outcome.storable(), err
}

// enter waits for a place among the calls that are under way.
func (s *Service) enter(ctx context.Context) (leave func(), err error) {
	select {
	case s.calls <- struct{}{}:
		return func() { <-s.calls }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for one of %d places: %w", s.cfg.MaxCalls, ctx.Err())
	}
}

func (s *Service) ask(ctx context.Context, c Charge, fresh bool) (Outcome, error) {
	switch {
	case c.Status == Refunding:
		err := s.provider.Refund(ctx, c, "r"+TxID(c.ID), c.Amount)
		return Outcome{Status: OutcomeRefunded}, err
	case c.Status == Pending && c.CloseWanted:
		return s.provider.Close(ctx, c)
	case fresh:
		return s.provider.Charge(ctx, c)
	}
	outcome, err := s.provider.Query(ctx, c)
	if err == nil && outcome.Status == OutcomeNotFound && !c.CloseWanted {
		return s.provider.Charge(ctx, c) // the same key: at worst a repetition
	}
	return outcome, err
}

// reconcileBatch bounds what one step of Reconcile takes up.
const reconcileBatch = 200

// Reconcile is a single step of the loop that finishes what was begun: charges whose answer was lost or whose caller
// died, refunds, and surplus money. It tells whether it found any.
func (s *Service) Reconcile(ctx context.Context) (worked bool, err error) {
	now := s.clock.Now()
	charges, err := s.store.Claim(ctx, now, now.Add(attemptLease), reconcileBatch)
	if err != nil {
		return false, fmt.Errorf("claim charges: %w", err)
	}
	var wg sync.WaitGroup
	work := context.WithoutCancel(ctx) // what was begun with the provider is finished: every part has its own deadline
	for _, c := range charges {
		s.spawn(&wg, func() {
			a := newAnswer(0, c)
			a.outcome = s.call(work, c, false)
			s.saveBehind(a, reconcilerBatches)
		})
	}
	now = s.clock.Now()
	surplus, err := s.store.ClaimSurplus(ctx, now, now.Add(attemptLease), reconcileBatch)
	for _, r := range surplus {
		s.spawn(&wg, func() { s.giveBack(work, r) })
	}
	wg.Wait()
	s.saveQueued(1)
	if err != nil {
		return false, fmt.Errorf("claim surplus: %w", err) // the charges, which are leased by now, had their calls
	}
	return len(charges)+len(surplus) > 0, nil
}

func (s *Service) giveBack(ctx context.Context, receipt Receipt) {
	if err := s.refundSurplus(ctx, receipt); err != nil {
		s.log.WarnContext(ctx, "surplus not given back yet: it will be tried again",
			slog.String("payment_id", receipt.PaymentID.String()), slog.String("error", err.Error()))
	}
}

func (s *Service) refundSurplus(ctx context.Context, receipt Receipt) error {
	ctx, cancel := context.WithTimeout(ctx, attemptLease) // after that another reconciler may have it
	defer cancel()
	charges, err := s.store.Get(ctx, []ID{receipt.PaymentID})
	if err != nil {
		return fmt.Errorf("read the charge of surplus %s: %w", receipt.EndToEndID, err)
	}
	if len(charges) == 0 {
		return fmt.Errorf("read the charge of surplus %s: %w", receipt.EndToEndID, ErrNotFound)
	}
	if err := s.callRefund(ctx, charges[0], receipt); err != nil {
		return fmt.Errorf("refund surplus %s: %w", receipt.EndToEndID, err)
	}
	if err := s.store.GiveBack(ctx, receipt, s.clock.Now()); err != nil {
		return fmt.Errorf("note the refund of surplus %s: %w", receipt.EndToEndID, err)
	}
	return nil
}

func (s *Service) callRefund(ctx context.Context, c Charge, receipt Receipt) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ProviderTimeout)
	defer cancel()
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return s.provider.Refund(ctx, c, "s"+receipt.EndToEndID, receipt.Amount)
}
