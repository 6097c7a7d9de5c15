package inventory

import (
	"bytes"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

var now = time.UnixMicro(1_800_000_000_000_000).UTC()

type still struct{ clock.System }

func (still) Now() time.Time { return now }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// source makes the same ids in every test.
func source() *id.Source { return id.NewSource(still{}, zeros{}) }

func newOrders(n int) []OrderID {
	ids := source()
	orders := make([]OrderID, n)
	for i := range orders {
		orders[i] = id.New[order](ids)
	}
	return orders
}

func hold(who OrderID, lines ...Line) Hold { return Hold{OrderID: who, Round: 1, Lines: lines} }

func verdicts(d Decision) (all []Verdict) {
	for _, r := range d.Results {
		all = append(all, r.Verdict)
	}
	return all
}

func want(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

func TestHoldsShareOneBatchOfStock(t *testing.T) {
	t.Parallel()
	o := newOrders(3)
	items := []Item{{SKU: "a", Name: "A", Price: 5, OnHand: 10, Held: 7}, {SKU: "b", Name: "B", Price: 1, OnHand: 9}}
	d := DecideHolds(items, nil, []Hold{
		hold(o[0], Line{"a", 2}, Line{"b", 1}),
		hold(o[1], Line{"b", 1}, Line{"a", 2}),
		hold(o[2], Line{"a", 1}),
	}, now, source())
	want(t, verdicts(d), []Verdict{Held, OutOfStock, Held})
	m := d.Movements
	if len(m) != 3 {
		t.Fatalf("%d movements, want 3", len(m))
	}
	want(t, d.Changes, []Change{{SKU: "a", HeldDelta: 3, LastMovement: m[2].ID}, {SKU: "b", HeldDelta: 1, LastMovement: m[1].ID}})
	want(t, []int64{m[0].HeldAfter, m[1].HeldAfter, m[2].HeldAfter}, []int64{9, 1, 10})
	want(t, []MovementID{m[0].Previous, m[1].Previous, m[2].Previous}, []MovementID{{}, {}, m[0].ID})
	want(t, items[0].Held, int64(7)) // what was passed in is not touched
}

func TestHoldsOfTheSameRoundHoldOnce(t *testing.T) {
	t.Parallel()
	again := hold(newOrders(1)[0], Line{"a", 2})
	d := DecideHolds([]Item{{SKU: "a", Name: "A", Price: 5, OnHand: 3}}, nil, []Hold{again, again, again}, now, source())
	want(t, verdicts(d), []Verdict{Held, Held, Held})
	want(t, d.States, []HoldState{{OrderID: again.OrderID, Round: 1, Lines: d.Results[0].Lines}})
	want(t, len(d.Movements), 1)
}

func TestHoldsContinueTheChain(t *testing.T) {
	t.Parallel()
	last := id.New[movement](source())
	d := DecideHolds([]Item{{SKU: "a", Price: 5, OnHand: 1, LastMovement: last}}, nil, []Hold{hold(newOrders(1)[0], Line{"a", 1})}, now, source())
	want(t, d.Movements[0].Previous, last)
}

func TestStatesAreInOrderOfKeys(t *testing.T) {
	t.Parallel()
	o := newOrders(4)
	items := []Item{{SKU: "a", Price: 5, OnHand: 10}}
	late := hold(o[1], Line{"a", 1})
	late.Round = 2
	d := DecideHolds(items, nil, []Hold{hold(o[3], Line{"a", 1}), late, hold(o[0], Line{"a", 1}), hold(o[1], Line{"a", 1})}, now, source())
	for i := 1; i < len(d.States); i++ {
		a, b := d.States[i-1], d.States[i]
		if c := bytes.Compare(a.OrderID[:], b.OrderID[:]); c > 0 || (c == 0 && a.Round >= b.Round) {
			t.Errorf("state %d: %s %d stands after %s %d", i, b.OrderID, b.Round, a.OrderID, a.Round)
		}
	}
	want(t, len(d.States), 4)
}

func TestHoldsWhoseTotalOverflowsAreRefused(t *testing.T) {
	t.Parallel()
	d := DecideHolds([]Item{{SKU: "a", Price: math.MaxInt64, OnHand: 2}}, nil, []Hold{hold(newOrders(1)[0], Line{"a", 2})}, now, source())
	want(t, verdicts(d), []Verdict{PriceChanged})
	want(t, len(d.Changes)+len(d.States)+len(d.Movements), 0)
}

func TestQuantitiesThatOverflowAreShort(t *testing.T) {
	t.Parallel()
	lines := []Line{{"a", 1}, {"a", math.MaxInt64}, {"a", math.MaxInt64}}
	d := DecideHolds([]Item{{SKU: "a", Price: 1, OnHand: 2}}, nil, []Hold{hold(newOrders(1)[0], lines...)}, now, source())
	want(t, d.Results, []HoldResult{{Verdict: OutOfStock, Shortages: []Shortage{{"a", math.MaxInt64, 2}}}})
}

func TestReleasesOfTheSameRoundGiveBackOnce(t *testing.T) {
	t.Parallel()
	o := newOrders(2)
	known := []HoldState{{OrderID: o[0], Round: 1, Lines: []PricedLine{{SKU: "a", Quantity: 2}, {SKU: "a", Quantity: 1}}}}
	items := []Item{{SKU: "a", Price: 1, OnHand: 9, Held: 5}}
	d := DecideReleases(items, known, []Release{{o[0], 1, "r"}, {o[1], 1, "r"}, {o[0], 1, "r"}, {o[1], 1, "r"}}, now, source())
	want(t, d.Changes, []Change{{SKU: "a", HeldDelta: -3, LastMovement: d.Movements[1].ID}})
	want(t, d.States, []HoldState{
		{OrderID: o[0], Round: 1, Released: true, Lines: known[0].Lines},
		{OrderID: o[1], Round: 1, Released: true},
	})
}

func TestSKUsToLock(t *testing.T) {
	t.Parallel()
	o := newOrders(2)
	want(t, HoldSKUs([]Hold{hold(o[0], Line{"b", 1}, Line{"a", 1}), hold(o[1], Line{"B", 1}, Line{"b", 1})}), []SKU{"B", "a", "b"})
	want(t, HeldSKUs([]HoldState{
		{Lines: []PricedLine{{SKU: "b"}, {SKU: "a"}}}, {Released: true, Lines: []PricedLine{{SKU: "c"}}}, {Lines: []PricedLine{{SKU: "b"}}},
	}), []SKU{"a", "b"})
}

func TestDecideAdjustment(t *testing.T) {
	t.Parallel()
	item := Item{SKU: "a", OnHand: 10, Held: 4}
	for _, test := range []struct {
		delta, onHand int64
		err           error
	}{
		{1, 11, nil},
		{-6, 4, nil},
		{-7, 0, ErrHeldUnits},
		{math.MinInt64, 0, ErrHeldUnits},
		{MaxOnHand - 10, MaxOnHand, nil},
		{MaxOnHand - 9, 0, ErrTooMuchStock},
		{math.MaxInt64, 0, ErrTooMuchStock},
	} {
		made, m, err := DecideAdjustment(item, NewAdjustment{Adjustment: Adjustment{SKU: "a", Delta: test.delta}}, source())
		if !errors.Is(err, test.err) || made.OnHand != test.onHand || m.OnHandAfter != test.onHand {
			t.Errorf("delta %d: %d on hand, movement to %d, %v; want %d, %v", test.delta, made.OnHand, m.OnHandAfter, err, test.onHand, test.err)
		}
	}
}

func TestTotal(t *testing.T) {
	t.Parallel()
	total, err := Total([]PricedLine{{UnitPrice: 3, Quantity: 2}, {UnitPrice: 5, Quantity: 1}})
	if total != 11 || err != nil {
		t.Errorf("total %d, %v; want 11", total, err)
	}
	if _, err = Total([]PricedLine{{UnitPrice: math.MaxInt64, Quantity: 1}, {UnitPrice: 1, Quantity: 1}}); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("error %v, want overflow", err)
	}
}
