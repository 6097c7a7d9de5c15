// Package audit compares what the services know of each other: orders, stock and money, three ways.
//
// Each service keeps its own books right by constraints and transactions. What no constraint can see is that they agree: that
// every held unit and every captured cent belongs to an order that is entitled to it. An audit walks three streams that are
// sorted by order id side by side (stream.go), so it needs one page of each in memory however many orders there are, and
// judges one order at a time by pure rules (rules.go).
//
// The services are read at different moments, so an order under way can look wrong for a while. What looks wrong is only a
// suspicion: it is a violation when the same thing is wrong each time the order is read again later (confirm.go).
package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

type (
	// OrderID names an order.
	OrderID = id.ID[Order]
	// PaymentID names a charge.
	PaymentID = id.ID[Charge]
)

// Range is a part of a stream, by order id: From inclusive, Before exclusive. A zero Before leaves the end open.
type Range struct{ From, Before OrderID }

// Line is a quantity of an item.
type Line struct {
	SKU      string
	Quantity int64
}

// Order is what the orders service says of an order.
type Order struct {
	ID            OrderID
	Status        string
	PaymentStatus string
	Total         money.Cents
	Lines         []Line // empty until inventory has named the prices
	HoldRound     int    // which hold is the order's
	// ReleaseDue, RefundDue and PaidLate: its stock or its money is still on its way.
	ReleaseDue, RefundDue, PaidLate bool
	Resting                         bool      // nothing more happens to it by itself, or it waits for its payer
	NextAttemptAt                   time.Time // zero: nobody will take it up; each time that somebody does, it moves
	PixExpiresAt                    time.Time // zero: there is no Pix to pay
	UpdatedAt                       time.Time
}

// Hold is what inventory says of one of an order's rounds.
type Hold struct {
	OrderID  OrderID
	Round    int
	Released bool
	Lines    []Line
	Total    money.Cents
}

// Balances are each account's debits less its credits, from the merchant's point of view.
type Balances struct{ Provider, Sales, Surplus money.Cents }

// Charge is what payments says of a charge.
type Charge struct {
	ID                         PaymentID
	OrderID                    OrderID
	Status                     string
	Amount, Received, Refunded money.Cents
	EndingSince                time.Time // of one that is being closed or refunded; zero otherwise
	Ledger                     Balances
}

// Imbalance is an item whose stock, movements and holds disagree.
type Imbalance struct {
	SKU                                              string
	OnHand, Held, MovedOnHand, MovedHeld, OrdersHold int64
}

// Ledger is all money, as payments has it from one moment: by the ledger's rows, by the running sums and by the charges.
type Ledger struct {
	Balances
	Captured, Refunded, SurplusOwed  money.Cents // the running sums
	ChargesReceived, ChargesRefunded money.Cents
}

// Source reads the services. A page is sorted by order id and has all that there is of each of its orders; next is where the
// page after it begins, and zero after the last.
type Source interface {
	Orders(ctx context.Context, r Range) (page []Order, next OrderID, err error)
	Holds(ctx context.Context, r Range) (page []Hold, next OrderID, err error)
	Charges(ctx context.Context, r Range) (page []Charge, next OrderID, err error)
	// Stock returns items that disagree with their own history; Ledger sums the ledger. Each is read from one moment.
	Stock(ctx context.Context) ([]Imbalance, error)
	Ledger(ctx context.Context) (Ledger, error)
}

// Config shapes an audit. Source and Clock are required.
type Config struct {
	Source Source
	Clock  clock.Clock
	// MinAge leaves younger orders to the next audit: they are on their way, and would all be read twice.
	MinAge time.Duration
	// Deadline is how long an order may need to get to a state in which it can stay. 15 minutes by default.
	Deadline time.Duration
	// Patience is the time between two readings of what looks wrong. 5 seconds by default.
	Patience time.Duration
	// Pause is the rest after each page, so that a background audit is a light load.
	Pause time.Duration
	// Progress hears how far the audit is, after every page of orders. May be nil.
	Progress func(Progress)
}

func (c Config) withDefaults() (Config, error) {
	if c.Source == nil || c.Clock == nil {
		return c, errors.New("audit: a source and a clock must be set")
	}
	if c.MinAge < 0 || c.Deadline < 0 || c.Patience < 0 || c.Pause < 0 {
		return c, fmt.Errorf("audit: durations must not be negative: min age %s, deadline %s, patience %s, pause %s", c.MinAge, c.Deadline, c.Patience, c.Pause)
	}
	if c.Deadline == 0 {
		c.Deadline = 15 * time.Minute
	}
	if c.Patience == 0 {
		c.Patience = 5 * time.Second
	}
	return c, nil
}

// Progress is how far an audit is.
type Progress struct {
	Orders   int64
	At       time.Time // when the order that was reached was placed
	Suspects int       // to be read again
	Findings int
}

// Report is the outcome of an audit that came to its end.
type Report struct {
	StartedAt, EndedAt     time.Time
	Orders, Holds, Charges int64
	// PlacedBefore is the time up to which orders were looked at. Younger were left out: as many as there were when the audit
	// began, or, with YoungerMore, at least as many.
	PlacedBefore time.Time
	Younger      int64
	YoungerMore  bool
	// Reread counts orders that looked wrong at first; Dismissed, those of them that were only under way.
	Reread, Dismissed int64
	Findings          []Finding
	// Truncated: there were more findings than MaxFindings, and the audit stopped there.
	Truncated bool
	// Unchecked are the kinds that nothing is known of, because a service could not sum its books.
	Unchecked []Kind
}

// OK tells whether nothing was found to be wrong.
func (r *Report) OK() bool { return len(r.Findings) == 0 }

// MaxFindings bounds a report: who has a thousand violations needs no longer list.
const MaxFindings = 1000

// Run audits everything that is old enough. An error means that the audit could not be done. With a report it means that only
// the sums could not, which take the longer the more there is to sum: the orders were audited all the same.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	a := &auditor{Config: cfg, report: Report{StartedAt: cfg.Clock.Now()}}
	until, err := a.horizon(ctx)
	if err != nil {
		return nil, err
	}
	unsummed := errors.Join(a.stock(ctx), a.ledger(ctx))
	if err := a.orders(ctx, until); err != nil {
		return nil, errors.Join(unsummed, err)
	}
	a.report.EndedAt = cfg.Clock.Now()
	return &a.report, unsummed
}

// auditor is an audit under way.
type auditor struct {
	Config
	report   Report
	suspects []suspect
}

func (a *auditor) full() bool { return len(a.report.Findings) >= MaxFindings }

func (a *auditor) found(findings ...Finding) {
	room := MaxFindings - len(a.report.Findings)
	if len(findings) > room {
		findings, a.report.Truncated = findings[:room], true
	}
	a.report.Findings = append(a.report.Findings, findings...)
}

func (a *auditor) stock(ctx context.Context) error {
	imbalances, err := a.Source.Stock(ctx)
	if err != nil {
		a.report.Unchecked = append(a.report.Unchecked, StockImbalance)
		return fmt.Errorf("compare stock with its movements: %w", err)
	}
	for _, i := range imbalances {
		a.found(i.finding())
	}
	return nil
}

func (a *auditor) ledger(ctx context.Context) error {
	ledger, err := a.Source.Ledger(ctx)
	if err != nil {
		a.report.Unchecked = append(a.report.Unchecked, LedgerImbalance)
		return fmt.Errorf("sum the ledger: %w", err)
	}
	a.found(ledger.findings()...)
	return nil
}

// wait lets time pass.
func (a *auditor) wait(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return ctx.Err()
	}
	over := make(chan struct{})
	a.Clock.AfterFunc(d, func() { close(over) })
	select {
	case <-over:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
