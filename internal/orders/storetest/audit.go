package storetest

import (
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

var stateTests = map[string]func(*fixture){
	"a range comes by id, cut at both ends and by its limit": func(f *fixture) {
		all := byID(f.placed(5))
		for _, c := range []struct {
			asked orders.Range
			want  []orders.Order
		}{
			{orders.Range{Limit: 9}, all},
			{orders.Range{Limit: 2}, all[:2]},
			{orders.Range{From: all[1].ID, Limit: 9}, all[1:]},
			{orders.Range{From: after(all[1].ID), Limit: 9}, all[2:]},
			{orders.Range{Before: all[3].ID, Limit: 9}, all[:3]},
			{orders.Range{From: all[1].ID, Before: all[3].ID, Limit: 9}, all[1:3]},
			{orders.Range{From: all[2].ID, Before: after(all[2].ID), Limit: 9}, all[2:3]},
			{orders.Range{From: after(all[4].ID), Limit: 9}, nil},
		} {
			f.states(c.asked, c.want...)
		}
	},
	"a state is all that becomes of an order": func(f *fixture) {
		o := f.placed(1)[0]
		first := change(o, f.held)
		f.save(first)
		f.states(orders.Range{Limit: 9}, first.Order)
		second := change(f.get(o.ID), f.charged(orders.ChargePending))
		second.Order.ReleaseDue, second.Order.RefundDue, second.Order.PaidLate, second.Order.HoldRound = true, true, true, 3
		second.Order.NextAttemptAt = second.Order.Pix.ExpiresAt
		f.save(second)
		f.states(orders.Range{Limit: 9}, second.Order)
		third := change(f.get(o.ID), f.charged(orders.ChargePaid))
		third.Order.NextAttemptAt = orders.Order{}.NextAttemptAt
		f.save(third)
		f.states(orders.Range{Limit: 9}, third.Order)
	},
}

// states says that the store answers a range with these orders' states.
func (f *fixture) states(asked orders.Range, want ...orders.Order) {
	f.Helper()
	got, err := f.store.States(f.Context(), asked)
	f.fatal(err)
	wanted := make([]orders.State, len(want))
	for i := range want {
		wanted[i] = orders.StateOf(&want[i])
	}
	if diff := cmp.Diff(wanted, got, cmpopts.EquateEmpty()); diff != "" {
		f.Errorf("states of %+v: want (-), got (+):\n%s", asked, diff)
	}
}
