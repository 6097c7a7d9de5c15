package orders_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 123_456_000, time.UTC)

func TestTableIsClosed(t *testing.T) {
	t.Parallel()
	for from, all := range orders.Transitions {
		for _, to := range all {
			if _, known := orders.Transitions[to]; !known {
				t.Errorf("%s leads to %s, which is not in the table", from, to)
			}
		}
	}
}

// ways are all that can be asked of an order, with the status it leads to. Together they reach every pair of the table.
var ways = []struct {
	name string
	to   orders.Status
	ask  func(*orders.Order) error
}{
	{"hold", orders.Held, hold(orders.HoldResult{Verdict: orders.HoldHeld, Total: 100})},
	{"out of stock", orders.Rejected, hold(orders.HoldResult{Verdict: orders.HoldOutOfStock})},
	{"price changed", orders.Rejected, hold(orders.HoldResult{Verdict: orders.HoldPriceChanged})},
	{"too much", orders.Rejected, hold(orders.HoldResult{Verdict: orders.HoldHeld, Total: money.Max + 1})},
	{"paid", orders.Confirmed, charge(orders.ChargeResult{Status: orders.ChargePaid})},
	{"declined", orders.Rejected, charge(orders.ChargeResult{Status: orders.ChargeDeclined})},
	{"pending", orders.AwaitingPayment, charge(orders.ChargeResult{Status: orders.ChargePending, Pix: qrCode()})},
	{"cancel", orders.Canceled, func(o *orders.Order) error { return o.Cancel("", noon) }},
}

func qrCode() *orders.PixCharge { return &orders.PixCharge{TxID: "tx", ExpiresAt: noon.Add(time.Hour)} }

func hold(result orders.HoldResult) func(*orders.Order) error {
	return func(o *orders.Order) error { return o.ApplyHold(result, noon, false) }
}

func charge(result orders.ChargeResult) func(*orders.Order) error {
	return func(o *orders.Order) error {
		_, err := o.ApplyCharge(result, noon)
		return err
	}
}

// TestEveryPair asks everything of an order in every status: what the table names works, and nothing else.
func TestEveryPair(t *testing.T) {
	t.Parallel()
	for from, legal := range orders.Transitions {
		for _, way := range ways {
			t.Run(fmt.Sprintf("%s/%s", from, way.name), func(t *testing.T) {
				t.Parallel()
				o := orders.NewOrder(orders.ID{1}, orders.PaymentID{1}, "", orders.Request{}, noon)
				o.Status, o.Pix = from, qrCode()
				events := len(o.Events())
				err := way.ask(&o)
				if o.Status == from {
					if len(o.Events()) != events || o.Version != int64(events) {
						t.Errorf("%s stayed, and there is an event for it", from)
					}
					// Pending again, and canceled again, are no news; and a status never leads to itself.
					if err == nil && from != way.to {
						t.Errorf("%s did not become %s, and nobody was told", from, way.to)
					}
					if slices.Contains(legal, way.to) && err != nil {
						t.Errorf("%s cannot become %s: %v", from, way.to, err)
					}
					return
				}
				last := o.Events()[events]
				if err != nil || o.Status != way.to || !slices.Contains(legal, o.Status) || len(o.Events()) != events+1 ||
					last.Status != o.Status || last.Version != o.Version || last.PaymentStatus != o.PaymentStatus {
					t.Errorf("%s became %s (error %v), last event %+v", from, o.Status, err, last)
				}
			})
		}
	}
}

func TestChargePendingWithNothingToPay(t *testing.T) {
	t.Parallel()
	o := orders.NewOrder(orders.ID{1}, orders.PaymentID{1}, "", orders.Request{}, noon)
	o.Status = orders.Held
	if changed, err := o.ApplyCharge(orders.ChargeResult{Status: orders.ChargePending}, noon); changed || err == nil {
		t.Errorf("changed=%v error=%v: the order would wait for ever", changed, err)
	}
}

// TestRefusedAgainOwesBoth: an earlier request may be a paused process's, which would hold and charge when it wakes.
func TestRefusedAgainOwesBoth(t *testing.T) {
	t.Parallel()
	for _, verdict := range []orders.HoldVerdict{orders.HoldOutOfStock, orders.HoldPriceChanged} {
		for _, again := range []bool{false, true} {
			o := orders.NewOrder(orders.ID{1}, orders.PaymentID{1}, "", orders.Request{}, noon)
			err := o.ApplyHold(orders.HoldResult{Verdict: verdict}, noon, again)
			if err != nil || o.Status != orders.Rejected || o.ReleaseDue != again || o.RefundDue != again {
				t.Errorf("%s, asked again=%v: %s owes stock=%v money=%v, error %v", verdict, again, o.Status, o.ReleaseDue, o.RefundDue, err)
			}
		}
	}
}

// TestExpiredOrderCanBeCanceledForGood: without that it would come back when the money comes, though its customer was told
// that it is canceled.
func TestExpiredOrderCanBeCanceledForGood(t *testing.T) {
	t.Parallel()
	for _, paidLate := range []bool{false, true} {
		o := orders.NewOrder(orders.ID{1}, orders.PaymentID{1}, "", orders.Request{}, noon)
		o.Status, o.Reason, o.Expired, o.PaidLate = orders.Canceled, string(orders.ReasonExpired), true, paidLate
		if err := o.Cancel("changed my mind", noon); err != nil || !o.ReleaseDue || !o.RefundDue || o.PaidLate || o.Reason != "changed my mind" {
			t.Errorf("canceled (paid late %v): %+v, error %v", paidLate, o.Progress, err)
		}
		o.ReleaseDue, o.RefundDue = false, false
		if _, err := o.ApplyNotice(orders.ChargeResult{Status: orders.ChargePaid}, noon); err != nil || o.PaidLate || !o.RefundDue {
			t.Errorf("paid after all: %+v, error %v", o.Progress, err)
		}
	}
}

// journey is an order and the truth outside of it: whether its stock is held, and whether its money is here.
type journey struct {
	order      orders.Order
	now        time.Time
	held, paid bool
	notice     bool // the money came, and the order was not told yet
}

// TestDuesAreNeverLost sends an order through random answers, cancellations and late payments, and then lets it come to
// rest: a confirmed order has stock and money, and one that ended has neither.
func TestDuesAreNeverLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		j := &journey{order: orders.NewOrder(orders.ID{1}, orders.PaymentID{1}, "", orders.Request{}, noon), now: noon}
		t.Repeat(map[string]func(*rapid.T){
			"":       j.check,
			"step":   func(t *rapid.T) { j.step(t, true) },
			"cancel": func(t *rapid.T) { _ = j.order.Cancel("", j.now) }, // a refusal is fine
			"pay":    j.pay,
			"tell":   j.tell,
			"wait":   func(t *rapid.T) { j.now = j.now.Add(30 * time.Minute) },
		})
		j.rest(t)
	})
}

// check holds at all times.
func (j *journey) check(t *rapid.T) {
	o := &j.order
	events := o.Events()
	if o.Version != int64(len(events)) {
		t.Fatalf("version %d after %d events", o.Version, len(events))
	}
	for i, e := range events {
		if e.Version != int64(i+1) || e.OrderID != o.ID {
			t.Fatalf("event %d is %+v", i, e)
		}
		if i > 0 && e.Status != events[i-1].Status && !slices.Contains(orders.Transitions[events[i-1].Status], e.Status) {
			t.Fatalf("%s became %s", events[i-1].Status, e.Status)
		}
	}
	if last := events[len(events)-1]; last.Status != o.Status || !last.At.Equal(o.UpdatedAt) {
		t.Fatalf("order is %s, its last event says %s", o.Status, last.Status)
	}
	next := o.Next(j.now)
	waits := o.Status == orders.AwaitingPayment && j.now.Before(o.Pix.ExpiresAt)
	// A confirmed order that came back from a late payment owes nothing; a rest needs no step, and a step is no rest.
	if o.Terminal() != (next == orders.StepNone && !waits) {
		t.Fatalf("order is %s, terminal=%v, waits=%v, and needs step %d", o.Status, o.Terminal(), waits, next)
	}
}

// step is what the saga does. With doubt, peers may leave it undecided.
func (j *journey) step(t *rapid.T, doubt bool) {
	switch j.order.Next(j.now) {
	case orders.StepHold:
		verdict := rapid.SampledFrom([]orders.HoldVerdict{orders.HoldHeld, orders.HoldHeld, orders.HoldOutOfStock, orders.HoldPriceChanged}).Draw(t, "verdict")
		j.held = verdict == orders.HoldHeld
		must(t, j.order.ApplyHold(orders.HoldResult{Verdict: verdict, Total: 100}, j.now, false))
	case orders.StepCharge:
		_, err := j.order.ApplyCharge(j.charge(t, doubt), j.now)
		must(t, err)
	case orders.StepExpire:
		_, err := j.order.ApplyCharge(j.close(t, false), j.now)
		must(t, err)
	case orders.StepUndo:
		j.undo(t)
	}
}

func (j *journey) charge(t *rapid.T, doubt bool) orders.ChargeResult {
	if j.paid {
		return orders.ChargeResult{Status: orders.ChargePaid}
	}
	answers := []orders.ChargeStatus{orders.ChargePaid, orders.ChargeDeclined, orders.ChargePending}
	if doubt {
		answers = append(answers, orders.ChargeUnknown, orders.ChargeProcessing)
	}
	result := orders.ChargeResult{Status: rapid.SampledFrom(answers).Draw(t, "charge")}
	switch result.Status {
	case orders.ChargePaid:
		j.paid = true
	case orders.ChargePending:
		result.Pix = &orders.PixCharge{TxID: "tx", ExpiresAt: j.now.Add(time.Hour)}
	}
	return result
}

func (j *journey) close(t *rapid.T, refund bool) orders.ChargeResult {
	switch {
	case j.paid && refund:
		j.paid, j.notice = false, false
		return orders.ChargeResult{Status: orders.ChargeRefunded}
	case j.paid:
		return orders.ChargeResult{Status: orders.ChargePaid}
	}
	return orders.ChargeResult{Status: rapid.SampledFrom([]orders.ChargeStatus{orders.ChargeVoided, orders.ChargeDeclined}).Draw(t, "closed")}
}

func (j *journey) undo(t *rapid.T) {
	if j.order.ReleaseDue && rapid.Bool().Draw(t, "inventory is there") {
		j.held = false
		j.order.ApplyRelease(j.now)
	}
	if j.order.RefundDue && rapid.Bool().Draw(t, "payments are there") {
		if !j.order.ApplyClose(j.close(t, true), j.now) {
			t.Fatal("a closed charge was not believed")
		}
	}
}

// pay is the payer of a Pix, at any time, too late included.
func (j *journey) pay(t *rapid.T) {
	if j.order.Pix == nil || j.paid || slices.ContainsFunc(j.order.Events(), func(e orders.Event) bool { return e.Type == orders.EventPaymentRefunded }) {
		t.Skip("there is nothing to pay")
	}
	j.paid, j.notice = true, true
}

func (j *journey) tell(t *rapid.T) {
	if !j.notice {
		t.Skip("there is no news")
	}
	news, err := j.order.ApplyNotice(orders.ChargeResult{Status: orders.ChargePaid}, j.now)
	must(t, err)
	j.notice = news == orders.NewsTooSoon
}

func (j *journey) rest(t *rapid.T) {
	for range 500 {
		j.now = j.now.Add(2 * time.Hour)
		if j.notice {
			j.tell(t)
		}
		j.check(t)
		if j.order.Terminal() && !j.notice {
			ended := j.order.Status == orders.Rejected || j.order.Status == orders.Canceled
			if j.held == ended || j.paid == ended {
				t.Fatalf("order is %s: stock held=%v, money here=%v", j.order.Status, j.held, j.paid)
			}
			return
		}
		j.step(t, false)
	}
	t.Fatalf("order never came to rest: %+v", j.order.Progress)
}

func must(t *rapid.T, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

// TestAPersonsWordsAreNotARule: who cancels with the word that an expiry uses has canceled, and money that comes late goes back.
func TestAPersonsWordsAreNotARule(t *testing.T) {
	t.Parallel()
	o := orders.NewOrder(orders.ID{1}, orders.PaymentID{2}, "caller", orders.Request{Method: orders.Pix}, noon)
	if err := o.Cancel(string(orders.ReasonExpired), noon); err != nil {
		t.Fatal(err)
	}
	o.ApplyRelease(noon)
	o.ApplyClose(orders.ChargeResult{Status: orders.ChargeVoided}, noon)
	news, err := o.ApplyNotice(orders.ChargeResult{Status: orders.ChargePaid}, noon)
	if err != nil || news != orders.NewsApplied || o.PaidLate || !o.RefundDue {
		t.Errorf("%v %v: paid late %t, refund due %t", news, err, o.PaidLate, o.RefundDue)
	}
}
