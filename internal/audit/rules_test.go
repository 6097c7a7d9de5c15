package audit

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

var start = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// about is an order of start with what a status usually has.
func about(status string, change func(*Order)) *facts {
	order := id.Floor[Order](start)
	o := &Order{ID: order, Status: status, PaymentStatus: "none", Total: 1000, Lines: []Line{{"a", 2}, {"b", 1}}, HoldRound: 1,
		Resting: true, UpdatedAt: start}
	if change != nil {
		change(o)
	}
	return &facts{id: order, order: o}
}

func (f *facts) holding(holds ...Hold) *facts {
	f.holds = holds
	return f
}

func (f *facts) charged(charges ...Charge) *facts {
	f.charges = charges
	return f
}

// round is a hold of what about's order sells.
func round(number int, released bool) Hold {
	return Hold{Round: number, Released: released, Lines: []Line{{"b", 1}, {"a", 1}, {"a", 1}}, Total: 1000}
}

// booked is a charge of 1000 in a status, of which this much is kept.
func booked(status string, kept money.Cents) Charge {
	return Charge{ID: PaymentID{1}, Status: status, Amount: 1000, Received: 1000, Refunded: 1000 - kept, Ledger: Balances{Provider: kept, Sales: -kept}}
}

func TestRules(t *testing.T) {
	t.Parallel()
	paid := func(status string) func(*Order) { return func(o *Order) { o.PaymentStatus = status } }
	moving := func(change func(*Order)) func(*Order) {
		return func(o *Order) {
			o.Resting, o.NextAttemptAt = false, start.Add(time.Minute)
			if change != nil {
				change(o)
			}
		}
	}
	for name, c := range map[string]struct {
		facts *facts
		want  []Kind
	}{
		"confirmed and paid":                  {about("confirmed", paid("paid")).holding(round(1, false)).charged(booked("paid", 1000)), nil},
		"confirmed by a second round":         {about("confirmed", func(o *Order) { o.PaymentStatus, o.HoldRound = "paid", 2 }).holding(round(1, true), round(2, false)).charged(booked("paid", 1000)), nil},
		"confirmed by another round":          {about("confirmed", func(o *Order) { o.PaymentStatus, o.HoldRound = "paid", 2 }).holding(round(1, false)).charged(booked("paid", 1000)), []Kind{HoldDiffers}},
		"held twice":                          {about("confirmed", paid("paid")).holding(round(1, false), round(2, false)).charged(booked("paid", 1000)), []Kind{HoldDiffers}},
		"held at another price":               {about("confirmed", func(o *Order) { o.PaymentStatus, o.Total = "paid", 999 }).holding(round(1, false)).charged(booked("paid", 1000)), []Kind{HoldDiffers, AmountDiffers}},
		"confirmed and free":                  {about("confirmed", func(o *Order) { o.PaymentStatus, o.Total = "paid", 0 }).holding(Hold{Round: 1, Lines: round(1, false).Lines}), nil},
		"confirmed, payment unknown":          {about("confirmed", paid("unknown")).holding(round(1, false)).charged(booked("paid", 1000)), []Kind{AmountDiffers}},
		"completed":                           {about("completed", paid("paid")).holding(round(1, true)).charged(booked("paid", 1000)), nil},
		"completed, and refunded":             {about("completed", paid("refunded")).charged(booked("refunded", 0)), nil},
		"completed, and a part is back":       {about("completed", paid("partially_refunded")).charged(Charge{Status: "paid", Amount: 1000, Received: 1000, Refunded: 400, Ledger: Balances{Provider: 600, Sales: -600}}), []Kind{LedgerDiffers}},
		"completed and still held":            {about("completed", paid("paid")).holding(round(1, false)).charged(booked("paid", 1000)), []Kind{StockKept}},
		"captured twice by one charge":        {about("confirmed", paid("paid")).holding(round(1, false)).charged(Charge{Status: "paid", Amount: 1000, Received: 2000, Ledger: Balances{Provider: 2000, Sales: -2000}}), []Kind{LedgerDiffers, CapturedTwice}},
		"placed":                              {about("placed", moving(nil)), nil},
		"placed, held and charged, unsettled": {about("placed", moving(func(o *Order) { o.Total, o.Lines = 0, nil })).holding(round(1, false)).charged(booked("paid", 1000)), nil},
		"placed and held twice":               {about("placed", moving(nil)).holding(round(1, false), round(2, false)), []Kind{HoldDiffers}},
		"held over another amount":            {about("held", moving(nil)).holding(round(1, false)).charged(Charge{Status: "paid", Amount: 7, Received: 7, Ledger: Balances{Provider: 7, Sales: -7}}), []Kind{AmountDiffers}},
		"awaiting":                            {about("awaiting_payment", func(o *Order) { o.NextAttemptAt = start.Add(time.Hour) }).holding(round(1, false)).charged(Charge{Status: "pending", Amount: 1000}), nil},
		"rejected":                            {about("rejected", nil).holding(round(1, true)).charged(Charge{Status: "declined", Amount: 1000}), nil},
		"canceled, owing both":                {about("canceled", moving(func(o *Order) { o.ReleaseDue, o.RefundDue = true, true })).holding(round(1, false)).charged(booked("paid", 1000)), nil},
		"canceled, refund under way":          {about("canceled", nil).charged(booked("refunding", 1000)), nil},
		"canceled, all is back":               {about("canceled", paid("refunded")).holding(round(1, true)).charged(booked("refunded", 0)), nil},
		"expired and paid late":               {about("canceled", moving(func(o *Order) { o.PaidLate, o.HoldRound = true, 2 })).holding(round(1, true), round(2, false)).charged(booked("paid", 1000)), nil},
		"a surplus is owed":                   {about("rejected", nil).charged(Charge{Status: "declined", Amount: 1000, Received: 5, Ledger: Balances{Provider: 5, Surplus: -5}}), nil},
		"a tombstone":                         {about("canceled", nil).charged(Charge{Status: "voided"}), nil},
		"late":                                {about("placed", func(o *Order) { o.Resting, o.NextAttemptAt = false, start }), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []Kind
			for _, f := range c.facts.judge(start.Add(2*time.Minute), 15*time.Minute) {
				got = append(got, f.Kind)
				if strings.Contains(f.Text, "%!") {
					t.Errorf("text %q", f.Text)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("found %v, want %v", got, c.want)
			}
		})
	}
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status string
		change func(*Order)
		since  time.Time
	}{
		"open since it was placed":      {"placed", func(o *Order) { o.UpdatedAt = start.Add(time.Hour) }, start},
		"owing since it was over":       {"canceled", func(o *Order) { o.UpdatedAt = start.Add(time.Hour) }, start.Add(time.Hour)},
		"waiting since its payer's end": {"awaiting_payment", func(o *Order) { o.PixExpiresAt = start.Add(time.Hour) }, start.Add(time.Hour)},
		"waiting, and nothing to pay":   {"awaiting_payment", func(*Order) {}, start},
	} {
		f := about(c.status, func(o *Order) {
			o.Resting, o.NextAttemptAt = false, start
			c.change(o)
		})
		if found := f.deadline(c.since.Add(time.Minute), time.Minute); len(found) != 0 {
			t.Errorf("%s: in time, and %+v", name, found)
		}
		if found := f.deadline(c.since.Add(time.Minute+1), time.Minute); len(found) != 1 || found[0].Kind != Overdue {
			t.Errorf("%s: late, and %+v", name, found)
		}
	}
}

// TestAnOrderThatIsTakenUpInVainIsOverdue: whoever takes an order up moves the time of the next attempt, and its age must not
// begin anew for that.
func TestAnOrderThatIsTakenUpInVainIsOverdue(t *testing.T) {
	t.Parallel()
	const deadline = 15 * time.Minute
	for _, status := range []string{"placed", "held", "awaiting_payment", "canceled"} {
		var age time.Duration
		for ; age <= deadline; age += 10 * time.Second {
			f := about(status, func(o *Order) {
				o.Resting, o.PixExpiresAt, o.NextAttemptAt = false, start, start.Add(age+10*time.Second)
			})
			if found := f.deadline(start.Add(age), deadline); len(found) != 0 {
				t.Fatalf("%s after %s: %+v", status, age, found)
			}
		}
		f := about(status, func(o *Order) {
			o.Resting, o.PixExpiresAt, o.NextAttemptAt = false, start, start.Add(age+10*time.Second)
		})
		if found := f.deadline(start.Add(age), deadline); len(found) != 1 || found[0].Kind != Overdue {
			t.Errorf("%s after %s: %+v", status, age, found)
		}
	}
}

// TestAChargeThatDoesNotEndIsOverdue, also when its order rests.
func TestAChargeThatDoesNotEndIsOverdue(t *testing.T) {
	t.Parallel()
	for status, kept := range map[string]money.Cents{"refunding": 1000, "unknown": 0} {
		c := booked(status, kept)
		c.EndingSince = start
		f := about("canceled", nil).charged(c)
		if found := f.judge(start.Add(time.Minute), time.Minute); len(found) != 0 {
			t.Errorf("%s: in time, and %+v", status, found)
		}
		found := f.judge(start.Add(time.Minute+1), time.Minute)
		if len(found) != 1 || found[0].Kind != Overdue || !slices.Equal(found[0].PaymentIDs, []PaymentID{c.ID}) || !strings.Contains(found[0].Text, c.ID.String()) {
			t.Errorf("%s: late, and %+v", status, found)
		}
	}
}

func TestLedgerRules(t *testing.T) {
	t.Parallel()
	sound := Ledger{Balances{Provider: 70, Sales: -60, Surplus: -10}, 100, 40, 10, 120, 50}
	if found := sound.findings(); len(found) != 0 {
		t.Fatalf("%+v", found)
	}
	for name, change := range map[string]func(*Ledger){
		"sum":      func(l *Ledger) { l.Provider++; l.ChargesReceived++ },
		"captured": func(l *Ledger) { l.Captured++ },
		"surplus":  func(l *Ledger) { l.SurplusOwed++ },
		"charges":  func(l *Ledger) { l.ChargesRefunded-- },
	} {
		l := sound
		change(&l)
		if found := l.findings(); len(found) != 1 || found[0].Kind != LedgerImbalance {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

func TestEveryKindIsExplained(t *testing.T) {
	t.Parallel()
	if len(Kinds()) != 14 {
		t.Errorf("%d kinds are explained", len(Kinds()))
	}
}

// shelf is a source of orders and nothing else, in pages as they are given.
type shelf struct {
	pages [][]Order
	next  []OrderID
	err   error // at the end of the pages

	unstocked, unsummed error
}

func (s *shelf) Orders(context.Context, Range) ([]Order, OrderID, error) {
	if len(s.pages) == 0 {
		return nil, OrderID{}, s.err
	}
	page, next := s.pages[0], s.next[0]
	s.pages, s.next = s.pages[1:], s.next[1:]
	return page, next, nil
}
func (*shelf) Holds(context.Context, Range) ([]Hold, OrderID, error)     { return nil, OrderID{}, nil }
func (*shelf) Charges(context.Context, Range) ([]Charge, OrderID, error) { return nil, OrderID{}, nil }
func (s *shelf) Stock(context.Context) ([]Imbalance, error)              { return nil, s.unstocked }
func (s *shelf) Ledger(context.Context) (Ledger, error)                  { return Ledger{}, s.unsummed }

// TestOrdersAreAuditedWithoutSums: a service that cannot sum its books in time, or at all, is an error, and hides nothing of the
// orders.
func TestOrdersAreAuditedWithoutSums(t *testing.T) {
	t.Parallel()
	slow := errors.New("took too long")
	for name, c := range map[string]struct {
		source shelf
		want   []Kind
	}{
		"neither":   {shelf{unstocked: slow, unsummed: slow}, []Kind{StockImbalance, LedgerImbalance}},
		"no stock":  {shelf{unstocked: slow}, []Kind{StockImbalance}},
		"no ledger": {shelf{unsummed: slow}, []Kind{LedgerImbalance}},
	} {
		c.source.pages, c.source.next = [][]Order{{{ID: id.Floor[Order](start), Status: placed}}}, []OrderID{{}}
		report, err := Run(t.Context(), Config{Source: &c.source, Clock: clock.System{}, Patience: 1})
		if !errors.Is(err, slow) || report == nil {
			t.Errorf("%s: %+v, %v", name, report, err)
			continue
		}
		if !slices.Equal(report.Unchecked, c.want) || report.Orders != 1 || report.Reread != 1 || report.EndedAt.IsZero() {
			t.Errorf("%s: %+v", name, report)
		}
	}
	both := &shelf{unstocked: slow, err: errors.New("connection lost")}
	if report, err := Run(t.Context(), Config{Source: both, Clock: clock.System{}}); report != nil || !errors.Is(err, slow) || !errors.Is(err, both.err) {
		t.Errorf("without orders: %+v, %v", report, err)
	}
}

// TestAnAuditThatCannotBeDoneSaysSo: a source that fails, or whose order cannot be trusted, is no clean bill.
func TestAnAuditThatCannotBeDoneSaysSo(t *testing.T) {
	t.Parallel()
	one, two, broken := OrderID{1}, OrderID{2}, errors.New("connection lost")
	for name, source := range map[string]*shelf{
		"a service fails":             {err: broken},
		"a page goes back":            {pages: [][]Order{{{ID: two}, {ID: one}}}, next: []OrderID{{}}},
		"a page begins too early":     {pages: [][]Order{{{ID: one}}, {{ID: one}}}, next: []OrderID{two, {}}},
		"the next page is no further": {pages: [][]Order{{{ID: two}}}, next: []OrderID{two}},
	} {
		report, err := Run(t.Context(), Config{Source: source, Clock: clock.System{}})
		if err == nil || source.err != nil && !errors.Is(err, broken) {
			t.Errorf("%s: %+v, %v", name, report, err)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := Run(ended, Config{Source: &shelf{}, Clock: clock.System{}}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if _, err := Run(t.Context(), Config{Clock: clock.System{}}); err == nil {
		t.Error("an audit without a source")
	}
}

// TestWhatIsLeftOutIsCountedToAPage: no audit reads a campaign's last half minute to say how much it was.
func TestWhatIsLeftOutIsCountedToAPage(t *testing.T) {
	t.Parallel()
	source := &shelf{pages: [][]Order{{{ID: OrderID{250}}, {ID: OrderID{251}}}, nil}, next: []OrderID{{252}, {}}}
	report, err := Run(t.Context(), Config{Source: source, Clock: clock.System{}, MinAge: time.Minute})
	if err != nil || report.Younger != 2 || !report.YoungerMore || report.Orders != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestReportsAreBounded: a thousand findings end the audit.
func TestReportsAreBounded(t *testing.T) {
	t.Parallel()
	source := &shelf{pages: [][]Order{nil}, next: []OrderID{{}}}
	for i := range MaxFindings + 1000 {
		o := *about("confirmed", nil).order
		o.ID[14], o.ID[15] = byte(i>>8), byte(i)
		source.pages[0] = append(source.pages[0], o)
	}
	report, err := Run(t.Context(), Config{Source: source, Clock: clock.System{}, Patience: time.Microsecond})
	if err != nil {
		t.Fatal(err)
	}
	// Read again they are gone, since the shelf is empty: so nothing of them is reported, and all were looked at twice.
	if !report.OK() || report.Reread != MaxFindings+1000 || report.Dismissed != report.Reread {
		t.Errorf("%d findings, %d read again, %d dismissed", len(report.Findings), report.Reread, report.Dismissed)
	}
	source.pages, source.next = [][]Order{nil}, []OrderID{{}}
	a := &auditor{Config: Config{Source: source, Clock: clock.System{}}}
	for range MaxFindings + 1 {
		a.found(Finding{Kind: Overdue})
	}
	if !a.full() || !a.report.Truncated || len(a.report.Findings) != MaxFindings {
		t.Errorf("%d findings, truncated %v", len(a.report.Findings), a.report.Truncated)
	}
}
