// Package orders takes orders and drives each one to a terminal state.
//
// An order is one row with a version. The saga (saga.go) is a row of stages, each of which works on a batch of orders:
// place, hold, charge, settle, and undo or expire where an order ends early. The rules of one order are pure
// (transitions.go); what an order's status asks for next is one function, Order.Next, and so a crash is recovered by the
// same code that runs when nothing fails.
package orders

import (
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

type payment struct{}

type (
	// ID names an order.
	ID = id.ID[Order]
	// PaymentID names an order's payment; it is made with the order, so that a charge can be repeated without doubling.
	PaymentID = id.ID[payment]
)

// Status is where an order is.
type Status string

// The statuses.
const (
	Placed          Status = "placed"
	Held            Status = "held"
	AwaitingPayment Status = "awaiting_payment"
	Confirmed       Status = "confirmed"
	Completed       Status = "completed"
	Rejected        Status = "rejected"
	Canceled        Status = "canceled"
)

// PaymentStatus is where an order's money is.
type PaymentStatus string

// The payment statuses.
const (
	PaymentNone              PaymentStatus = "none"
	PaymentPending           PaymentStatus = "pending"
	PaymentAuthorized        PaymentStatus = "authorized"
	PaymentPaid              PaymentStatus = "paid"
	PaymentPartiallyRefunded PaymentStatus = "partially_refunded"
	PaymentRefunded          PaymentStatus = "refunded"
	PaymentUnknown           PaymentStatus = "unknown"
)

// PaymentStatuses are all of them.
var PaymentStatuses = []PaymentStatus{PaymentNone, PaymentPending, PaymentAuthorized, PaymentPaid, PaymentPartiallyRefunded, PaymentRefunded, PaymentUnknown}

// FulfillmentStatus is where an order's goods are.
type FulfillmentStatus string

// Unfulfilled is the fulfillment status of every order that was not shipped.
const Unfulfilled FulfillmentStatus = "unfulfilled"

// Reason is why an order was rejected, or canceled other than by a person.
type Reason string

// The reasons.
const (
	ReasonOutOfStock      Reason = "out_of_stock"
	ReasonPaymentDeclined Reason = "payment_declined"
	ReasonPriceChanged    Reason = "price_changed"
	ReasonLimitExceeded   Reason = "limit_exceeded"
	ReasonExpired         Reason = "payment_expired"
	ReasonUnprocessable   Reason = "unprocessable" // a peer refused it again and again, for no reason that passes
)

// Method is how the customer pays.
type Method string

// The methods.
const (
	Card Method = "card"
	Pix  Method = "pix"
)

// Customer is who buys. All of it is personal data.
type Customer struct {
	Name     string `json:"name"`
	Email    string `json:"email"`
	Document string `json:"document,omitempty"` // a CPF or CNPJ without punctuation
}

// Address is where the goods go. All of it is personal data.
type Address struct {
	Recipient  string `json:"recipient,omitempty"`
	Street     string `json:"street"`
	Number     string `json:"number"`
	Complement string `json:"complement,omitempty"`
	District   string `json:"district,omitempty"`
	City       string `json:"city"`
	State      string `json:"state"`
	PostalCode string `json:"postal_code"`
	Country    string `json:"country"`
}

// Item is a line of an order. Name and UnitPrice are what inventory said at the moment of the hold, and zero before.
type Item struct {
	SKU       string      `json:"sku"`
	Name      string      `json:"name,omitempty"`
	Quantity  int64       `json:"quantity"`
	UnitPrice money.Cents `json:"unit_price_cents,omitempty"`
}

// PixCharge is what the payer of a Pix needs.
type PixCharge struct {
	TxID      string    `json:"txid"`
	CopyPaste string    `json:"copy_paste"`
	QRCodeURL string    `json:"qr_code_url"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Shortage tells what was missing for an order, in units.
type Shortage struct {
	SKU       string `json:"sku"`
	Requested int64  `json:"requested"`
	Available int64  `json:"available"`
}

// Request is what the customer asked for. It never changes.
type Request struct {
	Customer        Customer          `json:"customer"`
	Items           []Item            `json:"items"` // without names and prices
	ShippingAddress *Address          `json:"shipping_address,omitempty"`
	Method          Method            `json:"method"`
	Token           string            `json:"token,omitempty"` // what stands for the card; never a card number
	ExpectedTotal   *money.Cents      `json:"expected_total_cents,omitempty"`
	Metadata        map[string]string `json:"metadata,omitempty"`
}

// Progress is what became of the request so far, but for the columns that are searched.
type Progress struct {
	Lines     []Item      `json:"lines,omitempty"` // the items with names and prices, once inventory has named them
	Total     money.Cents `json:"total_cents,omitempty"`
	Reason    string      `json:"reason,omitempty"` // a Reason, or the words of who canceled
	Shortages []Shortage  `json:"shortages,omitempty"`
	Pix       *PixCharge  `json:"pix,omitempty"`
	HoldRound int         `json:"hold_round"` // which hold of the stock is this order's; from 1
	// ReleaseDue and RefundDue are what the order still owes: its stock, and its payment closed or given back.
	ReleaseDue bool `json:"release_due,omitempty"`
	RefundDue  bool `json:"refund_due,omitempty"`
	// Expired: nobody canceled the order but its time. Money that comes late can bring it back.
	Expired bool `json:"expired,omitempty"`
	// PaidLate: the money came when the order had expired; it is held again if there is stock, otherwise refunded.
	PaidLate bool `json:"paid_late,omitempty"`
	// Refusals counts how often in a row somebody took the order up and a peer refused it for a reason that does not pass.
	Refusals int `json:"refusals,omitempty"`
}

// Order is one order.
type Order struct {
	ID                ID
	PaymentID         PaymentID
	Caller            string // the API key that placed it
	Status            Status
	PaymentStatus     PaymentStatus
	FulfillmentStatus FulfillmentStatus
	Request
	Progress
	// Version counts the order's events.
	Version int64
	// Lease counts the times that somebody took the order up again: a write by who had it before is refused.
	Lease int64
	// NextAttemptAt is when anybody may take the order up; zero: there is nothing to do.
	NextAttemptAt time.Time
	CreatedAt     time.Time
	UpdatedAt     time.Time

	events []Event // since the order was read
}

// EventType says what happened to an order.
type EventType string

// The types of event.
const (
	EventPlaced          EventType = "order.placed"
	EventHeld            EventType = "order.held"
	EventAwaitingPayment EventType = "order.awaiting_payment"
	EventConfirmed       EventType = "order.confirmed"
	EventRejected        EventType = "order.rejected"
	EventCanceled        EventType = "order.canceled"
	EventPaymentUnknown  EventType = "payment.unknown"
	EventPaymentLate     EventType = "payment.late"
	EventPaymentClosed   EventType = "payment.closed"
	EventPaymentRefunded EventType = "payment.refunded"
	EventStockReleased   EventType = "stock.released"
)

// Event is one thing that happened to an order, and how it stood after.
type Event struct {
	OrderID       ID
	Version       int64
	Type          EventType
	Status        Status
	PaymentStatus PaymentStatus
	Reason        string
	At            time.Time
}

// EffectiveItems are the items with prices where inventory has named them, and as asked for before.
func (o Order) EffectiveItems() []Item {
	if len(o.Lines) > 0 {
		return o.Lines
	}
	return o.Items
}
