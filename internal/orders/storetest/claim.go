package storetest

import (
	"sync"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

var claimTests = map[string]func(*fixture){
	"Due":          claimDue,
	"Order":        claimOrder,
	"LeaseRunsOut": claimLeaseRunsOut,
	"Claimers":     claimClaimers,
}

// dueAt places an order that is due then.
func (f *fixture) dueAt(at time.Time) orders.Order {
	f.Helper()
	p := f.placement(request("SKU-1"))
	p.Order.NextAttemptAt = at
	f.place(p)
	return p.Order
}

// claims says that a claim answers with these orders, in this order, leased.
func (f *fixture) claims(now time.Time, limit int, want ...orders.Order) {
	f.Helper()
	until := now.Add(time.Hour)
	got, err := f.store.Claim(f.Context(), now, until, limit)
	f.fatal(err)
	if len(got) != len(want) {
		f.Fatalf("claimed %d orders, want %d", len(got), len(want))
	}
	for i, o := range want {
		o.Lease++
		o.NextAttemptAt = until
		f.same(got[i], o)
		f.same(f.get(o.ID), o)
		if events, err := f.store.Events(f.Context(), o.ID); err != nil || len(events) != 1 {
			f.Errorf("a claim left %d events (%v), want the placement's", len(events), err)
		}
	}
}

func claimDue(f *fixture) {
	now := start.Add(time.Hour)
	past, present := f.dueAt(now.Add(-time.Microsecond)), f.dueAt(now)
	future, never := f.dueAt(now.Add(time.Microsecond)), f.dueAt(time.Time{})
	f.claims(now, 10, past, present)
	f.claims(now, 10)
	f.same(f.get(future.ID), future)
	f.same(f.get(never.ID), never)
	f.claims(now.Add(time.Microsecond), 10, future)
}

func claimOrder(f *fixture) {
	now := start.Add(time.Hour)
	third, first := f.dueAt(now.Add(-1*time.Minute)), f.dueAt(now.Add(-3*time.Minute))
	fourth, second := f.dueAt(now), f.dueAt(now.Add(-3*time.Minute)) // second is as due as first, and has the higher id
	f.claims(now, 0)
	f.claims(now, 2, first, second)
	f.claims(now, 1, third)
	f.claims(now, 5, fourth)
}

func claimLeaseRunsOut(f *fixture) {
	now := start.Add(time.Hour)
	o := f.dueAt(now)
	for range 3 {
		f.claims(now, 1, o)
		f.claims(now.Add(time.Hour-time.Microsecond), 1)
		o = f.get(o.ID)
		now = now.Add(time.Hour)
	}
	if o.Lease != 3 || o.Version != 1 {
		f.Errorf("lease %d and version %d, want 3 and 1", o.Lease, o.Version)
	}
}

// claimClaimers has several claimers empty the store at once: no order goes to two of them, and none is left.
func claimClaimers(f *fixture) {
	const claimers, n = 6, 300
	for _, o := range f.placed(n) {
		if o.NextAttemptAt.After(start.Add(time.Hour)) {
			f.Fatal("the orders are not due")
		}
	}
	var mu sync.Mutex
	owners := make(map[orders.ID]int)
	left := func() int { mu.Lock(); defer mu.Unlock(); return n - len(owners) }
	var wg sync.WaitGroup
	for range claimers {
		wg.Go(func() {
			// What another claim has locked is passed over, so an empty answer is not yet the end.
			for round := 0; left() > 0 && round < 100*n; round++ {
				got, err := f.store.Claim(f.Context(), start.Add(time.Hour), start.Add(2*time.Hour), 7)
				if err != nil {
					f.Error(err)
					return
				}
				mu.Lock()
				for _, o := range got {
					owners[o.ID]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(owners) != n {
		f.Errorf("%d orders were claimed, want %d", len(owners), n)
	}
	for i, times := range owners {
		if times != 1 {
			f.Errorf("order %s was claimed %d times", i, times)
		}
	}
}
