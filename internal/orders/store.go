package orders

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrNotFound says that there is no such order.
var ErrNotFound = errors.New("order not found")

// IdempotencyKey is a hash of caller, route and the client's key. It is unique for ever.
type IdempotencyKey [32]byte

// Fingerprint is a hash of a validated request body.
type Fingerprint [32]byte

// Placement asks for an order to be written.
type Placement struct {
	Order       Order
	Key         IdempotencyKey
	Fingerprint Fingerprint
}

// Placing answers a Placement. The order that the key belongs to is the placement's own unless Existing.
type Placing struct {
	Existing    bool
	Order       Order       // with Existing: as the store has it
	Fingerprint Fingerprint // with Existing: of the body that came with the key first
}

// Change is an order's next state, written only while the store has the state before it.
type Change struct {
	Order       Order
	FromVersion int64 // what the store must have; Order.Lease is what it must have too
	Events      []Event
}

// Filter picks a page of orders, newest (highest id) first. Zero fields pick all, but for Limit, which must be positive.
type Filter struct {
	Status        Status
	PaymentStatus PaymentStatus
	Email         string // compared in lower case
	SKU           string
	From          ID // inclusive
	Before        ID // exclusive: the cursor, or the upper bound of the time
	Limit         int
}

// TakesPlaced tells whether the statuses that f asks for are those of an order as it was placed.
func (f *Filter) TakesPlaced() bool {
	return (f.Status == "" || f.Status == Placed) && (f.PaymentStatus == "" || f.PaymentStatus == PaymentNone)
}

// RareState is the status of either kind by which a SKU's orders are found without passing over its others; ok tells whether f
// asks for such a one. Of two it is that of the payment, which fewer orders have.
func (f *Filter) RareState() (state string, ok bool) {
	switch {
	case f.SKU == "" || f.Email != "":
		return "", false
	case isRarePayment(f.PaymentStatus):
		return string(f.PaymentStatus), true
	case isRareStatus(f.Status):
		return string(f.Status), true
	}
	return "", false
}

// RareStates are the statuses of the order, of either kind, that few orders of a shop come to rest in: a store keeps a row of each
// with each of the order's SKUs. It never deletes one, so that an order which has left a state is found there and passed over.
func (o *Order) RareStates() []string {
	var states []string
	if isRareStatus(o.Status) {
		states = append(states, string(o.Status))
	}
	if isRarePayment(o.PaymentStatus) {
		states = append(states, string(o.PaymentStatus))
	}
	return states
}

func isRareStatus(s Status) bool { return s == Rejected || s == Canceled }

func isRarePayment(p PaymentStatus) bool {
	return p == PaymentRefunded || p == PaymentPartiallyRefunded
}

// Open counts what is not done, for metrics and alerts.
type Open struct {
	Orders          int64     // that need a step now or later, but for those that wait for their payer
	OldestCreatedAt time.Time // zero when there are none
	PaymentsUnknown int64
	AwaitingPayment int64
}

// Store keeps orders, their idempotency keys and their events. Every method is one transaction: all of it or, with an
// error, nothing — except that an error on commit leaves the outcome unknown, so every write may be repeated. Errors that
// may pass are marked with fault.Transient. All methods may be called at the same time. Results that answer a list are in
// its order. An order that was read has no events of its own.
type Store interface {
	// Place writes the orders whose keys are new, with their events. Where the key (or, after a repeated call, the same
	// order) is there already, it answers what is there. The same key twice in one call: the first is written, the other Existing.
	Place(ctx context.Context, placements []Placement) ([]Placing, error)
	// Save writes each change whose order is at FromVersion and Order.Lease in the store, with its events, and tells which
	// were written. It writes status, payment and fulfillment status, Progress, Version, NextAttemptAt and
	// UpdatedAt; the rest of an order never changes. An order stands in a call at most once.
	Save(ctx context.Context, changes []Change) (saved []bool, err error)
	// Get returns those of ids that exist, in no order.
	Get(ctx context.Context, ids []ID) ([]Order, error)
	// List returns up to filter.Limit orders.
	List(ctx context.Context, filter Filter) ([]Order, error)
	// Events returns an order's events, by version; none when there is no such order.
	Events(ctx context.Context, order ID) ([]Event, error)
	// Claim takes up to limit orders whose NextAttemptAt is due (at or before now), oldest due first, then by id: it raises Lease and
	// sets NextAttemptAt to leaseUntil. Two claims never get the same order while the lease lasts; orders that another
	// transaction has locked are passed over.
	Claim(ctx context.Context, now, leaseUntil time.Time, limit int) ([]Order, error)
	// Open counts open orders without reading closed ones.
	Open(ctx context.Context) (Open, error)
	// States returns up to r.Limit orders, by id.
	States(ctx context.Context, r Range) ([]State, error)
	// Ping tells whether the store can be used now.
	Ping(ctx context.Context) error
	// Close gives back what the store holds open.
	Close() error
}

// Row is an order as both engines store it. Times are microseconds since 1970 in UTC.
type Row struct {
	ID                ID
	PaymentID         PaymentID
	Caller            string
	Email             string // in lower case, for searching
	Status            Status
	PaymentStatus     PaymentStatus
	FulfillmentStatus FulfillmentStatus
	Request           []byte // JSON
	Progress          []byte // JSON
	Version           int64
	Lease             int64
	NextAttemptAt     int64 // 0: none
	CreatedAt         int64
	UpdatedAt         int64
}

// Events are what happened to the order since it was read, by version: what a write of it has to add.
func (o *Order) Events() []Event { return o.events }

// UntouchedProgress is the stored form of the Progress of an order to which nothing happened since it was placed.
const UntouchedProgress = `{"hold_round":1}`

// IsUntouched tells whether nothing happened to the order since NewOrder, so that its state need not be written; row is
// its stored form.
func (o *Order) IsUntouched(row *Row) bool {
	return o.Version == 1 && o.Lease == 0 && o.Status == Placed && o.PaymentStatus == PaymentNone &&
		o.FulfillmentStatus == Unfulfilled && row.UpdatedAt == row.CreatedAt && string(row.Progress) == UntouchedProgress &&
		len(o.events) == 1 && o.events[0] == PlacedEvent(o.ID, o.CreatedAt)
}

// PlacedEvent is the first event of an order that was placed at a time.
func PlacedEvent(order ID, at time.Time) Event {
	return Event{OrderID: order, Version: 1, Type: EventPlaced, Status: Placed, PaymentStatus: PaymentNone, At: at}
}

// SKUs are the order's SKUs, each once, in the order of its items: what it is found by.
func (o *Order) SKUs() []string {
	skus := make([]string, 0, len(o.Items))
	for _, item := range o.Items {
		if !slices.Contains(skus, item.SKU) { // at most 100 items: a map costs more
			skus = append(skus, item.SKU)
		}
	}
	return skus
}

// Row writes the order in its stored form.
func (o *Order) Row() (Row, error) {
	row, err := o.StateRow()
	if err != nil {
		return Row{}, err
	}
	if row.Request, err = json.Marshal(o.Request); err != nil {
		return Row{}, fmt.Errorf("encode request of order %s: %w", o.ID, err)
	}
	return row, nil
}

// StateRow is Row without Request: all that a Save writes.
func (o *Order) StateRow() (Row, error) {
	progress, err := json.Marshal(o.Progress)
	if err != nil {
		return Row{}, fmt.Errorf("encode progress of order %s: %w", o.ID, err)
	}
	row := Row{
		ID: o.ID, PaymentID: o.PaymentID, Caller: o.Caller, Email: SearchableEmail(o.Customer.Email),
		Status: o.Status, PaymentStatus: o.PaymentStatus, FulfillmentStatus: o.FulfillmentStatus,
		Progress: progress, Version: o.Version, Lease: o.Lease,
		CreatedAt: o.CreatedAt.UnixMicro(), UpdatedAt: o.UpdatedAt.UnixMicro(),
	}
	if !o.NextAttemptAt.IsZero() {
		row.NextAttemptAt = o.NextAttemptAt.UnixMicro()
	}
	return row, nil
}

// Order reads the stored form.
func (r Row) Order() (Order, error) {
	o := Order{
		ID: r.ID, PaymentID: r.PaymentID, Caller: r.Caller,
		Status: r.Status, PaymentStatus: r.PaymentStatus, FulfillmentStatus: r.FulfillmentStatus,
		Version: r.Version, Lease: r.Lease,
		CreatedAt: time.UnixMicro(r.CreatedAt).UTC(), UpdatedAt: time.UnixMicro(r.UpdatedAt).UTC(),
	}
	if r.NextAttemptAt != 0 {
		o.NextAttemptAt = time.UnixMicro(r.NextAttemptAt).UTC()
	}
	if err := json.Unmarshal(r.Request, &o.Request); err != nil {
		return Order{}, fmt.Errorf("decode request of order %s: %w", r.ID, err)
	}
	if err := json.Unmarshal(r.Progress, &o.Progress); err != nil {
		return Order{}, fmt.Errorf("decode progress of order %s: %w", r.ID, err)
	}
	return o, nil
}
