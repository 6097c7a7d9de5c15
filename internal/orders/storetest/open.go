package storetest

import (
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

var openTests = map[string]func(*fixture){
	"Empty":  openEmpty,
	"Counts": openCounts,
}

func (f *fixture) opens(want orders.Open) {
	f.Helper()
	got, err := f.store.Open(f.Context())
	f.fatal(err)
	if got != want {
		f.Errorf("open is %+v, want %+v", got, want)
	}
}

func openEmpty(f *fixture) { f.opens(orders.Open{}) }

func openCounts(f *fixture) {
	placed := f.placed(6)
	f.opens(orders.Open{Orders: 6, OldestCreatedAt: placed[0].CreatedAt})
	rest := func(o *orders.Order) { o.NextAttemptAt = time.Time{} }
	done := change(placed[0], func(o *orders.Order) { f.held(o); f.charged(orders.ChargePaid)(o); rest(o) })
	unknown := change(placed[1], func(o *orders.Order) { f.held(o); f.charged(orders.ChargeUnknown)(o) })
	waiting := change(placed[2], func(o *orders.Order) { f.held(o); f.charged(orders.ChargePending)(o) })
	owing := change(placed[3], func(o *orders.Order) { f.fatal(o.Cancel("changed my mind", f.clock.Now())) })
	canceled := change(placed[4], func(o *orders.Order) { f.fatal(o.Cancel("changed my mind", f.clock.Now())); rest(o) })
	f.save(done, unknown, waiting, owing, canceled)
	// Open are the unknown payment, the canceled order that owes its stock, and the sixth, which is still placed.
	f.opens(orders.Open{Orders: 3, OldestCreatedAt: placed[1].CreatedAt, PaymentsUnknown: 1, AwaitingPayment: 1})
}
