package orders_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/memory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

const (
	pixExpiry = 15 * time.Minute
	lease     = 10 * time.Second
	units     = 5 // in stock at the beginning
)

// world is one order's world: a saga that can die and be born again, over a store and peers that outlive it.
type world struct {
	t         *testing.T
	wire      *wire
	clock     *clock.Manual
	store     orders.Store
	inventory *fakeInventory
	payments  *fakePayments
	service   *orders.Service
	boots     int
}

func newWorld(t *testing.T, at int, what mishap) *world {
	w := &world{t: t, wire: &wire{at: at, what: what}, clock: clock.NewManual(time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)), store: memory.New()}
	w.inventory = &fakeInventory{wire: w.wire, stock: map[string]int64{"SKU": units}, held: map[holdKey][]orders.Item{}, ended: map[holdKey]bool{}}
	w.payments = &fakePayments{wire: w.wire, clock: w.clock, charges: map[orders.PaymentID]*fakeCharge{}}
	w.boot()
	return w
}

// boot starts a process over what the one before left.
func (w *world) boot() {
	w.t.Helper()
	w.wire.crashed.Store(false)
	w.boots++
	ids := id.NewSource(w.clock, rand.NewChaCha8([32]byte{1}))
	service, err := orders.New(orders.Config{MaxInFlight: 100, Queue: 10, MaxBatch: 10, ChargeWorkers: 1, Lease: lease,
		Jitter: func(d time.Duration) time.Duration { return d / 2 }},
		wiredStore{w.store, w.wire}, w.inventory, w.payments, w.clock, ids, slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	w.service = service
}

// run lets everything happen that happens within d, rebooting when the process has died. Time goes in steps that grow:
// after the first seconds there is little to see.
func (w *world) run(d time.Duration) {
	ctx := context.Background()
	tick := 250 * time.Millisecond
	for passed := time.Duration(0); ; passed += tick {
		for worked := true; worked; {
			worked = w.service.Step(ctx)
			if w.wire.crashed.Load() {
				w.boot()
			}
		}
		if passed >= d {
			return
		}
		tick = min(30*time.Second, tick+tick/4)
		w.clock.Advance(tick)
		_, _ = w.service.Recover(ctx)        // its errors are the mishap's
		_, _ = w.service.FollowPayments(ctx) // likewise
	}
}

// place sends the order until somebody has answered, as a client does.
func (w *world) place(request orders.Request) {
	w.t.Helper()
	for range 10 {
		if w.placeOnce(request) {
			return
		}
		if w.wire.crashed.Load() {
			w.boot()
		}
	}
	w.t.Fatal("the order was never taken")
}

func (w *world) placeOnce(request orders.Request) bool {
	ctx, cancel := context.WithCancel(context.Background())
	type answer struct{ err error }
	answered := make(chan answer, 1)
	submitted := make(chan struct{})
	go func() {
		close(submitted)
		_, err := w.service.Place(ctx, orders.PlaceRequest{Caller: "caller", Key: sha256.Sum256([]byte("key")),
			Fingerprint: sha256.Sum256([]byte("body")), Request: request, Async: true, WaitUntil: w.clock.Now().Add(time.Hour)})
		answered <- answer{err}
	}()
	<-submitted
	defer cancel()
	for {
		select {
		case a := <-answered:
			return a.err == nil
		default:
			w.service.Step(context.Background())
			if w.wire.crashed.Load() { // the client's connection broke
				cancel()
				<-answered
				return false
			}
		}
	}
}

// cancel cancels the order as a client does: again, until it is told so.
func (w *world) cancel() {
	w.t.Helper()
	for range 20 {
		if w.cancelOnce() {
			return
		}
	}
	w.t.Fatal("the order was never canceled")
}

func (w *world) cancelOnce() bool {
	if w.wire.crashed.Load() {
		w.boot()
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	order, boots := w.order(), w.boots
	answered := make(chan error, 1)
	go func() {
		_, err := w.service.Cancel(ctx, order.ID, "changed my mind", w.clock.Now().Add(24*time.Hour))
		answered <- err
	}()
	for w.boots == boots && !w.wire.crashed.Load() {
		select {
		case err := <-answered:
			return err == nil
		default:
			w.run(0)
			w.clock.Advance(10 * time.Millisecond)
			runtime.Gosched()
		}
	}
	stop()
	<-answered
	return false // the connection broke: the client asks again
}

func (w *world) order() orders.Order {
	w.t.Helper()
	found, err := w.store.List(context.Background(), orders.Filter{Limit: 10})
	if err != nil || len(found) != 1 {
		w.t.Fatalf("%d orders stored (error %v), want exactly one", len(found), err)
	}
	return found[0]
}

// wanted is how the world must stand in the end, whatever went wrong.
type wanted struct {
	status   orders.Status
	payment  orders.PaymentStatus
	reason   string
	stock    int64
	captured int
	refunded int
}

func (w *world) check(want wanted) error {
	o := w.order()
	var captured, refunded int
	for _, c := range w.payments.charges {
		captured += c.captured
		refunded += c.refunded
		if c.notice {
			return errors.New("a notice was never acknowledged")
		}
	}
	got := wanted{o.Status, o.PaymentStatus, o.Reason, w.inventory.stock["SKU"], captured, refunded}
	if got != want {
		return fmt.Errorf("got %+v, want %+v", got, want)
	}
	if !o.Terminal() && o.Status != orders.AwaitingPayment {
		return fmt.Errorf("order is not done: %+v", o)
	}
	return w.checkEvents(o)
}

func (w *world) checkEvents(o orders.Order) error {
	events, err := w.store.Events(context.Background(), o.ID)
	if err != nil {
		return err
	}
	if int64(len(events)) != o.Version {
		return fmt.Errorf("%d events at version %d", len(events), o.Version)
	}
	for i, e := range events {
		if e.Version != int64(i+1) {
			return fmt.Errorf("event %d has version %d", i, e.Version)
		}
	}
	if last := events[len(events)-1]; last.Status != o.Status {
		return fmt.Errorf("last event says %s, the order %s", last.Status, o.Status)
	}
	if w.service.InFlight() != 0 {
		return fmt.Errorf("%d orders still in flight", w.service.InFlight())
	}
	return nil
}

func card(token string) orders.Request {
	return orders.Request{Customer: orders.Customer{Name: "Ana", Email: "ana@example.com"},
		Items: []orders.Item{{SKU: "SKU", Quantity: 2}}, Method: orders.Card, Token: token}
}

func pix() orders.Request {
	r := card("")
	r.Method = orders.Pix
	return r
}

// stories are an order's lives.
var stories = map[string]struct {
	tell func(w *world)
	want wanted
}{
	"card approved": {
		func(w *world) { w.place(card("tok_approved")); w.run(time.Minute) },
		wanted{orders.Confirmed, orders.PaymentPaid, "", units - 2, 1, 0},
	},
	"card declined": {
		func(w *world) { w.place(card("tok_declined")); w.run(time.Minute) },
		wanted{orders.Rejected, orders.PaymentNone, "payment_declined", units, 0, 0},
	},
	"card unknown, then found out": {
		func(w *world) { w.place(card("tok_unknown")); w.run(time.Minute) },
		wanted{orders.Confirmed, orders.PaymentPaid, "", units - 2, 1, 0},
	},
	"card slow": {
		func(w *world) { w.place(card("tok_slow")); w.run(time.Minute) },
		wanted{orders.Confirmed, orders.PaymentPaid, "", units - 2, 1, 0},
	},
	"out of stock": {
		func(w *world) { w.inventory.stock["SKU"] = 1; w.place(card("tok_approved")); w.run(time.Minute) },
		wanted{orders.Rejected, orders.PaymentNone, "out_of_stock", 1, 0, 0},
	},
	"out of stock, and then there is stock": {
		func(w *world) {
			w.inventory.stock["SKU"] = 1
			w.place(card("tok_approved"))
			w.run(time.Minute)
			w.inventory.stock["SKU"] = units
			w.wire.arrive()
			w.run(time.Minute)
		},
		wanted{orders.Rejected, orders.PaymentNone, "out_of_stock", units, 0, 0},
	},
	"canceled after it was confirmed": {
		func(w *world) {
			w.place(card("tok_approved"))
			w.run(time.Minute)
			w.cancel()
			w.run(time.Minute)
		},
		wanted{orders.Canceled, orders.PaymentRefunded, "changed my mind", units, 1, 1},
	},
	"poisonous": {
		func(w *world) { w.place(card("tok_poison")); w.run(time.Hour) },
		wanted{orders.Canceled, orders.PaymentNone, "unprocessable", units, 0, 0},
	},
	"pix paid": {
		func(w *world) { w.place(pix()); w.run(time.Minute); w.payments.payPix(); w.run(time.Minute) },
		wanted{orders.Confirmed, orders.PaymentPaid, "", units - 2, 1, 0},
	},
	"pix expired": {
		func(w *world) { w.place(pix()); w.run(pixExpiry + time.Minute) },
		wanted{orders.Canceled, orders.PaymentNone, "payment_expired", units, 0, 0},
	},
	"pix paid in the last moment": {
		func(w *world) {
			w.place(pix())
			w.run(time.Minute)
			w.clock.Advance(pixExpiry)
			w.payments.payPix()
			w.run(time.Minute)
		},
		wanted{orders.Confirmed, orders.PaymentPaid, "", units - 2, 1, 0},
	},
	"pix paid late, and there is stock": {
		func(w *world) {
			w.place(pix())
			w.run(pixExpiry + time.Minute)
			w.payments.payPix()
			w.run(time.Minute)
		},
		wanted{orders.Confirmed, orders.PaymentPaid, "", units - 2, 1, 0},
	},
	"pix paid late, and the stock is gone": {
		func(w *world) {
			w.place(pix())
			w.run(pixExpiry + time.Minute)
			w.inventory.stock["SKU"] = 0
			w.payments.payPix()
			w.run(time.Minute)
		},
		wanted{orders.Canceled, orders.PaymentRefunded, "payment_expired", 0, 1, 1},
	},
	"pix canceled, then paid": {
		func(w *world) {
			w.place(pix())
			w.run(time.Minute)
			w.cancel()
			w.run(time.Minute)
			w.payments.payPix()
			w.run(time.Minute)
		},
		wanted{orders.Canceled, orders.PaymentRefunded, "changed my mind", units, 1, 1},
	},
}

// TestSagaSurvivesEveryMishap tells each story once without a mishap, counts its calls, and then tells it again for each
// call and each mishap: the end is always the same.
func TestSagaSurvivesEveryMishap(t *testing.T) {
	t.Parallel()
	for name, story := range stories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calm := newWorld(t, 0, none)
			story.tell(calm)
			if err := calm.check(story.want); err != nil {
				t.Fatalf("without a mishap: %v", err)
			}
			for _, at := range calm.wire.interesting() {
				for what, mishap := range mishaps {
					w := newWorld(t, at, what)
					story.tell(w)
					w.wire.arrive()
					w.run(time.Minute)
					if err := w.check(story.want); err != nil {
						t.Errorf("%s call %d (%s): %v", mishap, at, calm.wire.names[at-1], err)
					}
				}
			}
		})
	}
}

// TestStockStaysWhileAPaymentIsInDoubt: an order is canceled while nobody knows whether it was paid. What its buyer may have
// paid for is not sold to others until that is known; then it is, whatever the refund still takes.
func TestStockStaysWhileAPaymentIsInDoubt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0, none)
	w.place(card("tok_lost"))
	w.run(5 * time.Second)
	w.cancel()
	w.run(time.Minute)
	if o, left := w.order(), w.inventory.stock["SKU"]; o.Status != orders.Canceled || o.PaymentStatus != orders.PaymentUnknown || left != units-2 {
		t.Errorf("in doubt: %s, %s, %d left", o.Status, o.PaymentStatus, left)
	}
	for _, c := range w.payments.charges {
		c.lost = false
		c.pay()
	}
	w.run(time.Minute)
	if err := w.check(wanted{orders.Canceled, orders.PaymentRefunded, "changed my mind", units, 1, 1}); err != nil {
		t.Errorf("paid after all: %v", err)
	}
}
