package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
)

// Kind names what is wrong. The set is closed, so that it can be a metric's label.
type Kind string

// The kinds.
const (
	HoldWithoutOrder   Kind = "hold_without_order"
	HoldMissing        Kind = "hold_missing"
	HoldDiffers        Kind = "hold_differs"
	StockKept          Kind = "stock_kept"
	StockImbalance     Kind = "stock_imbalance"
	ChargeWithoutOrder Kind = "charge_without_order"
	CaptureMissing     Kind = "capture_missing"
	CapturedTwice      Kind = "captured_twice"
	AmountDiffers      Kind = "amount_differs"
	MoneyKept          Kind = "money_kept"
	PaymentUnheard     Kind = "payment_unheard"
	LedgerDiffers      Kind = "ledger_differs"
	LedgerImbalance    Kind = "ledger_imbalance"
	Overdue            Kind = "order_overdue"
)

// Kinds lists every kind with what it means.
func Kinds() map[Kind]string {
	return map[Kind]string{
		HoldWithoutOrder:   "stock is held, or was, for an order that is not there",
		HoldMissing:        "an order was promised stock that is not held",
		HoldDiffers:        "what is held is not what the order sells",
		StockKept:          "an order that is over still holds stock",
		StockImbalance:     "an item's stock is not the sum of its movements, or not what orders hold",
		ChargeWithoutOrder: "there is a charge of an order that is not there",
		CaptureMissing:     "an order is confirmed, and its money never came",
		CapturedTwice:      "an order was paid more than once",
		AmountDiffers:      "what was captured is not what the order costs",
		MoneyKept:          "an order that is over still keeps its buyer's money",
		PaymentUnheard:     "an order waits for its payer, who has paid",
		LedgerDiffers:      "a charge and its rows of the ledger disagree",
		LedgerImbalance:    "the ledger does not sum to zero, or not to what is kept beside it",
		Overdue:            "an order, or the end of its payment, is older than its deadline, or nobody will take it up",
	}
}

// Finding is one thing that is wrong, and the ids in question: of an order and its payments, or of an item.
type Finding struct {
	Kind       Kind
	OrderID    OrderID
	PaymentIDs []PaymentID
	SKU        string
	Text       string // a sentence for a person, with the ids
}

// The statuses that the rules know of orders and of charges, as the contracts spell them.
const (
	placed    = "placed"
	held      = "held"
	awaiting  = "awaiting_payment"
	confirmed = "confirmed"
	completed = "completed"

	paid              = "paid"
	refunding         = "refunding"
	refunded          = "refunded"
	partiallyRefunded = "partially_refunded"
)

// facts is all that is known of one order.
type facts struct {
	id      OrderID
	order   *Order // nil: there is none
	holds   []Hold
	charges []Charge
}

// judge applies every rule.
func (f *facts) judge(now time.Time, deadline time.Duration) []Finding {
	findings := f.books()
	if f.order == nil {
		return append(findings, f.orphans()...)
	}
	findings = append(findings, f.stock()...)
	findings = append(findings, f.money()...)
	findings = append(findings, f.deadline(now, deadline)...)
	return append(findings, f.ending(now, deadline)...)
}

func (f *facts) finding(kind Kind, payments []PaymentID, format string, args ...any) []Finding {
	return []Finding{{Kind: kind, OrderID: f.id, PaymentIDs: payments, Text: say("order "+f.id.String()+" "+format, args...)}}
}

// orphans are left where an order was lost: it is durable before anything is held or charged for it.
func (f *facts) orphans() (findings []Finding) {
	if len(f.holds) > 0 {
		findings = append(findings, f.finding(HoldWithoutOrder, nil, "is not stored, and holds %s", units(unreleased(f.holds)))...)
	}
	if len(f.charges) > 0 {
		findings = append(findings, f.finding(ChargeWithoutOrder, paymentIDs(f.charges), "is not stored, and was charged: %s are kept", kept(f.charges))...)
	}
	return findings
}

// stock: every held unit belongs to an order that is open or not yet shipped, and every such order has its units.
func (f *facts) stock() []Finding {
	o, rounds := f.order, unreleased(f.holds)
	switch o.Status {
	case held, awaiting, confirmed:
		return f.promised(rounds)
	case placed:
		if len(rounds) > 1 {
			return f.finding(HoldDiffers, nil, "is held %d times", len(rounds))
		}
		return nil
	}
	if len(rounds) > 0 && !o.ReleaseDue && !o.PaidLate {
		return f.finding(StockKept, nil, "is %s, and still holds %s", o.Status, units(rounds))
	}
	return nil
}

func (f *facts) promised(rounds []Hold) []Finding {
	o := f.order
	switch {
	case len(rounds) == 0:
		return f.finding(HoldMissing, nil, "is %s, and no stock is held for it", o.Status)
	case len(rounds) > 1:
		return f.finding(HoldDiffers, nil, "is %s, and is held %d times: %s", o.Status, len(rounds), units(rounds))
	case rounds[0].Round != o.HoldRound:
		return f.finding(HoldDiffers, nil, "is %s by round %d, and round %d is held", o.Status, o.HoldRound, rounds[0].Round)
	case !slices.Equal(bySKU(rounds[0].Lines), bySKU(o.Lines)):
		return f.finding(HoldDiffers, nil, "is %s over %s, and holds %s", o.Status, unitsOf(o.Lines), units(rounds))
	case rounds[0].Total != o.Total:
		return f.finding(HoldDiffers, nil, "is %s over %s, and was held at %s", o.Status, o.Total, rounds[0].Total)
	}
	return nil
}

// money: every captured cent belongs to an order that is confirmed, refunded or about to be, and every confirmed order has
// exactly its total.
func (f *facts) money() []Finding {
	o, kept := f.order, kept(f.charges)
	if n := countPaid(f.charges); n > 1 {
		return f.finding(CapturedTwice, paymentIDs(f.charges), "costs %s, and was paid by %d charges: %s are kept", o.Total, n, kept)
	}
	switch o.Status {
	case confirmed, completed:
		return f.sold(kept)
	case awaiting:
		if kept != 0 {
			return f.finding(PaymentUnheard, paymentIDs(f.charges), "waits for its payer, who has paid %s", kept)
		}
	case placed, held:
		if kept != 0 && o.Total != 0 && kept != o.Total {
			return f.finding(AmountDiffers, paymentIDs(f.charges), "costs %s, and %s were captured", o.Total, kept)
		}
	default:
		if kept != 0 && !o.RefundDue && !o.PaidLate && !isRefunding(f.charges) {
			return f.finding(MoneyKept, paymentIDs(f.charges), "is %s, and %s are kept", o.Status, kept)
		}
	}
	return nil
}

// sold is about an order that goes to its buyer.
func (f *facts) sold(kept money.Cents) []Finding {
	o, payments := f.order, paymentIDs(f.charges)
	switch {
	case o.PaymentStatus == refunded && kept == 0, o.PaymentStatus == partiallyRefunded && 0 < kept && kept < o.Total:
		return nil
	case kept == o.Total && (o.PaymentStatus == paid):
		return nil
	case kept == 0 && o.Total != 0:
		return f.finding(CaptureMissing, payments, "is %s over %s, and nothing was captured", o.Status, o.Total)
	case kept >= 2*o.Total && o.Total != 0:
		return f.finding(CapturedTwice, payments, "costs %s, and %s were captured", o.Total, kept)
	}
	return f.finding(AmountDiffers, payments, "is %s over %s (payment %s), and %s were captured", o.Status, o.Total, o.PaymentStatus, kept)
}

// books: a charge and its rows of the ledger tell the same.
func (f *facts) books() (findings []Finding) {
	for i := range f.charges {
		c := &f.charges[i]
		var sales money.Cents
		if c.Status == paid || c.Status == refunding {
			sales = c.Amount
		}
		l := c.Ledger
		if l.Provider+l.Sales+l.Surplus == 0 && l.Provider == c.Received-c.Refunded && l.Sales == -sales {
			continue
		}
		findings = append(findings, f.finding(LedgerDiffers, []PaymentID{c.ID},
			"has payment %s, %s over %s with %s received and %s refunded, and in the ledger are %s at the provider, %s of sales and %s of surplus",
			c.ID, c.Status, c.Amount, c.Received, c.Refunded, l.Provider, -l.Sales, -l.Surplus)...)
	}
	return findings
}

// deadline: every order gets to a state in which it can stay, in time.
func (f *facts) deadline(now time.Time, deadline time.Duration) []Finding {
	o := f.order
	if o.Resting && o.Status != awaiting {
		return nil
	}
	if o.NextAttemptAt.IsZero() {
		return f.finding(Overdue, nil, "is %s, and nobody will take it up", o.Status)
	}
	since := o.ID.Time()
	switch o.Status {
	case placed, held:
	case awaiting:
		if !o.PixExpiresAt.IsZero() { // until then it is its payer's time
			since = o.PixExpiresAt
		}
	default:
		since = o.UpdatedAt // it was over by then, and owes something since
	}
	if age := now.Sub(since); age > deadline {
		return f.finding(Overdue, nil, "is %s and not done after %s", o.Status, age.Round(time.Second))
	}
	return nil
}

// ending: a charge that is to be closed or given back is so in time. Its order may be at rest: money that came late goes back
// without it.
func (f *facts) ending(now time.Time, deadline time.Duration) (findings []Finding) {
	for i := range f.charges {
		c := &f.charges[i]
		if age := now.Sub(c.EndingSince); !c.EndingSince.IsZero() && age > deadline {
			findings = append(findings, f.finding(Overdue, []PaymentID{c.ID}, "has payment %s, %s, which is to end and does not after %s", c.ID, c.Status, age.Round(time.Second))...)
		}
	}
	return findings
}

// say is Sprintf that writes amounts as people read them.
func say(format string, args ...any) string {
	for i, arg := range args {
		if amount, ok := arg.(money.Cents); ok {
			args[i] = amount.BRL()
		}
	}
	return fmt.Sprintf(format, args...)
}

func unreleased(holds []Hold) []Hold {
	if !slices.ContainsFunc(holds, func(h Hold) bool { return h.Released }) {
		return holds // nearly always
	}
	return slices.DeleteFunc(slices.Clone(holds), func(h Hold) bool { return h.Released })
}

// kept is what was captured less what was given back of it.
func kept(charges []Charge) (sum money.Cents) {
	for i := range charges {
		sum -= charges[i].Ledger.Sales
	}
	return sum
}

func countPaid(charges []Charge) (n int) {
	for i := range charges {
		if charges[i].Ledger.Sales < 0 {
			n++
		}
	}
	return n
}

// isRefunding tells whether what is kept is about to go back.
func isRefunding(charges []Charge) bool {
	return !slices.ContainsFunc(charges, func(c Charge) bool { return c.Ledger.Sales != 0 && c.Status != refunding })
}

func paymentIDs(charges []Charge) []PaymentID {
	ids := make([]PaymentID, len(charges))
	for i := range charges {
		ids[i] = charges[i].ID
	}
	return ids
}

// bySKU sums lines by SKU, sorted: an item may stand on several lines.
func bySKU(lines []Line) []Line {
	if len(lines) == 1 {
		return lines
	}
	sorted := slices.SortedFunc(slices.Values(lines), func(a, b Line) int { return cmp.Compare(a.SKU, b.SKU) })
	var sums []Line
	for _, l := range sorted {
		if n := len(sums); n > 0 && sums[n-1].SKU == l.SKU {
			sums[n-1].Quantity += l.Quantity
			continue
		}
		sums = append(sums, l)
	}
	return sums
}

func units(holds []Hold) string {
	var lines []Line
	for _, h := range holds {
		lines = append(lines, h.Lines...)
	}
	return unitsOf(lines)
}

// unitsOf tells what it is in words, of a long list only the beginning.
func unitsOf(lines []Line) string {
	const shown = 5
	lines = bySKU(lines)
	var words []string
	for _, l := range lines[:min(shown, len(lines))] {
		words = append(words, fmt.Sprintf("%d of %s", l.Quantity, l.SKU))
	}
	switch {
	case len(lines) == 0:
		return "nothing"
	case len(lines) > shown:
		words = append(words, fmt.Sprintf("%d items more", len(lines)-shown))
	}
	return strings.Join(words, ", ")
}

func (i Imbalance) finding() Finding {
	return Finding{Kind: StockImbalance, SKU: i.SKU, Text: fmt.Sprintf("item %s has %d on hand and %d held; its movements sum to %d and %d, and orders hold %d",
		i.SKU, i.OnHand, i.Held, i.MovedOnHand, i.MovedHeld, i.OrdersHold)}
}

// findings: the ledger sums to zero, and what is kept beside it agrees.
func (l Ledger) findings() (findings []Finding) {
	wrong := func(format string, args ...any) {
		findings = append(findings, Finding{Kind: LedgerImbalance, Text: say("the ledger "+format, args...)})
	}
	if sum := l.Provider + l.Sales + l.Surplus; sum != 0 {
		wrong("sums to %s and not to zero", sum)
	}
	if l.Captured-l.Refunded != -l.Sales || l.SurplusOwed != -l.Surplus {
		wrong("has %s of sales and %s of surplus, and its running sums say %s and %s", -l.Sales, -l.Surplus, l.Captured-l.Refunded, l.SurplusOwed)
	}
	if kept := l.ChargesReceived - l.ChargesRefunded; kept != l.Provider {
		wrong("has %s at the provider, and the charges keep %s", l.Provider, kept)
	}
	return findings
}
