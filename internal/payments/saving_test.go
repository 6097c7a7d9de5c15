package payments_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

// These tests run in bubbles (testing/synctest): a sleep there takes no time, it says when something happens.
var (
	errPasses = fault.Transient(errors.New("deadlock"))
	errPoison = errors.New("check constraint failed")
)

// TestAnAnswerSurvivesASaveThatFailsForAMoment: what the provider said is not asked for again, whether its batch waits or not.
func TestAnAnswerSurvivesASaveThatFailsForAMoment(t *testing.T) {
	for name, wait := range map[string]time.Duration{"in its batch": 0, "behind": 2 * patience} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) {
				r.store.onSave = func(n int, _ []payments.Change, save func()) error {
					if n <= 3 {
						return errPasses
					}
					save()
					return nil
				}
				wish := r.wish(payments.Card, 100)
				r.bank.treat(wish.ID, plan{wait: wait})
				start := time.Now()
				got := r.charge(wish)[0]
				if wait == 0 && got.Status != payments.Paid {
					r.Errorf("answered %s", got.Status)
				}
				r.service.Wait()
				if took := time.Since(start) - wait; took > time.Second {
					r.Errorf("saved after %s", took)
				}
				r.want(wish.ID, payments.Paid)
				if r.store.saves != 4 || r.bank.count("Query") != 0 {
					r.Errorf("%d saves, calls %v", r.store.saves, r.bank.calls)
				}
			})
		})
	}
}

// TestASaveThatWorkedAndFailedCountsOnce: of what is counted, one answer must not look like two of them.
func TestASaveThatWorkedAndFailedCountsOnce(t *testing.T) {
	for name, c := range map[string]struct {
		plan     plan
		want     payments.Status
		attempts int
	}{
		"no answer": {plan{loseAfter: 1}, payments.Unknown, 1},
		"paid":      {plan{}, payments.Paid, 0},
		"declined":  {plan{decline: true}, payments.Declined, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) {
				r.store.onSave = func(n int, _ []payments.Change, save func()) error {
					save()
					if n == 1 {
						return errPasses
					}
					return nil
				}
				wish := r.wish(payments.Card, 100)
				r.bank.treat(wish.ID, c.plan)
				got := r.charge(wish)[0]
				if stored := r.want(wish.ID, c.want).Charge; got.Status != c.want || got.Version != 2 || stored.Version != 2 || stored.Attempts != c.attempts {
					r.Errorf("answered %+v, stored %+v", got, stored)
				}
				if c.want == payments.Unknown {
					time.Sleep(time.Second)
					r.reconcile()
				}
			})
		})
	}
}

// slow makes n charges that the provider answers at the same moment, long after their batch was answered.
func (r *rig) slow(n int) []payments.Charge {
	wishes := make([]payments.Charge, n)
	for i := range wishes {
		wishes[i] = r.wish(payments.Card, 100)
		r.bank.treat(wishes[i].ID, plan{wait: 2 * patience})
	}
	r.charge(wishes...)
	return wishes
}

// TestLateAnswersAreSavedTogether: the first goes alone, and what comes while it is saved shares one transaction.
func TestLateAnswersAreSavedTogether(t *testing.T) {
	bubble(t, func(r *rig) {
		const flush = 20 * time.Millisecond
		r.store.onSave = func(_ int, _ []payments.Change, save func()) error {
			time.Sleep(flush)
			save()
			return nil
		}
		start := time.Now()
		wishes := r.slow(places)
		r.service.Wait()
		if took := time.Since(start) - 2*patience; r.store.saves > 2 || took > 2*flush {
			r.Errorf("%d answers were saved in %d transactions, in %s", len(wishes), r.store.saves, took)
		}
		for _, wish := range wishes {
			if p := r.want(wish.ID, payments.Paid); !p.Charge.Notice {
				r.Error("nobody is told")
			}
		}
	})
}

func TestALateAnswerThatCannotBeSavedFailsAlone(t *testing.T) {
	bubble(t, func(r *rig) {
		var poison payments.ID
		r.store.onSave = func(_ int, changes []payments.Change, save func()) error {
			for _, c := range changes {
				if c.Charge.ID == poison {
					return errPoison
				}
			}
			time.Sleep(time.Millisecond) // while one is saved the others gather
			save()
			return nil
		}
		poison = payments.ID{1, r.next + 2}
		wishes := r.slow(places)
		r.service.Wait()
		for _, wish := range wishes {
			want := payments.Paid
			if wish.ID == poison {
				want = payments.Processing
			}
			r.want(wish.ID, want)
		}
		poison = payments.ID{}
		time.Sleep(lease)
		r.reconcile()
		r.want(wishes[1].ID, payments.Paid)
	})
}

// TestAStoreThatIsAwayHoldsUpTheEndForSoLong: an end waits for what is to be saved, and not for ever.
func TestAStoreThatIsAwayHoldsUpTheEndForSoLong(t *testing.T) {
	bubble(t, func(r *rig) {
		away := true
		r.store.onSave = func(_ int, _ []payments.Change, save func()) error {
			if away {
				return errPasses
			}
			save()
			return nil
		}
		wishes := r.slow(places)
		time.Sleep(2 * patience)
		synctest.Wait()
		start := time.Now()
		r.service.Wait()
		if took := time.Since(start); took < 10*time.Second || took > 15*time.Second {
			r.Errorf("the end came after %s", took)
		}
		away = false
		time.Sleep(lease)
		r.reconcile()
		for _, wish := range wishes {
			r.want(wish.ID, payments.Paid)
		}
		if r.bank.count("Charge") != places {
			r.Errorf("calls %v", r.bank.calls)
		}
	})
}

func TestAnAnswerThatCannotBeSavedFailsAloneInItsBatch(t *testing.T) {
	bubble(t, func(r *rig) {
		wishes := []payments.Charge{r.wish(payments.Card, 100), r.wish(payments.Card, 100), r.wish(payments.Card, 100)}
		poisoned := true
		r.store.onSave = func(_ int, changes []payments.Change, save func()) error {
			for _, c := range changes {
				if poisoned && c.Charge.ID == wishes[1].ID {
					return errPoison
				}
			}
			save()
			return nil
		}
		for i, got := range r.charge(wishes...) {
			want := payments.Paid
			if i == 1 {
				want = payments.Processing
			}
			if got.Status != want {
				r.Errorf("charge %d was answered %s, want %s", i, got.Status, want)
			}
			r.want(wishes[i].ID, want)
		}
		poisoned = false
		time.Sleep(lease)
		r.reconcile()
		r.want(wishes[1].ID, payments.Paid)
	})
}

// abandoned is a charge whose request was lost and whose order is over, asked for until it is voided.
func (r *rig) abandoned() payments.Charge {
	wish := r.wish(payments.Card, 100)
	r.bank.treat(wish.ID, plan{loseBefore: 1})
	r.charge(wish)
	r.service.Wait()
	r.close(wish, true)
	for r.payment(wish.ID).Charge.Status != payments.Voided {
		time.Sleep(time.Second)
		r.reconcile()
	}
	return wish
}

// TestTheDecidingAnswerCountsOnce: the last but one "not found" is saved and reported as not, and is not the last as well.
func TestTheDecidingAnswerCountsOnce(t *testing.T) {
	queries := map[bool]int{}
	for _, lost := range []bool{false, true} {
		t.Run(fmt.Sprint(lost), func(t *testing.T) {
			bubbleNow(t, func(r *rig) {
				left := lost
				r.store.onSave = func(_ int, changes []payments.Change, save func()) error {
					save()
					if left && changes[0].Charge.Attempts == 7 {
						left = false
						return errPasses
					}
					return nil
				}
				r.abandoned()
				queries[lost] = r.bank.count("Query")
				if left {
					r.Error("no save was reported as failed")
				}
			})
		})
	}
	if queries[false] != queries[true] || queries[false] < 7 {
		t.Errorf("voided after %d questions, and after %d when one counted twice", queries[false], queries[true])
	}
}

// TestMoneyThatComesAfterTheVoidGoesBack: a request that everybody thought lost is executed after all.
func TestMoneyThatComesAfterTheVoidGoesBack(t *testing.T) {
	bubble(t, func(r *rig) {
		late, lost := r.abandoned(), r.abandoned()
		r.bank.capture(late.ID)
		time.Sleep(10 * time.Minute)
		for range 3 {
			r.reconcile()
			time.Sleep(time.Second)
		}
		r.want(late.ID, payments.Refunded)
		if c := r.want(lost.ID, payments.Voided).Charge; !c.NextAttemptAt.IsZero() {
			r.Errorf("looked for again at %s", c.NextAttemptAt)
		}
		if r.bank.refunded() != 100 {
			r.Errorf("the bank gave back %d", r.bank.refunded())
		}
	})
}
