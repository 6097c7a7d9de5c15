package payments

import "github.com/pedidos-veloz/pedidos-veloz/internal/money"

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
	Ledger                     Balances
}

// Balance is all money, counted three times.
type Balance struct {
	Ledger             Balances    // by the rows
	Totals             Totals      // by the running sums; what is unknown is left out
	Received, Refunded money.Cents // by the charges
}
