package orders

import (
	"context"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
)

// HoldVerdict is inventory's decision about one order.
type HoldVerdict string

// The verdicts.
const (
	HoldHeld         HoldVerdict = "held"
	HoldOutOfStock   HoldVerdict = "out_of_stock"
	HoldPriceChanged HoldVerdict = "price_changed"
	HoldReleased     HoldVerdict = "released" // this round was ended before
)

// HoldRequest asks for an order's stock.
type HoldRequest struct {
	OrderID       ID
	Round         int
	Items         []Item
	ExpectedTotal *money.Cents
}

// HoldResult answers a HoldRequest.
type HoldResult struct {
	Verdict   HoldVerdict
	Items     []Item // with names and prices, with HoldHeld and HoldPriceChanged
	Total     money.Cents
	Shortages []Shortage // with HoldOutOfStock
}

// ReleaseRequest ends the hold of an order's round.
type ReleaseRequest struct {
	OrderID ID
	Round   int
	Reason  string
}

// Inventory is what orders need of the inventory service. Calls are idempotent; results are in the order of the requests.
// An error means that nothing is known of the outcome; it is fault.Transient unless the service refused the batch.
type Inventory interface {
	Hold(ctx context.Context, holds []HoldRequest) ([]HoldResult, error)
	Release(ctx context.Context, releases []ReleaseRequest) error
	// Known returns those of skus that exist.
	Known(ctx context.Context, skus []string) ([]string, error)
}

// ChargeStatus is where a charge is at payments.
type ChargeStatus string

// The statuses.
const (
	ChargeProcessing ChargeStatus = "processing"
	ChargePending    ChargeStatus = "pending"
	ChargePaid       ChargeStatus = "paid"
	ChargeDeclined   ChargeStatus = "declined"
	ChargeUnknown    ChargeStatus = "unknown"
	ChargeVoided     ChargeStatus = "voided"
	ChargeRefunding  ChargeStatus = "refunding"
	ChargeRefunded   ChargeStatus = "refunded"
)

// ChargeRequest asks for an order's money.
type ChargeRequest struct {
	PaymentID PaymentID
	OrderID   ID
	Method    Method
	Token     string
	Amount    money.Cents
}

// ChargeResult is a charge as it is now.
type ChargeResult struct {
	Status ChargeStatus
	Pix    *PixCharge // with ChargePending
}

// CloseRequest asks for the end of an order's charge.
type CloseRequest struct {
	PaymentID PaymentID
	OrderID   ID
	Method    Method
	Refund    bool // give back what was paid
}

// Notice says that a payment changed by itself.
type Notice struct {
	PaymentID PaymentID
	OrderID   ID
	Version   int64
	Result    ChargeResult
}

// NoticeAck acknowledges a notice.
type NoticeAck struct {
	PaymentID PaymentID
	Version   int64
}

// Payments is what orders need of the payments service; the rules of Inventory hold.
type Payments interface {
	Charge(ctx context.Context, charges []ChargeRequest) ([]ChargeResult, error)
	Close(ctx context.Context, closures []CloseRequest) ([]ChargeResult, error)
	// Notices returns payments that changed by themselves and were not acknowledged, at most limit.
	Notices(ctx context.Context, limit int) ([]Notice, error)
	Ack(ctx context.Context, acks []NoticeAck) error
}
