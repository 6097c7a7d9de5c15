package storetest

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

var saveTests = map[string]func(*fixture){
	"Nothing":          saveNothing,
	"Progress":         saveProgress,
	"OnlyWhatItMay":    saveOnlyWhatItMay,
	"VersionConflict":  saveVersionConflict,
	"LeaseConflict":    saveLeaseConflict,
	"SettleConflict":   saveSettleConflict,
	"UnknownOrder":     saveUnknownOrder,
	"MixedBatch":       saveMixedBatch,
	"WithoutEvents":    saveWithoutEvents,
	"AllOrNothing":     saveAllOrNothing,
	"EventTwice":       saveEventTwice,
	"OneWinner":        saveOneWinner,
	"CrossedBatches":   saveCrossedBatches,
	"SaveAgainstClaim": saveAgainstClaim,
}

func saveNothing(f *fixture) {
	saved, err := f.store.Save(f.Context(), nil)
	f.fatal(err)
	if len(saved) != 0 {
		f.Errorf("got %d answers to nothing", len(saved))
	}
}

func saveProgress(f *fixture) {
	for _, n := range []int{1, 16, 257} {
		placed := f.placed(n)
		changes := make([]orders.Change, n)
		for i, o := range placed {
			changes[i] = change(o, func(o *orders.Order) {
				f.held(o)
				f.charged(orders.ChargePending)(o) // two events in one write
				o.NextAttemptAt = time.Time{}
			})
		}
		f.save(changes...)
		for _, c := range changes {
			f.same(f.get(c.Order.ID), c.Order)
			f.timeline(c.Order.ID, c.Order.Events())
		}
	}
}

// saveOnlyWhatItMay changes in memory what never changes in a store.
func saveOnlyWhatItMay(f *fixture) {
	placed := f.placed(1)[0]
	c := change(placed, f.held)
	want := c.Order
	c.Order.PaymentID = newID[orders.PaymentID](f)
	c.Order.Caller = "somebody else"
	c.Order.Request = request("SKU-7")
	c.Order.Customer.Email = "other@example.com"
	c.Order.CreatedAt = start.AddDate(1, 0, 0)
	f.save(c)
	f.same(f.get(placed.ID), want)
	for _, filter := range []orders.Filter{{Email: "other@example.com", Limit: 1}, {SKU: "SKU-7", Limit: 1}} {
		got, err := f.store.List(f.Context(), filter)
		f.fatal(err)
		if len(got) != 0 {
			f.Errorf("found by what it must not have: %+v", filter)
		}
	}
}

// refused says that a change is not taken and leaves no trace.
func (f *fixture) refused(c orders.Change, want orders.Order, events []orders.Event) {
	f.Helper()
	saved, err := f.store.Save(f.Context(), []orders.Change{c})
	f.fatal(err)
	if len(saved) != 1 || saved[0] {
		f.Errorf("saved is %v, want false", saved)
	}
	f.same(f.get(want.ID), want)
	f.timeline(want.ID, events)
}

func saveVersionConflict(f *fixture) {
	placed := f.placed(1)[0]
	c := change(placed, f.held)
	f.save(c)
	f.refused(c, c.Order, c.Order.Events()) // repeated after an unknown commit
	f.refused(change(placed, func(o *orders.Order) { f.fatal(o.Cancel("too late", f.clock.Now())) }), c.Order, c.Order.Events())
	f.refused(f.ahead(c.Order), c.Order, c.Order.Events())
}

// ahead is a change of an order as the store has never seen it: a change before it was lost.
func (f *fixture) ahead(o orders.Order) orders.Change {
	lost := change(o, func(o *orders.Order) { f.fatal(o.Cancel("lost", f.clock.Now())) })
	return change(lost.Order, func(o *orders.Order) { o.ApplyRelease(f.clock.Now()) })
}

func saveLeaseConflict(f *fixture) {
	placed := f.placed(1)[0]
	claimed, err := f.store.Claim(f.Context(), placed.NextAttemptAt, placed.NextAttemptAt.Add(time.Minute), 10)
	f.fatal(err)
	if len(claimed) != 1 {
		f.Fatalf("claimed %d orders, want 1", len(claimed))
	}
	f.refused(change(placed, f.held), claimed[0], placed.Events()) // who had it before was paused for too long
	c := change(claimed[0], f.held)
	f.save(c)
	f.same(f.get(placed.ID), c.Order)
}

// saveSettleConflict: an order comes to rest from where it was placed, as nearly all do, in one batch with another that was
// claimed or saved by somebody else meanwhile, or is not there.
func saveSettleConflict(f *fixture) {
	claim := func(o orders.Order) orders.Order {
		claimed, err := f.store.Claim(f.Context(), o.NextAttemptAt, o.NextAttemptAt.Add(time.Hour), 1)
		f.fatal(err)
		return claimed[0]
	}
	save := func(o orders.Order) orders.Order {
		moved := change(o, f.held)
		f.save(moved)
		return moved.Order
	}
	for _, meanwhile := range []func(orders.Order) orders.Order{claim, save} {
		placed := f.placed(2) // the first is due first
		now := meanwhile(placed[0])
		f.settles(placed[1], placed[0])
		f.same(f.get(now.ID), now)
		settled := f.settled(now) // by who has claimed or saved it
		f.save(settled)
		f.same(f.get(now.ID), settled.Order)
	}
	unknown := f.order(request("SKU-1"))
	f.settles(f.placed(1)[0], unknown)
	f.absent(unknown)
}

// settled is an order that was held and paid, and rests.
func (f *fixture) settled(o orders.Order) orders.Change {
	return change(o, func(o *orders.Order) {
		if o.Status == orders.Placed {
			f.held(o)
		}
		f.charged(orders.ChargePaid)(o)
		o.NextAttemptAt = time.Time{}
	})
}

// settles saves both in one call, of which only the first is as the store has it.
func (f *fixture) settles(right, wrong orders.Order) {
	f.Helper()
	c := f.settled(right)
	saved, err := f.store.Save(f.Context(), []orders.Change{c, f.settled(wrong)})
	f.fatal(err)
	if want := []bool{true, false}; !slices.Equal(saved, want) {
		f.Errorf("saved %v, want %v", saved, want)
	}
	f.same(f.get(right.ID), c.Order)
	f.timeline(right.ID, append(slices.Clone(right.Events()), c.Events...))
	f.refused(c, c.Order, append(slices.Clone(right.Events()), c.Events...)) // repeated after an unknown commit
}

func saveUnknownOrder(f *fixture) {
	o := f.order(request("SKU-1"))
	saved, err := f.store.Save(f.Context(), []orders.Change{change(o, f.held)})
	f.fatal(err)
	if saved[0] {
		f.Error("an order that is not there was saved")
	}
	f.absent(o)
}

func saveMixedBatch(f *fixture) {
	placed := f.placed(30)
	var changes []orders.Change
	for i, o := range placed {
		c := change(o, f.held)
		switch i % 3 {
		case 1:
			c = f.ahead(o)
		case 2:
			c.Order.Lease++
		}
		changes = append(changes, c)
	}
	saved, err := f.store.Save(f.Context(), changes)
	f.fatal(err)
	for i, ok := range saved {
		want := placed[i]
		if i%3 == 0 {
			want = changes[i].Order
		}
		if ok != (i%3 == 0) {
			f.Errorf("change %d: saved=%v", i, ok)
		}
		f.same(f.get(want.ID), want)
		f.timeline(want.ID, want.Events())
	}
}

// saveWithoutEvents is how an order is parted with: only its next attempt changes, and its version stays.
func saveWithoutEvents(f *fixture) {
	placed := f.placed(1)[0]
	c := change(placed, func(o *orders.Order) { o.NextAttemptAt = o.NextAttemptAt.Add(time.Hour) })
	f.save(c)
	f.same(f.get(placed.ID), c.Order)
	f.timeline(placed.ID, placed.Events())
}

func saveAllOrNothing(f *fixture) {
	for name, spoil := range map[string]func(*orders.Change){
		"status":         func(c *orders.Change) { c.Order.Status = "lost" },
		"payment status": func(c *orders.Change) { c.Order.PaymentStatus = "owed" },
		"fulfillment":    func(c *orders.Change) { c.Order.FulfillmentStatus = "" },
		"version":        func(c *orders.Change) { c.Order.Version = -1 },
		"event's status": func(c *orders.Change) { c.Events[0].Status = "lost" },
		"event's type":   func(c *orders.Change) { c.Events[0].Type = "" },
		"event's time":   func(c *orders.Change) { c.Events[0].At = time.Time{} },
	} {
		placed := f.placed(3)
		changes := []orders.Change{change(placed[0], f.held), change(placed[1], f.held), change(placed[2], f.held)}
		spoil(&changes[1])
		if _, err := f.store.Save(f.Context(), changes); err == nil || fault.IsTransient(err) {
			f.Errorf("%s: got %v, want an error that stays", name, err)
		}
		for _, o := range placed {
			f.same(f.get(o.ID), o)
			f.timeline(o.ID, o.Events())
		}
	}
}

func saveEventTwice(f *fixture) {
	placed := f.placed(2)
	changes := []orders.Change{change(placed[0], f.held), change(placed[1], f.held)}
	changes[1].Events = append(slices.Clone(placed[1].Events()), changes[1].Events...)
	if _, err := f.store.Save(f.Context(), changes); err == nil {
		f.Error("an event was written twice")
	}
	for _, o := range placed {
		f.same(f.get(o.ID), o)
		f.timeline(o.ID, o.Events())
	}
}

func saveOneWinner(f *fixture) {
	placed := f.placed(1)[0]
	var wins atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		c := change(placed, f.held)
		wg.Go(func() {
			saved, err := f.store.Save(f.Context(), []orders.Change{c})
			if err != nil {
				f.Error(err)
			} else if saved[0] {
				wins.Add(1)
			}
		})
	}
	wg.Wait()
	if wins.Load() != 1 {
		f.Errorf("%d writes of one version, want 1", wins.Load())
	}
}

// saveCrossedBatches has batches of the same orders, some backwards: no order is written twice, and none is missed.
func saveCrossedBatches(f *fixture) {
	placed := f.placed(64)
	wins := make([]atomic.Int64, len(placed))
	var wg sync.WaitGroup
	for caller := range 6 {
		changes := make([]orders.Change, len(placed))
		for i, o := range placed {
			changes[i] = change(o, f.held)
		}
		if caller%2 == 1 {
			slices.Reverse(changes)
		}
		wg.Go(func() {
			saved, err := f.store.Save(f.Context(), changes)
			for i, ok := range saved {
				at := i
				if caller%2 == 1 {
					at = len(placed) - 1 - i
				}
				if ok {
					wins[at].Add(1)
				}
			}
			if err != nil && !fault.IsTransient(err) {
				f.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range wins {
		if wins[i].Load() != 1 {
			f.Errorf("order %d was written %d times, want once", i, wins[i].Load())
		}
	}
}

// saveAgainstClaim lets one owner save while another takes the orders over: each order has one of them, not both.
func saveAgainstClaim(f *fixture) {
	placed := f.placed(50)
	changes := make([]orders.Change, len(placed))
	for i, o := range placed {
		changes[i] = change(o, func(o *orders.Order) { f.held(o); o.NextAttemptAt = time.Time{} })
	}
	var saved []bool
	var claimed []orders.Order
	var errs [2]error
	var wg sync.WaitGroup
	wg.Go(func() { saved, errs[0] = f.store.Save(f.Context(), changes) })
	wg.Go(func() {
		claimed, errs[1] = f.store.Claim(f.Context(), start.Add(time.Hour), start.Add(2*time.Hour), len(placed))
	})
	wg.Wait()
	for _, err := range errs {
		f.fatal(err)
	}
	taken := make(map[orders.ID]bool)
	for _, o := range claimed {
		taken[o.ID] = true
	}
	for i, o := range placed {
		if saved[i] == taken[o.ID] {
			// Passed over by the claim because the save had it locked, and saved: that is saved, not taken. Both or neither is wrong.
			f.Errorf("order %d: saved=%v claimed=%v", i, saved[i], taken[o.ID])
		}
	}
}
