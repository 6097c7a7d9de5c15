package payments

import (
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
)

// Range picks charges by their order's id, From inclusive and Before exclusive; zero values leave an end open.
type Range struct {
	From, Before OrderID
	Limit        int
}

// Balances are each account's debits less its credits.
type Balances struct {
	AtProvider, Sales, CustomerSurplus money.Cents
}

// Add books one row of the ledger.
func (b *Balances) Add(t Transfer) {
	b.add(t.Debit, t.Amount)
	b.add(t.Credit, -t.Amount)
}

func (b *Balances) add(account Account, amount money.Cents) {
	switch account {
	case AtProvider:
		b.AtProvider += amount
	case Sales:
		b.Sales += amount
	case CustomerSurplus:
		b.CustomerSurplus += amount
	}
}

// Book is a charge's money, as the charge says and as the ledger says.
type Book struct {
	ID                         ID
	OrderID                    OrderID
	Status                     Status
	Amount, Received, Refunded money.Cents
	CloseWanted                bool
	Attempts                   int
	UpdatedAt                  time.Time
	Ledger                     Balances
}

// EndingSince is since when, at the latest, the charge is being closed or refunded; zero when it is not. Each attempt that was
// in vain updates the charge, so the pauses between them are taken off: Attempts counts from the moment that the end was wanted.
func (b *Book) EndingSince() time.Time {
	if b.Status != Refunding && !(b.CloseWanted && Charge{Status: b.Status}.Open()) {
		return time.Time{}
	}
	since := b.UpdatedAt
	for attempt := 1; attempt < b.Attempts; attempt++ {
		since = since.Add(-pauseAfter(attempt))
	}
	return since
}

// Balance is all money, counted three times.
type Balance struct {
	Ledger             Balances    // by the rows
	Totals             Totals      // by the running sums; what is unknown is left out
	Received, Refunded money.Cents // by the charges
}
