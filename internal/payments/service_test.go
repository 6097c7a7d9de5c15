package payments_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
)

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, cfg := range []payments.Config{
		{ProviderTimeout: timeout, MaxCalls: 1}, {Patience: patience, MaxCalls: 1}, {Patience: patience, ProviderTimeout: timeout},
		{Patience: patience, ProviderTimeout: lease, MaxCalls: 1},
	} {
		if _, err := payments.New(cfg, nil, newBank(), clock.System{}, slog.Default()); err == nil {
			t.Errorf("accepted %+v", cfg)
		}
	}
}

func TestABatchIsDecidedChargeByCharge(t *testing.T) {
	bubble(t, func(r *rig) {
		approved, declined, pix, free := r.wish(payments.Card, 100), r.wish(payments.Card, 200), r.wish(payments.Pix, 300), r.wish(payments.Card, 0)
		r.bank.treat(declined.ID, plan{decline: true})
		start := time.Now()
		got := r.charge(declined, approved, pix, free, approved)
		if time.Since(start) != 0 {
			r.Errorf("took %s", time.Since(start))
		}
		for i, want := range []payments.Status{payments.Declined, payments.Paid, payments.Pending, payments.Paid, payments.Paid} {
			if got[i].Status != want {
				r.Errorf("answer %d is %s, want %s", i, got[i].Status, want)
			}
		}
		if got[0].DeclineReason != "card_declined" || got[2].Pix == nil || got[1].Provider != "bank" || r.bank.count("Charge") != 3 {
			r.Errorf("%+v, %d calls", got, r.bank.count("Charge"))
		}
		if steps := r.reconcile(); steps != 0 {
			r.Errorf("work was left: %d", steps)
		}
		if charges, err := r.service.Charge(r.Context(), nil); err != nil || len(charges) != 0 {
			r.Errorf("of nothing: %v, %v", charges, err)
		}
	})
}

func TestASlowChargeIsAnsweredAfterThePatience(t *testing.T) {
	bubble(t, func(r *rig) {
		slow, quick := r.wish(payments.Card, 100), r.wish(payments.Card, 200)
		r.bank.treat(slow.ID, plan{wait: 5 * time.Second})
		start := time.Now()
		got := r.charge(slow, quick)
		if got[0].Status != payments.Processing || got[1].Status != payments.Paid || time.Since(start) != patience {
			r.Errorf("%s and %s after %s", got[0].Status, got[1].Status, time.Since(start))
		}
		if again := r.charge(slow); again[0].Status != payments.Processing || r.bank.count("Charge") != 2 {
			r.Errorf("asked again: %s, %d calls", again[0].Status, r.bank.count("Charge"))
		}
		r.service.Wait()
		r.want(slow.ID, payments.Paid)
		notices, err := r.service.Notices(r.Context(), 9)
		if err != nil || len(notices) != 1 || notices[0].ID != slow.ID {
			r.Fatalf("notices %+v, %v", notices, err)
		}
		for range 2 {
			if err := r.service.Ack(r.Context(), []payments.Ack{{ID: slow.ID, Version: notices[0].Version}}); err != nil {
				r.Fatal(err)
			}
		}
		if notices, err = r.service.Notices(r.Context(), 9); err != nil || len(notices) != 0 {
			r.Errorf("after the acknowledgement: %+v, %v", notices, err)
		}
	})
}

func TestALostAnswerIsFoundOut(t *testing.T) {
	for name, c := range map[string]struct {
		plan    plan
		want    payments.Status
		charges int // calls
	}{
		"effect done":             {plan{loseAfter: 1}, payments.Paid, 1},
		"effect not done":         {plan{loseBefore: 1}, payments.Paid, 2},
		"lost again and again":    {plan{loseBefore: 5}, payments.Paid, 2},
		"declined":                {plan{loseBefore: 1, decline: true}, payments.Declined, 1},
		"longer than the timeout": {plan{wait: time.Minute}, payments.Unknown, 2},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) {
				wish := r.wish(payments.Card, 100)
				r.bank.treat(wish.ID, c.plan)
				first := r.charge(wish)[0].Status
				if first != payments.Unknown && first != payments.Processing {
					r.Errorf("answered %s: a lost answer is no verdict", first)
				}
				r.service.Wait()
				r.reconcile()
				for range 6 { // as often as answers are lost
					time.Sleep(10 * time.Second)
					r.reconcile()
					if c.want == payments.Unknown {
						break
					}
				}
				r.want(wish.ID, c.want)
				if got := r.bank.count("Charge"); got != c.charges {
					r.Errorf("%d calls of Charge, want %d", got, c.charges)
				}
				if totals, err := r.service.Totals(r.Context()); err != nil || (totals.Unknown == 1) != (c.want == payments.Unknown) {
					r.Errorf("totals %+v, %v", totals, err)
				}
			})
		})
	}
}

func TestASaveThatFailsAfterTheEffectIsFoundByTheReconciler(t *testing.T) {
	bubble(t, func(r *rig) {
		wish := r.wish(payments.Card, 100)
		r.store.fail(1)
		if got := r.charge(wish)[0]; got.Status != payments.Processing {
			r.Errorf("answered %s", got.Status)
		}
		if got := r.charge(wish)[0]; got.Status != payments.Processing {
			r.Errorf("asked again: %s", got.Status)
		}
		if steps := r.reconcile(); steps != 0 {
			r.Error("the reconciler came before the lease ended")
		}
		time.Sleep(lease)
		r.reconcile()
		r.want(wish.ID, payments.Paid)
		if r.bank.count("Charge") != 1 || r.bank.count("Query") != 1 {
			r.Errorf("calls %v", r.bank.calls)
		}
	})
}

func TestACallWhoseLeaseIsOverIsNotMade(t *testing.T) {
	bubble(t, func(r *rig) {
		wish := r.wish(payments.Card, 100)
		r.store.onCreate = func() { time.Sleep(lease) } // a pause of the whole process, between the wish and the call
		if got := r.charge(wish)[0]; got.Status != payments.Processing || r.bank.count("Charge") != 0 {
			r.Errorf("%s after %d calls", got.Status, r.bank.count("Charge"))
		}
		r.reconcile()
		r.want(wish.ID, payments.Paid)
	})
}

func TestPlacesAtTheProviderAreBounded(t *testing.T) {
	bubble(t, func(r *rig) {
		var wishes []payments.Charge
		for range places + 1 {
			wish := r.wish(payments.Card, 100)
			r.bank.treat(wish.ID, plan{wait: timeout - time.Second})
			wishes = append(wishes, wish)
		}
		r.charge(wishes...)
		synctest.Wait()
		if got := r.bank.count("Charge"); got != places {
			r.Errorf("%d calls at once", got)
		}
		r.service.Wait()
		states := make(map[payments.Status]int)
		for _, w := range wishes {
			states[r.payment(w.ID).Charge.Status]++
			r.bank.treat(w.ID, plan{})
		}
		if states[payments.Paid] != places || states[payments.Unknown] != 1 {
			r.Errorf("states %v", states)
		}
		time.Sleep(time.Second)
		r.reconcile()
		for _, w := range wishes {
			r.want(w.ID, payments.Paid)
		}
	})
}

func TestACallerWhoLeavesStopsNothing(t *testing.T) {
	bubble(t, func(r *rig) {
		wish := r.wish(payments.Card, 100)
		r.bank.treat(wish.ID, plan{wait: 500 * time.Millisecond})
		ctx, cancel := context.WithCancel(r.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		if got, err := r.service.Charge(ctx, []payments.Charge{wish}); err != nil || got[0].Status != payments.Paid {
			r.Errorf("%+v, %v", got, err)
		}
	})
}

func TestCloseBeforeTheChargeBarsIt(t *testing.T) {
	bubble(t, func(r *rig) {
		wish := r.wish(payments.Card, 100)
		for range 2 {
			if got := r.close(wish, false); got.Status != payments.Voided || got.OrderID != wish.OrderID {
				r.Errorf("closed: %+v", got)
			}
		}
		if got := r.charge(wish)[0]; got.Status != payments.Voided || len(r.bank.calls) != 0 {
			r.Errorf("charged after all: %+v, %v", got, r.bank.calls)
		}
	})
}

func TestCloseWhileTheChargeIsBeingDecided(t *testing.T) {
	for name, c := range map[string]struct {
		plan   plan
		refund bool
		want   payments.Status
	}{
		"paid, refund wanted": {plan{wait: 500 * time.Millisecond}, true, payments.Refunded},
		"paid, to be kept":    {plan{wait: 500 * time.Millisecond}, false, payments.Paid},
		"declined":            {plan{wait: 500 * time.Millisecond, decline: true}, true, payments.Declined},
		"slower than patient": {plan{wait: 5 * time.Second}, true, payments.Refunded},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) {
				wish := r.wish(payments.Card, 100)
				r.bank.treat(wish.ID, c.plan)
				done := make(chan struct{})
				go func() {
					defer close(done)
					r.charge(wish)
				}()
				synctest.Wait()
				for range 2 {
					if got := r.close(wish, c.refund); got.Status != payments.Processing || !got.CloseWanted {
						r.Errorf("closed: %+v", got)
					}
				}
				<-done
				r.service.Wait()
				r.reconcile()
				p := r.want(wish.ID, c.want)
				if r.bank.count("Charge") != 1 || r.bank.refunded() != p.Charge.Refunded {
					r.Errorf("calls %v, refunds %v", r.bank.calls, r.bank.refunds)
				}
			})
		})
	}
}

func TestClosingAfterALostAnswerWaitsForTheTruth(t *testing.T) {
	for name, c := range map[string]struct {
		plan plan
		want payments.Status
	}{
		"it was charged":       {plan{loseAfter: 1}, payments.Refunded},
		"it was never charged": {plan{loseBefore: 1}, payments.Voided},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) {
				wish := r.wish(payments.Card, 100)
				r.bank.treat(wish.ID, c.plan)
				r.charge(wish)
				if got := r.close(wish, true); got.Status != payments.Unknown {
					r.Errorf("closed: %s, which nobody can know", got.Status)
				}
				for range 10 { // more than a minute: the request that was lost may only be late
					time.Sleep(time.Minute)
					r.reconcile()
				}
				r.want(wish.ID, c.want)
				if r.bank.count("Charge") != 1 {
					r.Errorf("calls %v", r.bank.calls)
				}
			})
		})
	}
}

func TestRefundsAreMadeOnce(t *testing.T) {
	for name, p := range map[string]plan{"at once": {}, "answer lost, effect done": {loseAfter: 1}, "answer lost, effect not done": {loseBefore: 2}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) {
				wish := r.wish(payments.Card, 100)
				r.charge(wish)
				if got := r.close(wish, false); got.Status != payments.Paid {
					r.Errorf("closed without a refund: %s", got.Status)
				}
				r.bank.treat(wish.ID, p)
				both := []payments.Closure{closure(wish, false), closure(wish, true)} // of two, a refund that one wants is wanted
				got, err := r.service.Close(r.Context(), both)
				if err != nil || got[0].Status != got[1].Status || got[0].Status != payments.Refunded && got[0].Status != payments.Refunding {
					r.Fatalf("%+v, %v", got, err)
				}
				r.close(wish, true)
				for range 3 {
					time.Sleep(5 * time.Second)
					r.reconcile()
				}
				got2 := r.want(wish.ID, payments.Refunded)
				if got2.Charge.Refunded != 100 || r.bank.refunded() != 100 || len(got2.Transfers) != 2 {
					r.Errorf("%+v, refunds %v", got2, r.bank.refunds)
				}
			})
		})
	}
}

func TestPixIsPaidByItsReceipt(t *testing.T) {
	bubble(t, func(r *rig) {
		wish := r.wish(payments.Pix, 100)
		r.charge(wish)
		r.pay(wish, "E1", 60)
		r.want(wish.ID, payments.Pending)
		for range 3 { // callbacks come again
			r.pay(wish, "E2", 100)
		}
		r.pay(wish, "E3", 100)
		r.reconcile()
		p := r.want(wish.ID, payments.Paid)
		if p.Charge.Received != 260 || p.Charge.Refunded != 160 || r.bank.refunded() != 160 || len(p.Receipts) != 3 {
			r.Errorf("%+v, refunds %v", p, r.bank.refunds)
		}
		if payments, err := r.service.OrderPayments(r.Context(), wish.OrderID); err != nil || len(payments) != 1 || len(payments[0].Transfers) != 5 {
			r.Errorf("%+v, %v", payments, err)
		}
	})
}

// TestALongHistoryIsCut: the newest is answered, in its order, and the sums are of all.
func TestALongHistoryIsCut(t *testing.T) {
	bubble(t, func(r *rig) {
		const limit, sent = 100, 103
		wish := r.wish(payments.Pix, 1000)
		r.charge(wish)
		for i := range sent {
			r.pay(wish, fmt.Sprintf("E%03d", i), 1)
			time.Sleep(time.Second)
		}
		p := r.payment(wish.ID)
		if len(p.Receipts) != limit || p.Receipts[0].EndToEndID != "E003" || p.Receipts[limit-1].EndToEndID != "E102" {
			r.Errorf("%d receipts, from %s to %s", len(p.Receipts), p.Receipts[0].EndToEndID, p.Receipts[len(p.Receipts)-1].EndToEndID)
		}
		if len(p.Transfers) != limit || p.Transfers[limit-1].Number != p.Charge.Version || p.Charge.Received != sent {
			r.Errorf("%d transfers of %+v", len(p.Transfers), p.Charge)
		}
	})
}

func TestASurplusGoesBackOnceWhateverIsLost(t *testing.T) {
	bubble(t, func(r *rig) {
		wish := r.wish(payments.Pix, 100)
		r.charge(wish)
		r.bank.treat(wish.ID, plan{loseAfter: 2})
		r.pay(wish, "E1", 60)
		for range 4 {
			r.reconcile()
			time.Sleep(lease)
		}
		if p := r.payment(wish.ID); p.Charge.Refunded != 60 || p.Receipts[0].Status != payments.ReceiptRefunded || r.bank.count("Refund") != 3 {
			r.Errorf("%+v, calls %v", p, r.bank.calls)
		}
	})
}

func TestLatePix(t *testing.T) {
	for name, c := range map[string]struct {
		refund bool
		want   payments.Status
	}{
		"the orders service decides":  {false, payments.Paid},
		"it goes back when wanted so": {true, payments.Refunded},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) {
				wish := r.wish(payments.Pix, 100)
				r.charge(wish)
				r.bank.treat(wish.ID, plan{loseBefore: 1, stillPending: 2})
				if got := r.close(wish, c.refund); got.Status != payments.Pending {
					r.Errorf("closed: %s", got.Status)
				}
				for range 4 { // a lost answer, and a void that shows late
					time.Sleep(5 * time.Second)
					r.reconcile()
				}
				if p := r.want(wish.ID, payments.Voided); p.Charge.Pix == nil {
					r.Error("the code is forgotten")
				}
				r.pay(wish, "E1", 100)
				r.reconcile()
				r.want(wish.ID, c.want)
				if notices, err := r.service.Notices(r.Context(), 9); err != nil || len(notices) != 1 {
					r.Errorf("notices %+v, %v", notices, err)
				}
			})
		})
	}
}

func TestWhatIsNotThere(t *testing.T) {
	bubble(t, func(r *rig) {
		_, err := r.service.Payment(r.Context(), payments.ID{9})
		_, err2 := r.service.TakeReceipt(r.Context(), payments.Receipt{EndToEndID: "E", PaymentID: payments.ID{9}, Amount: 1})
		if !errors.Is(err, payments.ErrNotFound) || !errors.Is(err2, payments.ErrNotFound) {
			r.Errorf("%v, %v", err, err2)
		}
		if found, err := r.service.OrderPayments(r.Context(), payments.OrderID{9}); err != nil || len(found) != 0 {
			r.Errorf("%v, %v", found, err)
		}
		if err := r.service.Ready(r.Context()); err != nil {
			r.Error(err)
		}
	})
}
