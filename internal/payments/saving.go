package payments

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/batch"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

// answer is the provider's word on a charge, on its way into the store.
type answer struct {
	index   int     // into the batch that waits for it
	charge  Charge  // as it was when the provider was asked, and then as the store has it
	outcome Outcome // zero when there is nothing left to save
	// asked is the charge's version when the provider was asked.
	asked int64
	// Of an answer that no batch waits for: until when it is tried to save it, and that the orders service is to hear of it.
	until  time.Time
	notice bool
}

func newAnswer(index int, c Charge) *answer {
	return &answer{index: index, charge: c, asked: c.Version}
}

// change folds the answer into its charge. ok is false when that changes nothing.
func (a *answer) change(now time.Time) (change Change, ok bool) {
	// An answer that decides nothing is counted, and lostAttempts of them do. Of a charge that has moved since it was asked for
	// it may have been counted already, by a save that failed and worked all the same, or be older than others that were: the
	// charge is due in any case, and is asked about again.
	undecided := a.outcome.Status == OutcomeUnknown || a.outcome.Status == OutcomeNotFound
	if undecided && a.charge.Version != a.asked && a.charge.Status != Voided {
		return Change{}, false
	}
	if change, ok = a.charge.Apply(a.outcome, now); !ok {
		return Change{}, false
	}
	next := &change.Charge
	next.Notice = next.Notice || a.notice && next.Status != a.charge.Status
	return change, true
}

const (
	// saveTimeout bounds the saving of answers, which goes on when its caller has left. What is not saved by then is asked
	// for again when its lease ends.
	saveTimeout = 15 * time.Second
	// saveTries bounds it too, where time stands still: with these pauses it takes longer than saveTimeout.
	saveTries = 14
	// A deadlock is over at once, a lost connection within a moment, and a database that changes its primary within seconds.
	shortestPause, longestPause = 25 * time.Millisecond, 2 * time.Second

	// lateQueue bounds the answers that wait to be saved behind: four times the calls that may be under way by default. One
	// more is asked for again when its lease ends.
	lateQueue = 2048
	// lateBatch bounds those that are saved at once.
	lateBatch = 256
	// reconcilerBatches bounds what the reconciler saves for others, so that it goes on while answers come without a pause; what
	// it leaves, the next of them takes along, or its own end.
	reconcilerBatches = 16
)

// save writes what the answers say in one transaction, and brings their charges up to date. Conflicts are few, for only the
// orders service and payers write besides: then the answer is folded into the charge as it is by now, in another one.
func (s *Service) save(ctx context.Context, answers []*answer) error {
	const rounds = 10
	for range rounds {
		left, err := s.saveRound(ctx, answers)
		if err != nil || len(left) == 0 {
			return err
		}
		if err := s.reload(ctx, left); err != nil {
			return err
		}
		answers = left
	}
	return fmt.Errorf("save outcome of %s: changed %d times meanwhile", answers[0].charge.ID, rounds)
}

// saveRound returns the answers whose charges are no longer as they were known. A charge has one change a round.
func (s *Service) saveRound(ctx context.Context, answers []*answer) (left []*answer, err error) {
	changes := make([]Change, 0, len(answers))
	told := make([]*answer, 0, len(answers))
	named := make(map[ID]bool, len(answers))
	now := s.clock.Now() // one for all: a store may write alike changes at once
	for _, a := range answers {
		if named[a.charge.ID] {
			left = append(left, a)
			continue
		}
		if change, ok := a.change(now); ok {
			named[a.charge.ID] = true
			changes = append(changes, change)
			told = append(told, a)
		}
	}
	if len(changes) == 0 {
		return nil, nil
	}
	var saved []bool
	err = s.patiently(ctx, func() error {
		saved, err = s.store.Save(ctx, changes)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("save %d outcomes, first of %s: %w", len(changes), changes[0].Charge.ID, err)
	}
	for k, a := range told {
		if saved[k] {
			a.charge, a.outcome = changes[k].Charge, Outcome{}
		} else {
			left = append(left, a)
		}
	}
	return left, nil
}

// reload reads the answers' charges as they are now.
func (s *Service) reload(ctx context.Context, answers []*answer) error {
	ids := make([]ID, len(answers))
	for i, a := range answers {
		ids[i] = a.charge.ID
	}
	var found []Charge
	err := s.patiently(ctx, func() (err error) {
		found, err = s.store.Get(ctx, ids)
		return err
	})
	if err != nil {
		return fmt.Errorf("read %d charges, first %s: %w", len(ids), ids[0], err)
	}
	now := make(map[ID]Charge, len(found))
	for _, c := range found {
		now[c.ID] = c
	}
	for _, a := range answers {
		current, ok := now[a.charge.ID]
		if !ok {
			return fmt.Errorf("read charge %s: %w", a.charge.ID, ErrNotFound)
		}
		a.charge = current
	}
	return nil
}

// patiently calls the store again as long as it fails for a reason that passes. What the provider said is in memory alone:
// thrown away, it is asked for again after the lease, and the order waits for that.
func (s *Service) patiently(ctx context.Context, do func() error) (err error) {
	pause := shortestPause
	for tries := 1; ; tries++ {
		if err = do(); err == nil || !fault.IsTransient(err) || tries == saveTries || !s.pause(ctx, pause) {
			return err
		}
		pause = min(2*pause, longestPause)
	}
}

// pause is false when ctx ends first.
func (s *Service) pause(ctx context.Context, d time.Duration) bool {
	over := make(chan struct{})
	s.clock.AfterFunc(d, func() { close(over) })
	select {
	case <-over:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// saveBehind saves an answer that no batch waits for, with those that come while others are saved: one by one they would
// cost a commit each. Who comes while somebody saves leaves its answer to them and waits for nobody; who saves does so for at
// most so many batches.
func (s *Service) saveBehind(a *answer, batches int) {
	a.until, a.notice = s.clock.Now().Add(saveTimeout), true
	if err := s.late.Submit(a); err != nil {
		s.lose([]*answer{a}, err)
		return
	}
	s.saveQueued(batches)
}

// saveQueued saves what is queued, unless somebody else is at it: they look at the queue once more before they go.
func (s *Service) saveQueued(batches int) {
	for ; batches > 0 && s.late.Queued() > 0 && s.saving.TryLock(); batches-- {
		s.late.Step(context.Background()) // of many callers, so it is no caller's
		s.saving.Unlock()
	}
}

// saveLate is the work of the stage late. One that cannot be saved fails alone.
func (s *Service) saveLate(ctx context.Context, answers []*answer) {
	left := answers[len(answers)-1].until.Sub(s.clock.Now())
	if left <= 0 { // what came before the last one is older still
		s.lose(answers, context.DeadlineExceeded)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	s.saveAlone(ctx, answers, s.lose)
}

// saveAlone saves answers so that one which the store refuses for good fails alone: failed hears of it.
func (s *Service) saveAlone(ctx context.Context, answers []*answer, failed func([]*answer, error)) {
	if len(answers) == 0 {
		return
	}
	alone := func(err error) bool { return !fault.IsTransient(err) }
	batch.Isolate(answers, func(part []*answer) error { return s.save(ctx, part) }, alone, failed)
}

// lose tells that answers were not saved. The reconciler asks the provider again when their leases end.
func (s *Service) lose(answers []*answer, err error) {
	s.log.Warn("outcomes of charges not saved: they will be asked for again", slog.Int("charges", len(answers)),
		slog.String("payment_id", answers[0].charge.ID.String()), slog.String("error", err.Error()))
}
