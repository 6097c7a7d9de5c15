// Package payments charges orders through a provider, gives money back, and keeps the ledger of every cent.
//
// Every act on the provider has the same three parts: a durable wish, the call, the durable outcome. Service.call (calls.go)
// makes the call that a charge's state asks for, whether the orders service asked, a caller waits, or a process before
// this one died in the middle: recovery is the same code.
package payments

import (
	"encoding/hex"
	"strings"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

type (
	payment struct{}
	order   struct{}

	// ID names a payment. The orders service makes it before it asks, so it is also the idempotency key towards the provider.
	ID = id.ID[payment]
	// OrderID names an order of the orders service.
	OrderID = id.ID[order]
)

// TxID is the payment's name in Pix: its id's 32 hexadecimal digits, within the `[a-zA-Z0-9]{26,35}` of API Pix.
func TxID(i ID) string { return hex.EncodeToString(i[:]) }

// ParseTxID is the payment that a txid names, and false when it can name none of ours.
func ParseTxID(txid string) (ID, bool) {
	var i ID
	if len(txid) != 2*len(i) {
		return ID{}, false
	}
	if _, err := hex.Decode(i[:], []byte(strings.ToLower(txid))); err != nil {
		return ID{}, false
	}
	return i, true
}

// Method is how the customer pays.
type Method string

// The methods.
const (
	Card Method = "card"
	Pix  Method = "pix"
)

// Status is a charge's state.
type Status string

// The statuses. Voided, Declined and Refunded are final, but that money may still come in for a charge that is Voided.
const (
	Processing Status = "processing" // the wish is durable, the provider has not decided
	Pending    Status = "pending"    // waits for the payer
	Paid       Status = "paid"
	Declined   Status = "declined"
	Unknown    Status = "unknown" // the provider's answer was lost; it is being found out, and nothing is guessed
	Voided     Status = "voided"
	Refunding  Status = "refunding"
	Refunded   Status = "refunded"
)

// PixCharge is what the payer of a Pix needs.
type PixCharge struct {
	TxID      string    `json:"txid"`
	CopyPaste string    `json:"copy_paste"` // the BR Code
	ExpiresAt time.Time `json:"expires_at"`
}

// Charge is one payment of one order.
type Charge struct {
	ID            ID
	OrderID       OrderID
	Method        Method
	Token         string // what stands for the card at the provider; never a card number
	Amount        money.Cents
	Provider      string
	Status        Status
	DeclineReason string
	Pix           *PixCharge
	Received      money.Cents // all money that came in, also surplus
	Refunded      money.Cents // all money that went back
	// CloseWanted: the order is over. What is open shall be voided, and nothing new may be charged.
	CloseWanted bool
	// RefundWanted: what was or will be paid shall be given back.
	RefundWanted bool
	// Notice: changed by itself, and the orders service has not acknowledged it.
	Notice  bool
	Version int64
	// Attempts counts the calls to the provider that the present state has asked for.
	Attempts int
	// NextAttemptAt is when the reconciler takes the charge up; zero: never. Until then the charge is leased to whoever set it.
	NextAttemptAt time.Time
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// ReceiptStatus is what became of money that a payer sent.
type ReceiptStatus string

// The statuses of a receipt.
const (
	Accepted        ReceiptStatus = "accepted"
	Surplus         ReceiptStatus = "surplus" // wrong amount, or a second payment: will be given back
	ReceiptRefunded ReceiptStatus = "refunded"
)

// Receipt is one Pix transfer that came in.
type Receipt struct {
	EndToEndID string // unique at the central bank: the key by which callbacks are deduplicated
	PaymentID  ID
	Amount     money.Cents
	Status     ReceiptStatus
	ReceivedAt time.Time
}

// Account is a side of the ledger.
type Account string

// The accounts. All amounts are from the merchant's point of view.
const (
	AtProvider      Account = "provider" // money that the provider holds for the merchant
	Sales           Account = "sales"    // money that orders were paid with
	CustomerSurplus Account = "surplus"  // money that is owed back to payers
)

// TransferKind is the cause of a transfer.
type TransferKind string

// The kinds of transfer.
const (
	Capture        TransferKind = "capture"
	ReceiptIn      TransferKind = "receipt"
	RefundTransfer TransferKind = "refund"
)

// Transfer is a row of the ledger: append-only, and balanced by its form, because one amount leaves Credit and enters Debit.
type Transfer struct {
	PaymentID     ID
	Number        int64 // within the payment, from 1: the charge's version that wrote it
	Kind          TransferKind
	Debit, Credit Account
	Amount        money.Cents // > 0
	At            time.Time
}
