package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

var listTests = map[string]func(*fixture){
	"Filters":      listFilters,
	"Pages":        listPages,
	"Bounds":       listBounds,
	"EmailCase":    listEmailCase,
	"SKUTwice":     listSKUTwice,
	"OutOfTurn":    listOutOfTurn,
	"AfterChanges": listAfterChanges,
	"RareStates":   listRareStates,
}

// shop places orders that differ in everything that a filter sees, and returns them newest first.
func (f *fixture) shop(n int) []orders.Order {
	statuses := []orders.Status{orders.Placed, orders.Held, orders.AwaitingPayment, orders.Confirmed, orders.Rejected, orders.Canceled}
	payments := []orders.PaymentStatus{orders.PaymentNone, orders.PaymentPaid, orders.PaymentPending, orders.PaymentUnknown, orders.PaymentRefunded}
	placements := make([]orders.Placement, n)
	for i := range placements {
		r := request(fmt.Sprintf("SKU-%d", i%4), "SKU-all")
		r.Customer.Email = fmt.Sprintf("Buyer%d@example.com", i%3)
		placements[i] = f.placement(r)
		placements[i].Order.Status = statuses[i%len(statuses)]
		placements[i].Order.PaymentStatus = payments[i/2%len(payments)]
	}
	f.place(placements...)
	all := ordersOf(placements)
	slices.Reverse(all)
	return all
}

// lists says that a filter picks exactly these orders, in this order.
func (f *fixture) lists(filter orders.Filter, want []orders.Order) {
	f.Helper()
	got, err := f.store.List(f.Context(), filter)
	f.fatal(err)
	if len(got) != len(want) {
		f.Errorf("%+v: %d orders, want %d", filter, len(got), len(want))
		return
	}
	for i := range want {
		f.same(got[i], want[i])
	}
}

func listFilters(f *fixture) {
	all := f.shop(120)
	middle := all[60].ID
	for bits := range 1 << 6 {
		for pick := range 3 {
			filter := orders.Filter{Limit: 200}
			if bits&1 != 0 {
				filter.Status = all[pick].Status
			}
			if bits&2 != 0 {
				filter.PaymentStatus = all[pick+1].PaymentStatus
			}
			if bits&4 != 0 {
				filter.Email = all[pick+2].Customer.Email
			}
			if bits&8 != 0 {
				filter.SKU = all[pick].Items[pick%2].SKU
			}
			if bits&16 != 0 {
				filter.From = middle
			}
			if bits&32 != 0 {
				filter.Before = all[20].ID
			}
			f.lists(filter, choose(all, filter))
		}
	}
	f.lists(orders.Filter{Status: orders.Completed, Limit: 10}, nil)
	f.lists(orders.Filter{SKU: "SKU-none", Limit: 10}, nil)
	f.lists(orders.Filter{SKU: "SKU-al_", Limit: 10}, nil) // no pattern
	f.lists(orders.Filter{Email: "buyer%", Limit: 10}, nil)
}

// listPages walks the pages by their cursor while new orders come in: nothing is missed, nothing comes twice.
func listPages(f *fixture) {
	all := f.shop(50)
	for _, filter := range []orders.Filter{{}, {SKU: "SKU-all"}, {SKU: "SKU-1"}, {SKU: "SKU-all", Status: orders.Rejected}, {SKU: "SKU-1", PaymentStatus: orders.PaymentRefunded}, {Status: orders.Held}, {PaymentStatus: orders.PaymentUnknown}, {Email: "buyer1@example.com"}} {
		want := choose(all, orders.Filter{Status: filter.Status, PaymentStatus: filter.PaymentStatus, Email: filter.Email, SKU: filter.SKU, Before: after(all[0].ID), Limit: 1000})
		filter.Before = after(all[0].ID)
		filter.Limit = 3
		for len(want) > 0 {
			page := want[:min(len(want), filter.Limit)]
			f.lists(filter, page)
			filter.Before = page[len(page)-1].ID
			want = want[len(page):]
			f.shop(2)
		}
		f.lists(filter, nil)
	}
}

func listBounds(f *fixture) {
	all := f.shop(10)
	for from := range all {
		for before := range all {
			filter := orders.Filter{From: all[from].ID, Before: all[before].ID, Limit: 100}
			f.lists(filter, choose(all, filter))
		}
	}
	f.lists(orders.Filter{From: all[9].ID, Limit: 4}, all[:4])
	f.lists(orders.Filter{From: after(all[0].ID), Limit: 4}, nil)
	f.lists(orders.Filter{Before: all[9].ID, Limit: 4}, nil)
	f.lists(orders.Filter{Limit: 1}, all[:1])
}

// listOutOfTurn places orders in another order than that of their ids, which were made by several processes: lists go by the ids.
func listOutOfTurn(f *fixture) {
	placements := make([]orders.Placement, 80)
	for i := range placements {
		placements[i] = f.placement(request(fmt.Sprintf("SKU-%d", i%3), "SKU-all"))
	}
	all := ordersOf(placements)
	slices.Reverse(all)
	rng := rand.New(rand.NewPCG(1, 2))
	for window := range slices.Chunk(placements, 20) {
		rng.Shuffle(len(window), func(i, j int) { window[i], window[j] = window[j], window[i] })
	}
	placements[7], placements[79] = placements[79], placements[7] // one from a clock that was ahead, and one that took very long
	for batch := range slices.Chunk(placements, 3) {
		f.place(batch...)
	}
	for _, filter := range []orders.Filter{{}, {SKU: "SKU-all"}, {SKU: "SKU-1"}, {SKU: "SKU-1", Email: "ana.souza@example.com"}, {SKU: "SKU-2", Status: orders.Placed}} {
		for from := 79; from >= 0; from -= 13 {
			filter.From, filter.Before, filter.Limit = all[from].ID, orders.ID{}, 7
			for want := choose(all, orders.Filter{SKU: filter.SKU, From: filter.From, Limit: 1000}); len(want) > 0; {
				page := want[:min(len(want), filter.Limit)]
				f.lists(filter, page)
				filter.Before = page[len(page)-1].ID
				want = want[len(page):]
			}
			f.lists(filter, nil)
		}
	}
}

func listEmailCase(f *fixture) {
	p := f.placement(request("SKU-1"))
	p.Order.Customer.Email = "ANA.Souza+Tag@Example.COM"
	f.place(p)
	for _, email := range []string{"ana.souza+tag@example.com", "ANA.SOUZA+TAG@EXAMPLE.COM", "Ana.Souza+Tag@Example.com"} {
		f.lists(orders.Filter{Email: email, Limit: 5}, []orders.Order{p.Order})
	}
	f.lists(orders.Filter{Email: "ana.souza@example.com", Limit: 5}, nil)
	if got := f.get(p.Order.ID).Customer.Email; got != "ANA.Souza+Tag@Example.COM" {
		f.Errorf("the order's own e-mail became %q", got)
	}
}

func listSKUTwice(f *fixture) {
	p := f.placement(request("SKU-1", "SKU-2", "SKU-1", "SKU-1"))
	f.place(p)
	f.lists(orders.Filter{SKU: "SKU-1", Limit: 5}, []orders.Order{p.Order})
	f.lists(orders.Filter{SKU: "SKU-1", Email: p.Order.Customer.Email, Status: orders.Placed, Limit: 5}, []orders.Order{p.Order})
	f.lists(orders.Filter{SKU: "sku-1", Limit: 5}, nil)
}

// listAfterChanges says that the filters follow an order.
func listAfterChanges(f *fixture) {
	o := f.placed(1)[0]
	for _, transition := range []func(*orders.Order){f.held, f.charged(orders.ChargeUnknown), f.charged(orders.ChargePending), f.charged(orders.ChargePaid)} {
		c := change(o, transition)
		f.save(c)
		for _, was := range []orders.Filter{{Status: o.Status, Limit: 1}, {PaymentStatus: o.PaymentStatus, Limit: 1}} {
			f.lists(was, choose([]orders.Order{c.Order}, was))
		}
		o = c.Order
		f.lists(orders.Filter{Status: o.Status, Limit: 1}, []orders.Order{o})
		f.lists(orders.Filter{PaymentStatus: o.PaymentStatus, Limit: 1}, []orders.Order{o})
		f.lists(orders.Filter{Status: o.Status, PaymentStatus: o.PaymentStatus, Limit: 1}, []orders.Order{o})
	}
}

// listRareStates says that a SKU's list follows its orders into states that few are in, and out of them.
func listRareStates(f *fixture) {
	all := f.placed(4)
	slices.Reverse(all)
	listed := func() {
		f.Helper()
		for _, sku := range []string{"SKU-1", "SKU-2", "SKU-3"} {
			for _, status := range []orders.Status{"", orders.Rejected, orders.Canceled, orders.Confirmed} {
				for _, payment := range append([]orders.PaymentStatus{""}, orders.PaymentStatuses...) {
					filter := orders.Filter{SKU: sku, Status: status, PaymentStatus: payment, Limit: 10}
					f.lists(filter, choose(all, filter))
				}
			}
		}
	}
	save := func(changes ...orders.Change) {
		f.Helper()
		f.save(changes...)
		for _, c := range changes {
			at := slices.IndexFunc(all, func(o orders.Order) bool { return o.ID == c.Order.ID })
			all[at] = unsaved(c.Order)
		}
		listed()
	}
	cancel := func(o *orders.Order) { f.fatal(o.Cancel("", f.clock.Now())) }
	release := func(o *orders.Order) { o.ApplyRelease(f.clock.Now()) }

	save(change(all[0], f.rejected), f.settled(all[1])) // both at once, and from where they were placed
	save(change(all[2], cancel), change(all[1], cancel))
	save(change(all[1], release), change(all[2], release))
	save(change(all[1], func(o *orders.Order) { o.ApplyClose(orders.ChargeResult{Status: orders.ChargeRefunded}, f.clock.Now()) }))
	save(change(all[3], func(o *orders.Order) { // it expires
		cancel(o)
		o.Expired = true
	}), change(all[0], func(*orders.Order) {}))
	save(change(all[3], release))
	save(change(all[3], func(o *orders.Order) { // and is paid for after all
		_, err := o.ApplyNotice(orders.ChargeResult{Status: orders.ChargePaid}, f.clock.Now())
		f.fatal(err)
		f.fatal(o.ApplyHold(f.allHeld(o), f.clock.Now(), true))
	}))
}
