package orders_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

// errLost is a call whose answer never came.
var errLost = fault.Transient(errors.New("connection lost"))

// errCrashed is a call of a process that is dead.
var errCrashed = errors.New("process is dead")

// mishap is what goes wrong with one call.
type mishap int

const (
	none        mishap = iota
	failBefore         // the call does not happen, and fails
	failAfter          // the call happens, and its answer is lost
	repeat             // the call happens twice, as a retry of the network makes it
	crashBefore        // the process dies before the call
	crashAfter         // the process dies after the call
	late               // the call fails, and happens when nobody expects it any more
)

var mishaps = map[mishap]string{failBefore: "fail before", failAfter: "fail after", repeat: "repeat", crashBefore: "crash before", crashAfter: "crash after", late: "late"}

// wire carries every call of the saga to its store and its peers. One of the calls goes wrong. A client that cancels calls
// besides the saga.
type wire struct {
	at      int // the number of the call that goes wrong, from 1
	what    mishap
	crashed atomic.Bool

	mu      sync.Mutex
	calls   int
	names   []string
	delayed func() error // a call that is still on its way
}

// interesting numbers the calls that are worth a mishap: all but the polling, of which the first few stand for the rest.
func (w *wire) interesting() (numbers []int) {
	polls := 0
	for i, name := range w.names {
		if name == "payments.notices" {
			polls++
		}
		if name != "payments.notices" || polls <= 3 {
			numbers = append(numbers, i+1)
		}
	}
	return numbers
}

// arrive lets the call happen that is still on its way.
func (w *wire) arrive() {
	w.mu.Lock()
	call := w.delayed
	w.delayed = nil
	w.mu.Unlock()
	if call != nil {
		_ = call()
	}
}

// count numbers a call, and tells what happens to it.
func (w *wire) count(name string) mishap {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	w.names = append(w.names, name)
	if w.calls != w.at {
		return none
	}
	return w.what
}

// delay leaves a call on its way.
func (w *wire) delay(call func() error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delayed = call
}

func (w *wire) do(name string, call func() error) error {
	if w.crashed.Load() {
		return errCrashed
	}
	switch w.count(name) {
	case failBefore:
		return errLost
	case failAfter:
		_ = call()
		return errLost
	case repeat:
		_ = call()
	case crashBefore:
		w.crashed.Store(true)
		return errCrashed
	case late:
		if !strings.HasPrefix(name, "store.") { // a transaction is over when its connection is
			w.delay(call)
		}
		return errLost
	case crashAfter:
		_ = call()
		w.crashed.Store(true)
		return errCrashed
	}
	return call()
}

// wiredStore is a store at the end of the wire.
type wiredStore struct {
	orders.Store
	wire *wire
}

func (s wiredStore) Place(ctx context.Context, p []orders.Placement) (result []orders.Placing, err error) {
	err = s.wire.do("store.place", func() (err error) { result, err = s.Store.Place(ctx, p); return err })
	return result, err
}

func (s wiredStore) Save(ctx context.Context, c []orders.Change) (result []bool, err error) {
	err = s.wire.do("store.save", func() (err error) { result, err = s.Store.Save(ctx, c); return err })
	return result, err
}

func (s wiredStore) Get(ctx context.Context, ids []orders.ID) (result []orders.Order, err error) {
	err = s.wire.do("store.get", func() (err error) { result, err = s.Store.Get(ctx, ids); return err })
	return result, err
}

// holdKey names a hold.
type holdKey struct {
	order orders.ID
	round int
}

// fakeInventory is an inventory of one price, as idempotent as the real one.
type fakeInventory struct {
	wire  *wire
	stock map[string]int64
	held  map[holdKey][]orders.Item
	ended map[holdKey]bool
}

const unitPrice = 1990

func (f *fakeInventory) Hold(_ context.Context, holds []orders.HoldRequest) (results []orders.HoldResult, err error) {
	err = f.wire.do("inventory.hold", func() error {
		results = nil
		for _, h := range holds {
			results = append(results, f.hold(h))
		}
		return nil
	})
	return results, err
}

func (f *fakeInventory) hold(h orders.HoldRequest) orders.HoldResult {
	key := holdKey{h.OrderID, h.Round}
	if f.ended[key] {
		return orders.HoldResult{Verdict: orders.HoldReleased}
	}
	result := orders.HoldResult{Verdict: orders.HoldHeld}
	for _, item := range h.Items {
		item.Name, item.UnitPrice = "Thing", unitPrice
		result.Items = append(result.Items, item)
		result.Total += unitPrice * money.Cents(item.Quantity)
	}
	if _, ok := f.held[key]; ok {
		return result
	}
	if h.ExpectedTotal != nil && *h.ExpectedTotal != result.Total {
		result.Verdict = orders.HoldPriceChanged
		return result
	}
	for _, item := range h.Items {
		if f.stock[item.SKU] < item.Quantity {
			return orders.HoldResult{Verdict: orders.HoldOutOfStock, Shortages: []orders.Shortage{{SKU: item.SKU, Requested: item.Quantity, Available: f.stock[item.SKU]}}}
		}
	}
	for _, item := range h.Items {
		f.stock[item.SKU] -= item.Quantity
	}
	f.held[key] = h.Items
	return result
}

func (f *fakeInventory) Release(_ context.Context, releases []orders.ReleaseRequest) error {
	return f.wire.do("inventory.release", func() error {
		for _, r := range releases {
			key := holdKey{r.OrderID, r.Round}
			for _, item := range f.held[key] {
				f.stock[item.SKU] += item.Quantity
			}
			delete(f.held, key)
			f.ended[key] = true
		}
		return nil
	})
}

func (f *fakeInventory) Known(_ context.Context, skus []string) (known []string, err error) {
	err = f.wire.do("inventory.known", func() error {
		known = nil
		for _, sku := range skus {
			if _, ok := f.stock[sku]; ok {
				known = append(known, sku)
			}
		}
		return nil
	})
	return known, err
}

// fakeCharge is a charge, and the money that moved for it.
type fakeCharge struct {
	order              orders.ID
	status             orders.ChargeStatus
	captured, refunded int
	askedOnce          bool
	lost               bool // nobody finds out what became of it
	pix                *orders.PixCharge
	notice             bool
	version            int64
}

// fakePayments is a payments service, as idempotent as the real one. The token says what becomes of a card.
type fakePayments struct {
	wire    *wire
	clock   clock.Clock
	charges map[orders.PaymentID]*fakeCharge
}

func (f *fakePayments) Charge(_ context.Context, requests []orders.ChargeRequest) (results []orders.ChargeResult, err error) {
	err = f.wire.do("payments.charge", func() error {
		results = nil
		for _, r := range requests {
			if r.Token == "tok_poison" {
				return errors.New("refused: nobody knows why")
			}
		}
		for _, r := range requests {
			results = append(results, f.charge(r))
		}
		return nil
	})
	return results, err
}

func (f *fakePayments) charge(r orders.ChargeRequest) orders.ChargeResult {
	c, ok := f.charges[r.PaymentID]
	switch {
	case !ok:
		c = &fakeCharge{order: r.OrderID}
		f.charges[r.PaymentID] = c
		f.decide(c, r)
	case c.lost:
	case c.status == orders.ChargeUnknown, c.status == orders.ChargeProcessing:
		c.pay() // found out by the second time somebody asks
	}
	return orders.ChargeResult{Status: c.status, Pix: c.pix}
}

func (f *fakePayments) decide(c *fakeCharge, r orders.ChargeRequest) {
	switch {
	case r.Method == orders.Pix:
		c.status = orders.ChargePending
		c.pix = &orders.PixCharge{TxID: "tx", CopyPaste: "000201", ExpiresAt: f.clock.Now().Add(pixExpiry)}
	case r.Token == "tok_declined":
		c.status = orders.ChargeDeclined
	case r.Token == "tok_unknown", r.Token == "tok_lost":
		c.status, c.lost = orders.ChargeUnknown, r.Token == "tok_lost"
	case r.Token == "tok_slow":
		c.status = orders.ChargeProcessing
	default:
		c.pay()
	}
}

func (c *fakeCharge) pay() {
	c.status = orders.ChargePaid
	c.captured++
	c.version++
}

func (f *fakePayments) Close(_ context.Context, requests []orders.CloseRequest) (results []orders.ChargeResult, err error) {
	err = f.wire.do("payments.close", func() error {
		results = nil
		for _, r := range requests {
			results = append(results, f.close(r))
		}
		return nil
	})
	return results, err
}

func (f *fakePayments) close(r orders.CloseRequest) orders.ChargeResult {
	c, ok := f.charges[r.PaymentID]
	if !ok {
		c = &fakeCharge{order: r.OrderID, status: orders.ChargeVoided}
		f.charges[r.PaymentID] = c
	}
	switch c.status {
	case orders.ChargePending, orders.ChargeUnknown, orders.ChargeProcessing:
		if !c.lost {
			c.status = orders.ChargeVoided
		}
	case orders.ChargePaid:
		if r.Refund && !c.askedOnce {
			c.askedOnce = true // a refund takes its time: the first answer is not the last
			return orders.ChargeResult{Status: orders.ChargeRefunding}
		}
		if r.Refund {
			c.status = orders.ChargeRefunded
			c.refunded++
		}
	}
	return orders.ChargeResult{Status: c.status}
}

// payPix plays the payer. It is outside of the saga, so nothing goes wrong with it here.
func (f *fakePayments) payPix() {
	for _, c := range f.charges {
		if c.status == orders.ChargePending || c.status == orders.ChargeVoided {
			c.pay()
			c.notice = true
		}
	}
}

func (f *fakePayments) Notices(context.Context, int) (notices []orders.Notice, err error) {
	err = f.wire.do("payments.notices", func() error {
		notices = nil
		for id, c := range f.charges {
			if c.notice {
				notices = append(notices, orders.Notice{PaymentID: id, OrderID: c.order, Version: c.version, Result: orders.ChargeResult{Status: c.status}})
			}
		}
		return nil
	})
	return notices, err
}

func (f *fakePayments) Ack(_ context.Context, acks []orders.NoticeAck) error {
	return f.wire.do("payments.ack", func() error {
		for _, a := range acks {
			c, ok := f.charges[a.PaymentID]
			if !ok {
				return fmt.Errorf("ack of %s, which does not exist", a.PaymentID)
			}
			c.notice = c.notice && c.version != a.Version
		}
		return nil
	})
}
