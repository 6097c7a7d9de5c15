package payments

import (
	"context"
	"errors"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
)

// ErrNotFound says that there is no such payment.
var ErrNotFound = errors.New("payment not found")

// Ack acknowledges a notice.
type Ack struct {
	ID      ID
	Version int64
}

// Created answers one charge of Create.
type Created struct {
	Charge Charge // as the store has it
	New    bool   // whether this call wrote it
}

// Totals sums the ledger and counts charges, for metrics; audits have Balance.
type Totals struct {
	Captured money.Cents // that orders were paid with, ever
	Refunded money.Cents // of those, given back
	Surplus  money.Cents // owed back to payers now
	Unknown  int64       // charges whose outcome is not known now
	// OldestUnknown is when the first of those was wished, in UTC; zero when there is none. Their number says little: each
	// is found out within seconds, and under load there is always another one.
	OldestUnknown time.Time
}

// Add counts one more row of the ledger.
func (t *Totals) Add(row Transfer) {
	switch {
	case row.Credit == Sales:
		t.Captured += row.Amount
	case row.Debit == Sales:
		t.Refunded += row.Amount
	case row.Credit == CustomerSurplus:
		t.Surplus += row.Amount
	case row.Debit == CustomerSurplus:
		t.Surplus -= row.Amount
	}
}

// Store keeps charges, receipts and the ledger. Every method is one transaction: all of it or, with an error, nothing —
// except that an error on commit leaves the outcome unknown, so every write may be repeated. Errors that may pass are
// marked with fault.Transient. All methods may be called at the same time. Results that answer a list are in its order.
type Store interface {
	// Create writes the charges whose id is new. The same id twice in one call is written once; the later one is not New.
	Create(ctx context.Context, charges []Charge) ([]Created, error)
	// Save writes each change whose charge is still at Version-1 in the store, with its transfers, and tells which were written.
	// changes names each charge at most once.
	Save(ctx context.Context, changes []Change) (saved []bool, err error)
	// Get returns those of ids that exist, by id.
	Get(ctx context.Context, ids []ID) ([]Charge, error)
	// ByOrder returns an order's charges, by id.
	ByOrder(ctx context.Context, order OrderID) ([]Charge, error)
	// Receipts returns a payment's receipts, by time and end-to-end id: the last limit of them.
	Receipts(ctx context.Context, id ID, limit int) ([]Receipt, error)
	// Transfers returns a payment's rows of the ledger, by number: the last limit of them.
	Transfers(ctx context.Context, id ID, limit int) ([]Transfer, error)
	// Claim takes up to limit charges whose NextAttemptAt is due, oldest due first: it raises their Version and sets
	// NextAttemptAt to leaseUntil, so that no other caller has them meanwhile. Charges that another transaction has locked are passed over.
	Claim(ctx context.Context, now, leaseUntil time.Time, limit int) ([]Charge, error)
	// TakeReceipt locks the receipt's charge (by receipt.PaymentID), folds the receipt in by Charge.Take and writes both.
	// An end-to-end id that is known changes nothing. It returns the charge that the receipt belongs to, as it is then, or
	// ErrNotFound when receipt.PaymentID is unknown.
	TakeReceipt(ctx context.Context, receipt Receipt, now time.Time) (Charge, error)
	// ClaimSurplus takes up to limit surplus receipts that are due, oldest due first, and makes them due again at leaseUntil.
	// A receipt that is taken as surplus is due at once.
	ClaimSurplus(ctx context.Context, now, leaseUntil time.Time, limit int) ([]Receipt, error)
	// GiveBack marks a surplus receipt as refunded by Charge.GiveBack, once; ErrNotFound when there is no such receipt.
	GiveBack(ctx context.Context, receipt Receipt, now time.Time) error
	// Notices returns up to limit charges with Notice set, by id.
	Notices(ctx context.Context, limit int) ([]Charge, error)
	// Ack clears Notice of those charges that are still at the version named. The version does not change.
	Ack(ctx context.Context, acks []Ack) error
	// Totals sums the ledger and looks at what is unknown, in a time that grows neither with the ledger nor with the charges,
	// but with what was written since the last Fold.
	Totals(ctx context.Context) (Totals, error)
	// Fold does one bounded step of the work that keeps Totals quick, and tells whether there may be more. Totals and Balance
	// stay as they are, also while others write and fold, and no caller waits for another.
	Fold(ctx context.Context) (more bool, err error)
	// Books returns up to r.Limit charges, by order and id, each with its balances in the ledger.
	Books(ctx context.Context, r Range) ([]Book, error)
	// Balance sums the whole ledger and all charges, in one moment. It reads everything there is.
	Balance(ctx context.Context) (Balance, error)
	// Ping tells whether the store can be used now.
	Ping(ctx context.Context) error
	// Close gives back what the store holds open.
	Close() error
}

// Provider is who moves the money. Its calls are idempotent by the charge's id (and a refund's by its own), may take
// long, and may have had their effect when they return an error.
type Provider interface {
	// Name is stored with each charge.
	Name() string
	// Charge charges, or opens a charge for the payer to pay. An error means OutcomeUnknown.
	Charge(ctx context.Context, c Charge) (Outcome, error)
	// Query finds out what became of a charge, or OutcomeNotFound.
	Query(ctx context.Context, c Charge) (Outcome, error)
	// Close voids an open charge, or says OutcomePaid when it was paid before: the receipt of a Pix must then reach
	// Service.TakeReceipt, for nothing else pays it.
	Close(ctx context.Context, c Charge) (Outcome, error)
	// Refund gives amount back, once a refund id (`[a-zA-Z0-9]{1,35}`): `s` and the end-to-end id of a surplus receipt, or
	// `r` and the txid when a paid charge goes back.
	Refund(ctx context.Context, c Charge, refundID string, amount money.Cents) error
}
