package payments

import (
	"strings"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
)

// The rules of a charge: pure, so that both engines, the tests and a simulation share them.

// attemptLease is how long a caller of the provider has before the reconciler looks after the charge. It is longer than
// any call may take (Config.ProviderTimeout).
const attemptLease = 30 * time.Second

// lostAttempts is how often the provider must have been asked about a charge that shall close before it is believed to know
// nothing of it: a request that was given up may still be on its way, and be executed when it arrives. With the back-off of
// retry it is a minute after the wish to close, the last moment to begin a call is attemptLease after it, and so the provider
// and the network before it have half a minute to execute a request or never to do so.
const lostAttempts = 7

// lateLook is when the provider is asked once more about a card charge that was voided because it knew nothing: a request that
// was held up for longer than anybody thought has captured money by then, or never will.
const lateLook = 10 * time.Minute

// NewCharge is a durable wish to charge. The reconciler finds it when its maker dies.
func NewCharge(c Charge, now time.Time) Charge {
	c.Status, c.Version = Processing, 1
	c.NextAttemptAt = now.Add(attemptLease)
	c.CreatedAt, c.UpdatedAt = now, now
	return c
}

// Tombstone stands where a charge was closed before it came: a late wish finds it and charges nothing.
func Tombstone(id ID, order OrderID, method Method, now time.Time) Charge {
	return Charge{ID: id, OrderID: order, Method: method, Status: Voided, CloseWanted: true, RefundWanted: true,
		Version: 1, CreatedAt: now, UpdatedAt: now}
}

// Outcome is what the provider said of a charge. The zero value is no answer, and changes nothing.
type Outcome struct {
	Status OutcomeStatus
	Reason string     // of a decline
	Pix    *PixCharge // with OutcomePending
}

// OutcomeStatus is the provider's verdict.
type OutcomeStatus int

// The verdicts. The zero value is invalid.
const (
	OutcomePaid OutcomeStatus = iota + 1 // of a Pix: its receipt is on its way
	OutcomeDeclined
	OutcomePending  // waits for the payer
	OutcomeVoided   // closed before it was paid
	OutcomeRefunded // the whole amount went back
	OutcomeNotFound // the provider has never heard of it
	OutcomeUnknown  // no answer: it may or may not have happened
)

// storable is the outcome without what PostgreSQL takes for no text: a provider's words are not ours to trust.
func (o Outcome) storable() Outcome {
	text := func(s string) string { return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\uFFFD") }
	o.Reason = text(o.Reason)
	if o.Pix != nil {
		pix := *o.Pix
		pix.TxID, pix.CopyPaste = text(pix.TxID), text(pix.CopyPaste)
		o.Pix = &pix
	}
	return o
}

// Change is a charge's next version, written only when the store still has the version before it.
type Change struct {
	Charge    Charge // Version is the new one: the store must have Version-1
	Transfers []Transfer
}

// Apply folds the provider's answer into the charge as the store has it now, which may carry wishes that came while the
// call was under way. An answer that comes twice, or too late to matter, changes nothing: ok is false.
func (c Charge) Apply(outcome Outcome, now time.Time) (change Change, ok bool) {
	switch {
	case outcome.Status == 0:
		return Change{}, false
	case c.Status == Refunding:
		return c.applyRefund(outcome, now)
	case (c.Status == Voided || c.Status == Declined) && c.Method == Card && c.Amount > 0:
		return c.applyLate(outcome, now)
	case !c.Open():
		return Change{}, false
	default:
		return c.applyOpen(outcome, now)
	}
}

func (c Charge) applyRefund(outcome Outcome, now time.Time) (change Change, ok bool) {
	next := c.next(now)
	switch outcome.Status {
	case OutcomeRefunded:
		next.settle(Refunded)
		next.Refunded += c.Amount
		return Change{next, next.transfers(RefundTransfer, Sales, AtProvider, c.Amount)}, true
	case OutcomeUnknown:
		next.retry(now)
		return Change{Charge: next}, true
	default:
		return Change{}, false
	}
}

// applyLate folds what is heard of a card charge that ended without money: from a call that began before and ended after, in a
// process that was paused for longer than its lease, or from a late look. What was captured nobody wants any more, and it must
// not be forgotten.
func (c Charge) applyLate(outcome Outcome, now time.Time) (change Change, ok bool) {
	next := c.next(now)
	switch {
	case outcome.Status == OutcomePaid:
		next.Received += c.Amount
		next.wantRefund(now)
		return Change{next, next.transfers(Capture, AtProvider, Sales, c.Amount)}, true
	case outcome.Status == OutcomeUnknown && c.Status == Voided:
		next.NextAttemptAt = now.Add(lateLook)
		return Change{Charge: next}, true
	case c.NextAttemptAt.IsZero():
		return Change{}, false
	}
	next.NextAttemptAt = time.Time{} // it was looked for, and is not there
	return Change{Charge: next}, true
}

func (c Charge) applyOpen(outcome Outcome, now time.Time) (change Change, ok bool) {
	next := c.next(now)
	var transfers []Transfer
	switch status := outcome.Status; {
	// A Pix is paid by Take alone: were it captured here, its receipt would come on top and be given back as a surplus.
	case status == OutcomePaid && (c.Method == Card || c.Amount == 0):
		next.settle(Paid)
		next.Received += c.Amount
		transfers = next.transfers(Capture, AtProvider, Sales, c.Amount)
		if c.RefundWanted {
			next.wantRefund(now) // nobody is calling the provider now: the reconciler shall
		}
	case status == OutcomeDeclined:
		next.settle(Declined)
		next.DeclineReason = outcome.Reason
	case status == OutcomePending && c.Status != Pending:
		next.settle(Pending)
		next.Pix = outcome.Pix
		if c.CloseWanted {
			next.NextAttemptAt = now
		}
	case status == OutcomeVoided && !c.CloseWanted: // by the provider itself: for the order it is as good as declined
		next.settle(Declined)
		next.DeclineReason = "voided_by_provider"
	case status == OutcomeVoided:
		next.settle(Voided)
	case status == OutcomeNotFound && c.CloseWanted && c.Attempts >= lostAttempts:
		next.settle(Voided)
		if c.Method == Card {
			next.NextAttemptAt = now.Add(lateLook)
		}
	case c.Status == Pending && !c.CloseWanted:
		return Change{}, false // the payer moves next: a lost answer of an earlier call is of no matter any more
	default:
		if c.Status == Processing {
			next.Status = Unknown
		}
		next.retry(now)
	}
	return Change{Charge: next, Transfers: transfers}, true
}

// Open tells whether the provider still has to say how the charge ends.
func (c Charge) Open() bool {
	return c.Status == Processing || c.Status == Unknown || c.Status == Pending
}

// free is the outcome of a charge over nothing: nobody is asked, and no provider would take it.
func (c Charge) free() Outcome {
	switch {
	case c.Status == Refunding:
		return Outcome{Status: OutcomeRefunded}
	case c.CloseWanted:
		return Outcome{Status: OutcomeVoided}
	default:
		return Outcome{Status: OutcomePaid}
	}
}

// WantClose notes that the order is over. ok is false when nothing is left to do.
func (c Charge) WantClose(refund bool, now time.Time) (change Change, ok bool) {
	next := c.next(now)
	switch {
	case c.Status == Paid && refund:
		next.RefundWanted = true
		next.wantRefund(now.Add(attemptLease)) // the caller calls the provider itself
	// Of what is voided only the wish is noted, for a payer who is too late.
	case (c.Open() || c.Status == Voided) && (!c.CloseWanted || refund && !c.RefundWanted):
		next.CloseWanted = true
		next.RefundWanted = c.RefundWanted || refund
		next.Attempts = 0
		if c.Status == Pending {
			next.NextAttemptAt = now.Add(attemptLease)
		}
	default:
		return Change{}, false
	}
	return Change{Charge: next}, true
}

// Take folds money that a payer sent into the charge, and says what becomes of the receipt. The right amount pays an open
// Pix charge, and also one that was voided: then it is given back when that is wanted, and otherwise the orders service
// decides whether the order can still be served. Anything else is surplus and goes back.
func (c Charge) Take(receipt Receipt, now time.Time) (Change, Receipt) {
	next := c.next(now)
	next.Received += receipt.Amount
	receipt.PaymentID = c.ID
	if c.Method != Pix || receipt.Amount != c.Amount || !c.Open() && c.Status != Voided {
		receipt.Status = Surplus
		return Change{next, next.transfers(ReceiptIn, AtProvider, CustomerSurplus, receipt.Amount)}, receipt
	}
	receipt.Status = Accepted
	next.settle(Paid)
	next.Notice = true
	if c.RefundWanted {
		next.wantRefund(now)
	}
	return Change{next, next.transfers(ReceiptIn, AtProvider, Sales, receipt.Amount)}, receipt
}

// GiveBack notes that a surplus receipt was refunded.
func (c Charge) GiveBack(receipt Receipt, now time.Time) (Change, Receipt) {
	next := c.next(now)
	next.Refunded += receipt.Amount
	receipt.Status = ReceiptRefunded
	return Change{next, next.transfers(RefundTransfer, CustomerSurplus, AtProvider, receipt.Amount)}, receipt
}

// next is the charge's next version, not yet different.
func (c Charge) next(now time.Time) Charge {
	c.Version++
	c.UpdatedAt = now
	return c
}

func (c *Charge) settle(status Status) {
	c.Status = status
	c.Attempts = 0
	c.NextAttemptAt = time.Time{}
}

func (c *Charge) wantRefund(due time.Time) {
	c.Status = Refunding
	c.Attempts = 0
	c.NextAttemptAt = due
}

func (c *Charge) retry(now time.Time) {
	c.Attempts++
	c.NextAttemptAt = now.Add(pauseAfter(c.Attempts))
}

// pauseAfter backs off from half a second to a minute: a short first step, since most lost answers are found at once.
func pauseAfter(attempts int) time.Duration {
	return min(time.Minute, 250*time.Millisecond<<min(attempts, 10))
}

// transfers is the row of the ledger that belongs to this version; none when the charge was over nothing.
func (c *Charge) transfers(kind TransferKind, debit, credit Account, amount money.Cents) []Transfer {
	if amount == 0 {
		return nil
	}
	return []Transfer{{PaymentID: c.ID, Number: c.Version, Kind: kind, Debit: debit, Credit: credit, Amount: amount, At: c.UpdatedAt}}
}
