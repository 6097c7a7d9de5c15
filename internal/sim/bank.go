package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
)

const (
	providerTimeout = 10 * time.Second
	// providerLateness is how late a request may still reach the provider. Longer than providerTimeout, and shorter than a
	// charge's lease of 30 seconds: that much is asked of a provider and of the network before it.
	providerLateness = 25 * time.Second
	pixExpiry        = 15 * time.Minute
)

// account is the truth about one charge.
type account struct {
	id               payments.ID
	method           payments.Method
	amount           money.Cents
	created          time.Time
	outcome          payments.OutcomeStatus
	captures         int
	received, repaid money.Cents
	refunds          map[string]money.Cents
	receipts         int
}

// bank is the provider: what it says may be lost, what it did is true.
type bank struct {
	world    *World
	accounts map[payments.ID]*account
	opened   []*account // in the order of their charges
}

// providerLink is a payments process's way to the bank.
type providerLink struct {
	bank *bank
	p    *process
}

func (l providerLink) Name() string { return "bank" }

// ask makes a call, which may be lost, come late, or have its effect and fail.
func (l providerLink) ask(c call, do func() payments.Outcome) (outcome payments.Outcome, err error) {
	err = l.p.guard(c, func() error {
		w := l.p.world
		began := w.clock.Now()
		w.meanwhile()
		switch {
		case w.strikes(requestLost, c):
			return errLost
		case w.strikes(delayed, c):
			w.later(w.upTo(providerLateness), func() { do() })
			return errLost
		}
		outcome = do()
		if w.strikes(answerLost, c) {
			return errLost
		}
		w.meanwhile()
		if w.clock.Now().Sub(began) > providerTimeout {
			w.coverage.mishaps[tooSlow][c]++
			return errLost
		}
		return nil
	})
	return outcome, err
}

func (l providerLink) Charge(_ context.Context, c payments.Charge) (payments.Outcome, error) {
	return l.ask(providerCharge, func() payments.Outcome { return l.bank.charge(c) })
}

func (l providerLink) Query(_ context.Context, c payments.Charge) (payments.Outcome, error) {
	return l.ask(providerQuery, func() payments.Outcome { return l.bank.query(c.ID) })
}

func (l providerLink) Close(_ context.Context, c payments.Charge) (payments.Outcome, error) {
	return l.ask(providerClose, func() payments.Outcome { return l.bank.close(c.ID) })
}

func (l providerLink) Refund(_ context.Context, c payments.Charge, refundID string, amount money.Cents) error {
	_, err := l.ask(providerRefund, func() payments.Outcome {
		l.bank.refund(c.ID, refundID, amount)
		return payments.Outcome{}
	})
	return err
}

func (b *bank) charge(c payments.Charge) payments.Outcome {
	if _, known := b.accounts[c.ID]; known {
		return b.query(c.ID)
	}
	a := &account{id: c.ID, method: c.Method, amount: c.Amount, created: b.world.clock.Now(), refunds: make(map[string]money.Cents)}
	b.accounts[c.ID] = a
	b.opened = append(b.opened, a)
	switch {
	case c.Method == payments.Pix:
		a.outcome = payments.OutcomePending
		b.plan(a)
	case c.Token == tokenDeclined:
		b.world.coverage.events[providerDeclined]++
		a.outcome = payments.OutcomeDeclined
	case c.Token == tokenSlow:
		a.outcome = payments.OutcomeUnknown
		b.world.later(b.world.upTo(time.Minute), func() { b.capture(a) })
	default:
		b.capture(a)
	}
	return b.query(c.ID)
}

func (b *bank) capture(a *account) {
	b.world.note("bank", "captures", a.id, int64(a.amount))
	a.outcome = payments.OutcomePaid
	a.received += a.amount
	if a.captures++; a.captures > 1 {
		b.world.violate("payment %s is captured %d times", a.id, a.captures)
	}
}

func (b *bank) query(id payments.ID) payments.Outcome {
	a, known := b.accounts[id]
	if !known {
		return payments.Outcome{Status: payments.OutcomeNotFound}
	}
	outcome := payments.Outcome{Status: a.outcome}
	if a.outcome == payments.OutcomePending {
		outcome.Pix = &payments.PixCharge{TxID: payments.TxID(id), CopyPaste: "000201", ExpiresAt: a.created.Add(pixExpiry)}
	}
	return outcome
}

func (b *bank) close(id payments.ID) payments.Outcome {
	if a, known := b.accounts[id]; known && a.outcome == payments.OutcomePending {
		a.outcome = payments.OutcomeVoided
	}
	return b.query(id)
}

func (b *bank) refund(id payments.ID, refundID string, amount money.Cents) {
	w := b.world
	a, known := b.accounts[id]
	if !known {
		w.violate("refund %s of payment %s, which the bank does not know", refundID, id)
		return
	}
	if before, again := a.refunds[refundID]; again {
		if before != amount {
			w.violate("refund %s is repeated over %d instead of %d", refundID, amount, before)
		}
		return
	}
	w.note("bank", "refunds", id, int64(amount))
	a.refunds[refundID] = amount
	if a.repaid += amount; a.repaid > a.received {
		w.violate("payment %s: %d given back of %d", id, a.repaid, a.received)
	}
}

// plan decides what the payer of a Pix will do.
func (b *bank) plan(a *account) {
	w := b.world
	amount := a.amount
	if w.chance(w.cfg.pixWrong) {
		w.coverage.events[pixWrongAmount]++
		amount += money.Cents(w.rng.IntN(3) - 1)
	}
	when := w.upTo(pixExpiry)
	switch w.rng.IntN(6) {
	case 0:
		return // never pays
	case 1:
		if w.chance(w.cfg.pixOdd) {
			w.coverage.events[pixBeforeReply]++
			b.receive(a, amount, 0)
			return
		}
	case 2:
		if w.chance(w.cfg.pixOdd) {
			w.coverage.events[pixPaidLate]++
			when = pixExpiry + w.upTo(2*time.Hour)
		}
	case 3:
		when = pixExpiry - 5*time.Second + w.upTo(10*time.Second)
	}
	w.later(when, func() { b.receive(a, amount, w.upTo(time.Minute)) })
	if w.chance(w.cfg.pixOdd / 2) {
		w.coverage.events[pixPaidTwice]++
		w.later(w.upTo(pixExpiry), func() { b.receive(a, amount, w.upTo(time.Minute)) })
	}
}

// receive takes a payer's money; the callback goes out after.
func (b *bank) receive(a *account, amount money.Cents, after time.Duration) {
	w := b.world
	a.receipts++
	a.received += amount
	if amount == a.amount && a.outcome == payments.OutcomePending {
		a.outcome = payments.OutcomePaid
	}
	w.note("bank", "receives", a.id, int64(amount))
	receipt := payments.Receipt{EndToEndID: fmt.Sprintf("E%s%d", payments.TxID(a.id), a.receipts), PaymentID: a.id, Amount: amount}
	if after == 0 {
		w.callback(receipt)
		return
	}
	w.later(after, func() { w.callback(receipt) })
}

// callback tells the payments service until it has answered well, and sometimes once more.
func (w *World) callback(receipt payments.Receipt) {
	err := w.travel(callReceipt, func() error {
		return w.inPayments(func(p *process) error {
			_, err := p.payments.TakeReceipt(context.Background(), receipt)
			return err
		})
	})
	if err != nil {
		w.later(time.Second+w.upTo(time.Minute), func() { w.callback(receipt) })
		return
	}
	if w.chance(w.cfg.pixOdd / 4) {
		w.coverage.events[callbackTwice]++
		w.later(w.upTo(time.Hour), func() { w.callback(receipt) })
	}
}
