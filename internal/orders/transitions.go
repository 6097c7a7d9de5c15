package orders

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
)

// The errors of a transition.
var (
	// ErrNotCancelable says that the order has ended, or is on its way out of the door.
	ErrNotCancelable = errors.New("order cannot be canceled any more")
	// ErrSuperseded says that somebody else decided about the order meanwhile: read it again.
	ErrSuperseded = errors.New("order was changed by somebody else")
)

// Transitions is every legal change of status. Documents and pictures are drawn from it.
var Transitions = map[Status][]Status{
	Placed:          {Held, Rejected, Canceled},
	Held:            {AwaitingPayment, Confirmed, Rejected, Canceled},
	AwaitingPayment: {Confirmed, Rejected, Canceled},
	Confirmed:       {Completed, Canceled},
	Canceled:        {Held}, // expired, then paid late, and there was stock
	Rejected:        {},
	Completed:       {},
}

// Step is what an order needs next.
type Step int

// The steps. StepNone is a rest: the order is done, or waits for its payer.
const (
	StepNone Step = iota
	StepHold
	StepCharge
	StepExpire
	StepUndo
)

// Next is what the order needs. The order that waits for its payer needs StepExpire once its time is over.
func (o *Order) Next(now time.Time) Step {
	switch {
	case o.Status == Placed, o.Status == Canceled && o.PaidLate:
		return StepHold
	case o.Status == Held:
		return StepCharge
	case o.Status == AwaitingPayment && !now.Before(o.Pix.ExpiresAt):
		return StepExpire
	case o.ReleaseDue || o.RefundDue:
		return StepUndo
	}
	return StepNone
}

// Terminal tells whether nothing more happens to the order by itself.
func (o *Order) Terminal() bool {
	switch o.Status {
	case Confirmed, Completed:
		return true
	case Rejected, Canceled:
		return !o.ReleaseDue && !o.RefundDue && !o.PaidLate
	}
	return false
}

// NewOrder is an order that was just placed.
func NewOrder(i ID, payment PaymentID, caller string, request Request, now time.Time) Order {
	o := Order{ID: i, PaymentID: payment, Caller: caller, Status: Placed, PaymentStatus: PaymentNone,
		FulfillmentStatus: Unfulfilled, Request: request, Progress: Progress{HoldRound: 1}, CreatedAt: now}
	o.note(EventPlaced, "", now)
	return o
}

// holdRequest asks for the order's stock. What was paid already is the total that it must still cost.
func (o *Order) holdRequest() HoldRequest {
	expected := o.ExpectedTotal
	if o.PaidLate {
		expected = &o.Total
	}
	return HoldRequest{OrderID: o.ID, Round: o.HoldRound, Items: o.Items, ExpectedTotal: expected}
}

// ApplyHold folds inventory's answer in. again says that it was asked before, and the answer lost: that request may still
// arrive, and find the stock that this one did not, so a refused round is closed for good. Who asked may be a process that
// was paused for longer than its lease, and goes on to charge: so the charge is closed too.
func (o *Order) ApplyHold(result HoldResult, now time.Time, again bool) error {
	if again && (result.Verdict == HoldOutOfStock || result.Verdict == HoldPriceChanged) {
		o.ReleaseDue, o.RefundDue = true, true
	}
	switch {
	case result.Verdict == HoldReleased:
		return ErrSuperseded
	case result.Verdict == HoldHeld && o.PaidLate:
		o.PaidLate, o.Expired = false, false
		o.Reason = ""
		if err := o.move(Held, EventHeld, "", now); err != nil {
			return err
		}
		return o.move(Confirmed, EventConfirmed, "", now)
	case o.PaidLate: // the stock went to somebody else: the money goes back
		o.PaidLate = false
		o.RefundDue = true
		return nil
	case result.Verdict == HoldHeld:
		o.Lines, o.Total = result.Items, result.Total
		if result.Total > money.Max {
			o.ReleaseDue = true
			return o.reject(ReasonLimitExceeded, now)
		}
		return o.move(Held, EventHeld, "", now)
	case result.Verdict == HoldPriceChanged:
		o.Lines, o.Total = result.Items, result.Total
		return o.reject(ReasonPriceChanged, now)
	case result.Verdict == HoldOutOfStock:
		o.Shortages = result.Shortages
		return o.reject(ReasonOutOfStock, now)
	}
	return fmt.Errorf("apply hold to order %s: unknown verdict %q", o.ID, result.Verdict)
}

// ApplyCharge folds the answer of payments in: to a charge, or to the question whether an expired one was paid.
// changed is false when the order stands as before and must ask again.
func (o *Order) ApplyCharge(result ChargeResult, now time.Time) (changed bool, err error) {
	switch result.Status {
	case ChargePaid:
		o.PaymentStatus = PaymentPaid
		return true, o.move(Confirmed, EventConfirmed, "", now)
	case ChargeDeclined:
		o.PaymentStatus = PaymentNone
		o.ReleaseDue = true
		return true, o.reject(ReasonPaymentDeclined, now)
	case ChargePending:
		if o.Status == AwaitingPayment {
			return false, nil
		}
		if result.Pix == nil {
			return false, fmt.Errorf("apply charge to order %s: it is pending, and there is nothing to pay", o.ID)
		}
		o.PaymentStatus, o.Pix = PaymentPending, result.Pix
		return true, o.move(AwaitingPayment, EventAwaitingPayment, "", now)
	case ChargeUnknown:
		if o.PaymentStatus == PaymentUnknown {
			return false, nil
		}
		o.PaymentStatus = PaymentUnknown
		o.note(EventPaymentUnknown, "", now)
		return true, nil
	case ChargeProcessing, ChargeRefunding:
		return false, nil
	case ChargeVoided:
		if o.Status == AwaitingPayment {
			return true, o.expire(now)
		}
		return false, ErrSuperseded
	case ChargeRefunded:
		return false, ErrSuperseded
	}
	return false, fmt.Errorf("apply charge to order %s: unknown status %q", o.ID, result.Status)
}

// maxRefusals is how often a poisonous order is taken up before it is ended: about ten minutes, so that a peer which was
// deployed broken can be mended before it costs orders.
const maxRefusals = 20

// poisonous tells whether the order was refused so often that it is ended. One whose payment is in doubt goes on: its money
// may have been taken, and only payments can say.
func (o *Order) poisonous() bool {
	return o.Refusals >= maxRefusals && o.Status != Canceled && o.PaymentStatus != PaymentUnknown
}

// paymentInDoubt tells whether the order was ended while nobody knew whether it was paid. Its stock stays until that is
// known.
func (o *Order) paymentInDoubt() bool { return o.RefundDue && o.PaymentStatus == PaymentUnknown }

// expired tells whether the order ended because nobody paid in time: it comes back when somebody does.
func (o *Order) expired() bool { return o.Status == Canceled && o.Expired }

func (o *Order) canceledForGood() bool { return o.Status == Canceled && !o.expired() }

func (o *Order) expire(now time.Time) error {
	o.PaymentStatus = PaymentNone
	o.ReleaseDue, o.Expired = true, true
	o.Reason = string(ReasonExpired)
	return o.move(Canceled, EventCanceled, o.Reason, now)
}

// Cancel ends the order on somebody's wish. Canceling twice changes nothing; but an order that has expired would come back
// when its money comes late, and after this it does not.
func (o *Order) Cancel(reason string, now time.Time) error {
	if o.canceledForGood() {
		return nil
	}
	if !o.expired() && !slices.Contains(Transitions[o.Status], Canceled) {
		return ErrNotCancelable
	}
	o.ReleaseDue, o.RefundDue, o.PaidLate, o.Expired = true, true, false, false
	o.Reason = reason
	o.Status = Canceled
	o.note(EventCanceled, reason, now)
	return nil
}

// ApplyRelease notes that the stock is back.
func (o *Order) ApplyRelease(now time.Time) {
	if o.ReleaseDue {
		o.ReleaseDue = false
		o.note(EventStockReleased, "", now)
	}
}

// ApplyClose folds the answer to a closed charge in. changed is false when it is not decided: ask again.
func (o *Order) ApplyClose(result ChargeResult, now time.Time) (changed bool) {
	switch result.Status {
	case ChargeVoided, ChargeDeclined:
		o.PaymentStatus = PaymentNone
		o.RefundDue = false
		o.note(EventPaymentClosed, "", now)
	case ChargeRefunded:
		o.PaymentStatus = PaymentRefunded
		o.RefundDue = false
		o.note(EventPaymentRefunded, "", now)
	case ChargePaid, ChargeRefunding:
		if o.PaymentStatus != PaymentUnknown {
			return false
		}
		o.PaymentStatus = PaymentPaid // the doubt is over, and the money on its way back
		o.note(EventPaymentLate, "", now)
	default:
		return false
	}
	return true
}

// News is what a notice means to an order.
type News int

// The kinds of news.
const (
	NewsNone    News = iota // the order knows, or does not care
	NewsApplied             // the order has changed
	NewsTooSoon             // the order must first finish what it is about: tell it again
)

// ApplyNotice folds in that a payment changed by itself.
func (o *Order) ApplyNotice(result ChargeResult, now time.Time) (News, error) {
	switch {
	case o.Status == Held, o.Status == AwaitingPayment:
		changed, err := o.ApplyCharge(result, now)
		if changed {
			return NewsApplied, err
		}
		return NewsNone, err
	case result.Status != ChargePaid, o.PaymentStatus == PaymentPaid, o.RefundDue, o.PaidLate:
		return NewsNone, nil
	case o.ReleaseDue: // the round that ends must not be mistaken for the one that would begin
		return NewsTooSoon, nil
	case o.expired():
		o.PaidLate = true
		o.HoldRound++
	case o.Status == Canceled, o.Status == Rejected:
		o.RefundDue = true
	default:
		return NewsNone, nil
	}
	o.PaymentStatus = PaymentPaid
	o.note(EventPaymentLate, "", now)
	return NewsApplied, nil
}

func (o *Order) reject(reason Reason, now time.Time) error {
	o.Reason = string(reason)
	return o.move(Rejected, EventRejected, o.Reason, now)
}

func (o *Order) move(to Status, event EventType, reason string, now time.Time) error {
	if !slices.Contains(Transitions[o.Status], to) {
		return fmt.Errorf("order %s: %s cannot become %s", o.ID, o.Status, to)
	}
	o.Status = to
	o.note(event, reason, now)
	return nil
}

func (o *Order) note(event EventType, reason string, now time.Time) {
	o.Version++
	o.UpdatedAt = now
	o.events = append(o.events, Event{OrderID: o.ID, Version: o.Version, Type: event, Status: o.Status,
		PaymentStatus: o.PaymentStatus, Reason: reason, At: now})
}
