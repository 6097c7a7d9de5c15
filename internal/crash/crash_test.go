//go:build linux

package crash

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestPlanReplays(t *testing.T) {
	t.Parallel()
	for _, counts := range append(slices.Clone(full), quick...) {
		one, again, other := plan(7, counts), plan(7, counts), plan(8, counts)
		if !reflect.DeepEqual(one, again) {
			t.Error("the same seed made another plan")
		}
		if reflect.DeepEqual(one, other) {
			t.Error("two seeds made one plan")
		}
		got := make(map[Kind]int)
		for _, f := range one {
			got[f.Kind]++
		}
		if !reflect.DeepEqual(got, counts) {
			t.Errorf("the plan has %v, want %v", got, counts)
		}
	}
}

// TestFullFormIsWhatIsPromised counts what `make crash` does at least.
func TestFullFormIsWhatIsPromised(t *testing.T) {
	t.Parallel()
	services, databases := 0, 0
	kinds := make(map[Kind]bool)
	for _, counts := range full {
		services += counts[Kill] + 2*counts[Failpoint]
		databases += counts[DatabaseKill] + counts[FailOver]
		for kind := range counts {
			kinds[kind] = true
		}
	}
	if services < 200 || databases < 25 || len(kinds) != len(kindNames) {
		t.Errorf("%d kills of services, %d of databases, %d of %d kinds", services, databases, len(kinds), len(kindNames))
	}
}

func TestEveryShapeCanHaveItsFaults(t *testing.T) {
	t.Parallel()
	for i, s := range shapes {
		for _, counts := range []map[Kind]int{full[i], quick[i]} {
			for kind := range counts {
				able := map[Kind]bool{DatabaseKill: s.postgres, FailOver: s.standby, DiskFull: s.small, Cut: s.split || s.postgres,
					Silence: s.split || s.postgres, Slow: s.split || s.postgres}
				if can, limited := able[kind]; limited && !can {
					t.Errorf("%s cannot have a %s", s.name, kind)
				}
			}
		}
	}
}

func TestLedgerIsReadBack(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger")
	l, err := openLedger(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []entry{{Word: intent, Key: "k"}, {Word: acknowledged, Key: "k", OrderID: "o", Status: "confirmed"}}
	for _, e := range want {
		if err := l.note(e); err != nil {
			t.Fatal(err)
		}
		got, err := readLedger(path) // what was noted is there, before the ledger is closed
		if err != nil || got[len(got)-1].Word != e.Word {
			t.Errorf("got %v, %v after %s", got, err, e.Word)
		}
	}
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
}

// sound is a small world in which everything is right, and the ledger that belongs to it.
func sound() ([]entry, world) {
	entries := []entry{
		{Word: intent, Key: "a"}, {Word: acknowledged, Key: "a", OrderID: "1", Status: "confirmed"},
		{Word: intent, Key: "b"}, {Word: acknowledged, Key: "b", OrderID: "2", Status: "rejected"},
		{Word: intent, Key: "c"}, {Word: acknowledged, Key: "c", OrderID: "3", Status: "placed"},
		{Word: intent, Key: "d"}, {Word: acknowledged, Key: "d", OrderID: "4", Status: "confirmed"},
		{Word: cancelIntent, Key: "d", OrderID: "4"}, {Word: canceled, Key: "d", OrderID: "4"},
		{Word: intent, Key: "e"}, {Word: acknowledged, Key: "e", OrderID: "5", Status: "awaiting_payment"},
		{Word: payIntent, Key: "e", OrderID: "5"}, {Word: paid, Key: "e", OrderID: "5"},
	}
	bought := func(id, status string) order {
		return order{ID: id, Status: status, TotalCents: 990, Items: []orderItem{{skus[0], 1}}}
	}
	took := func(received, refunded int64) []payment {
		p := payment{ReceivedCents: received, RefundedCents: refunded}
		p.Transfers = append(p.Transfers, struct {
			Kind string `json:"kind"`
		}{"capture"})
		return []payment{p}
	}
	w := world{
		orders:   []order{bought("1", "confirmed"), bought("2", "rejected"), bought("3", "confirmed"), bought("4", "canceled"), bought("5", "confirmed")},
		payments: map[string][]payment{"1": took(990, 0), "3": took(990, 0), "4": took(990, 990), "5": took(990, 0)},
	}
	for i, sku := range skus {
		held := int64(0)
		if i == 0 {
			held = 3
		}
		w.items = append(w.items, item{SKU: sku, OnHand: stockOf(sku), Held: held, Available: stockOf(sku) - held})
	}
	return entries, w
}

// TestJudgeHasTeeth breaks one thing of a sound world at a time.
func TestJudgeHasTeeth(t *testing.T) {
	t.Parallel()
	if v := judge(sound()); !v.Clean() || v.Acknowledged != 5 {
		t.Fatalf("the sound world is judged %+v", v)
	}
	for name, c := range map[string]struct {
		harm  func(*[]entry, *world)
		count func(*Verdict) int
	}{
		"an order is gone":              {func(_ *[]entry, w *world) { w.orders = w.orders[1:] }, lost},
		"a rejected order is confirmed": {func(_ *[]entry, w *world) { w.orders[1].Status = "confirmed" }, lost},
		"a cancel is forgotten":         {func(_ *[]entry, w *world) { w.orders[3].Status = "confirmed" }, lost},
		"a payer is forgotten":          {func(_ *[]entry, w *world) { w.orders[4].Status = "awaiting_payment" }, lost},
		"an order that nobody knows":    {func(_ *[]entry, w *world) { w.orders = append(w.orders, order{ID: "9", Status: "rejected"}) }, doubled},
		"one key, two orders": {func(e *[]entry, w *world) {
			*e = append(*e, entry{Word: acknowledged, Key: "a", OrderID: "2", Status: "confirmed"})
		}, doubled},
		"an order without an end":     {func(_ *[]entry, w *world) { w.orders[2].Status = "held" }, stuck},
		"an unknown payment":          {func(_ *[]entry, w *world) { w.orders[2].PaymentStatus = "unknown" }, stuck},
		"a request without an answer": {func(e *[]entry, _ *world) { *e = append(*e, entry{Word: intent, Key: "z"}) }, stuck},
		"a unit too many is held":     {func(_ *[]entry, w *world) { w.items[0].Held++; w.items[0].Available-- }, oversold},
		"a unit is not held":          {func(_ *[]entry, w *world) { w.items[0].Held--; w.items[0].Available++ }, oversold},
		"a unit is gone":              {func(_ *[]entry, w *world) { w.items[1].OnHand--; w.items[1].Available-- }, oversold},
		"an item is gone":             {func(_ *[]entry, w *world) { w.items = w.items[1:] }, oversold},
		"charged twice": {func(_ *[]entry, w *world) {
			w.payments["1"] = append(w.payments["1"], w.payments["1"]...)
		}, mischarged},
		"charged for nothing": {func(_ *[]entry, w *world) { w.payments["2"] = []payment{{ReceivedCents: 990}} }, mischarged},
		"not charged":         {func(_ *[]entry, w *world) { delete(w.payments, "3") }, mischarged},
		"not refunded":        {func(_ *[]entry, w *world) { w.payments["4"][0].RefundedCents = 0 }, mischarged},
	} {
		entries, w := sound()
		c.harm(&entries, &w)
		if v := judge(entries, w); c.count(v) == 0 || v.Clean() {
			t.Errorf("%s: judged %+v", name, v)
		}
	}
}

func lost(v *Verdict) int       { return v.Lost }
func doubled(v *Verdict) int    { return v.Doubled }
func stuck(v *Verdict) int      { return v.Stuck }
func oversold(v *Verdict) int   { return v.Oversold }
func mischarged(v *Verdict) int { return v.Mischarged }

func TestReportTellsAllThatMatters(t *testing.T) {
	t.Parallel()
	r := &Report{Seed: 42, LeftOut: []string{"the moon"}}
	r.add(Result{Shape: "b", Faults: map[Kind]int{Kill: 3}, Verdict: Verdict{Acknowledged: 7, Lost: 1, Findings: []string{"order x is gone"}}})
	r.add(Result{Shape: "a"})
	r.addControl(Control{Name: "control", Acknowledged: 10, Lost: 4})
	if r.clean() {
		t.Error("a lost order is clean")
	}
	var text strings.Builder
	r.Write(&text)
	for _, want := range []string{"(a) a\n(b) b\n", "LOST", "order x is gone", "4 of 10", "LEFT OUT: the moon", "FAILED", "seed 42"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, &text)
		}
	}
}

// TestReportIsReadBack: the verdict of `make prove` counts what a report's file says.
func TestReportIsReadBack(t *testing.T) {
	t.Parallel()
	want := Report{Results: []Result{{Shape: "any", Faults: map[Kind]int{}}}}
	for kind := range kindNames {
		want.Results[0].Faults[kind] = int(kind)
	}
	text, err := json.Marshal(&want)
	if err != nil {
		t.Fatal(err)
	}
	var got Report
	if err := json.Unmarshal(text, &got); err != nil || !maps.Equal(got.Results[0].Faults, want.Results[0].Faults) {
		t.Errorf("read back as %v: %v", got.Results, err)
	}
	if err := new(Kind).UnmarshalText([]byte("flood")); err == nil {
		t.Error("a kind that is none was read")
	}
}
