// Package storetest is the conformance suite of orders.Store: every sentence of the interface's comments, as a test. An
// engine passes it or it is no engine.
package storetest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// Run runs the suite. open answers an empty store, whose clean-up it has registered with its argument.
func Run(t *testing.T, open func(t *testing.T) orders.Store) {
	suites := map[string]map[string]func(*fixture){
		"Place": placeTests, "Save": saveTests, "Read": readTests, "Claim": claimTests, "List": listTests, "Open": openTests, "States": stateTests,
	}
	for group, tests := range suites {
		for name, test := range tests {
			t.Run(group+"/"+name, func(t *testing.T) {
				t.Parallel()
				test(newFixture(t, open(t)))
			})
		}
	}
	t.Run("History", func(t *testing.T) {
		t.Parallel()
		History(t, open(t))
	})
}

// start is the fixtures' first moment: not a round second, so that a lost microsecond shows.
var start = time.Date(2026, 11, 27, 12, 0, 0, 123_457_000, time.UTC)

// steps is a clock that goes on by a millisecond a look, so that ids are as far apart as their orders.
type steps struct{ passed atomic.Int64 }

func (s *steps) Now() time.Time {
	return start.Add(time.Duration(s.passed.Add(1)) * time.Millisecond)
}

func (s *steps) AfterFunc(time.Duration, func()) { panic("a store needs no timer") }

var _ clock.Clock = (*steps)(nil)

// fixture is one test's store and what it makes its orders of.
type fixture struct {
	*testing.T
	store orders.Store
	clock *steps
	ids   *id.Source
	keys  atomic.Int64
}

func newFixture(t *testing.T, store orders.Store) *fixture {
	c := &steps{}
	// The id's random part is fixed: the microsecond makes it unique.
	return &fixture{T: t, store: store, clock: c, ids: id.NewSource(c, zeros{})}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// fatal ends the test on an error.
func (f *fixture) fatal(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func keyOf(name string) orders.IdempotencyKey      { return sha256.Sum256([]byte("key " + name)) }
func fingerprintOf(name string) orders.Fingerprint { return sha256.Sum256([]byte("body " + name)) }

// request is an ordinary order of these SKUs.
func request(skus ...string) orders.Request {
	r := orders.Request{
		Customer: orders.Customer{Name: "Ana Souza", Email: "Ana.Souza@Example.com", Document: "52998224725"},
		Method:   orders.Card, Token: "tok_approved",
	}
	for i, sku := range skus {
		r.Items = append(r.Items, orders.Item{SKU: sku, Quantity: int64(i + 1)})
	}
	return r
}

// order is a new order that is due in a minute.
func (f *fixture) order(r orders.Request) orders.Order {
	now := f.clock.Now()
	o := orders.NewOrder(newID[orders.ID](f), newID[orders.PaymentID](f), "caller-1", r, now)
	o.NextAttemptAt = now.Add(time.Minute)
	return o
}

// newID makes an id of any kind: outside package orders, the kind of a payment's cannot be named.
func newID[I ~[16]byte](f *fixture) I { return I(id.New[orders.Order](f.ids)) }

// placement is a new order under a key of its own.
func (f *fixture) placement(r orders.Request) orders.Placement {
	name := fmt.Sprint(f.keys.Add(1))
	return orders.Placement{Order: f.order(r), Key: keyOf(name), Fingerprint: fingerprintOf(name)}
}

// placed writes n orders and returns them as they were placed.
func (f *fixture) placed(n int) []orders.Order {
	f.Helper()
	placements := make([]orders.Placement, n)
	for i := range placements {
		placements[i] = f.placement(request("SKU-1", "SKU-2"))
	}
	f.place(placements...)
	return ordersOf(placements)
}

// place writes placements that must all be new.
func (f *fixture) place(placements ...orders.Placement) {
	f.Helper()
	placings, err := f.store.Place(f.Context(), placements)
	f.fatal(err)
	if len(placings) != len(placements) {
		f.Fatalf("%d answers to %d placements", len(placings), len(placements))
	}
	for i, p := range placings {
		if p.Existing {
			f.Fatalf("placement %d exists already", i)
		}
	}
}

func ordersOf(placements []orders.Placement) []orders.Order {
	out := make([]orders.Order, len(placements))
	for i, p := range placements {
		out[i] = p.Order
	}
	return out
}

// get reads one order that must be there.
func (f *fixture) get(i orders.ID) orders.Order {
	f.Helper()
	found, err := f.store.Get(f.Context(), []orders.ID{i})
	f.fatal(err)
	if len(found) != 1 {
		f.Fatalf("found %d orders %s, want 1", len(found), i)
	}
	if len(found[0].Events()) != 0 {
		f.Errorf("order %s was read with events of its own", i)
	}
	return found[0]
}

// absent says that nothing is left of these orders.
func (f *fixture) absent(all ...orders.Order) {
	f.Helper()
	for _, o := range all {
		found, err := f.store.Get(f.Context(), []orders.ID{o.ID})
		f.fatal(err)
		events, err := f.store.Events(f.Context(), o.ID)
		f.fatal(err)
		listed, err := f.store.List(f.Context(), orders.Filter{From: o.ID, Before: after(o.ID), Limit: 1})
		f.fatal(err)
		if len(found)+len(events)+len(listed) > 0 {
			f.Errorf("order %s is there: %d orders, %d events, %d listed", o.ID, len(found), len(events), len(listed))
		}
	}
}

// after is the next id.
func after(i orders.ID) orders.ID {
	for at := len(i) - 1; at >= 0; at-- {
		if i[at]++; i[at] != 0 {
			break
		}
	}
	return i
}

// same says that the store's order is the one wanted, to the last byte of its stored form.
func (f *fixture) same(got, want orders.Order) {
	f.Helper()
	if g, w := stored(got), stored(want); g != w {
		f.Errorf("order is\n%s\nwant\n%s", g, w)
	}
}

// stored prints what a store keeps of an order.
func stored(o orders.Order) string {
	row, err := o.Row()
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s payment=%s caller=%q email=%q %s/%s/%s v%d lease=%d next=%d created=%d updated=%d request=%s progress=%s",
		row.ID, row.PaymentID, row.Caller, row.Email, row.Status, row.PaymentStatus, row.FulfillmentStatus, row.Version,
		row.Lease, row.NextAttemptAt, row.CreatedAt, row.UpdatedAt, row.Request, row.Progress)
}

// timeline says that the store has these events of an order.
func (f *fixture) timeline(i orders.ID, want []orders.Event) {
	f.Helper()
	got, err := f.store.Events(f.Context(), i)
	f.fatal(err)
	if !reflect.DeepEqual(got, want) {
		f.Errorf("events of %s are\n%+v\nwant\n%+v", i, got, want)
	}
}

// change is what a transition of an order asks the store to write.
func change(o orders.Order, transition func(*orders.Order)) orders.Change {
	from := o.Version
	before := len(o.Events())
	transition(&o)
	return orders.Change{Order: o, FromVersion: from, Events: slices.Clone(o.Events()[before:])}
}

// held moves a placed order on.
func (f *fixture) held(o *orders.Order) { f.fatal(o.ApplyHold(f.allHeld(o), f.clock.Now(), false)) }

// allHeld is inventory's answer when there is enough of everything.
func (f *fixture) allHeld(o *orders.Order) orders.HoldResult {
	lines := slices.Clone(o.Items)
	for i := range lines {
		lines[i].Name, lines[i].UnitPrice = "Camiseta", 1990
	}
	return orders.HoldResult{Verdict: orders.HoldHeld, Items: lines, Total: 5970}
}

// rejected ends a placed order, for which there is not enough.
func (f *fixture) rejected(o *orders.Order) {
	f.fatal(o.ApplyHold(orders.HoldResult{Verdict: orders.HoldOutOfStock}, f.clock.Now(), false))
	o.NextAttemptAt = time.Time{}
}

// charged moves a held order on.
func (f *fixture) charged(status orders.ChargeStatus) func(*orders.Order) {
	return func(o *orders.Order) {
		result := orders.ChargeResult{Status: status}
		if status == orders.ChargePending {
			result.Pix = &orders.PixCharge{TxID: "tx", CopyPaste: "000201", QRCodeURL: "/qr", ExpiresAt: start.Add(time.Hour)}
		}
		_, err := o.ApplyCharge(result, f.clock.Now())
		f.fatal(err)
	}
}

// save writes changes that must all be taken.
func (f *fixture) save(changes ...orders.Change) {
	f.Helper()
	saved, err := f.store.Save(f.Context(), changes)
	f.fatal(err)
	if len(saved) != len(changes) || slices.Contains(saved, false) {
		f.Fatalf("saved %v of %d changes, want all", saved, len(changes))
	}
}

func byID(all []orders.Order) []orders.Order {
	slices.SortFunc(all, func(a, b orders.Order) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return all
}
