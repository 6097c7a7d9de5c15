package inventory

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// The errors that callers tell apart.
var (
	// ErrNotFound says that no item has this SKU.
	ErrNotFound = errors.New("item not found")
	// ErrKeyReused says that the idempotency key came with another body before.
	ErrKeyReused = errors.New("idempotency key was used with another request")
	// ErrHeldUnits says that an adjustment would take units which belong to orders, or that are not there.
	ErrHeldUnits = errors.New("adjustment would remove units that are held or not there")
	// ErrTooMuchStock says that an adjustment would raise the stock above MaxOnHand.
	ErrTooMuchStock = errors.New("stock would exceed its maximum")
)

// MaxOnHand bounds an item's stock, so that no sum of deltas overflows.
const MaxOnHand = 1_000_000_000_000

// IdempotencyKey is a hash of caller, route and the client's key. It is unique for ever.
type IdempotencyKey [32]byte

// Fingerprint is a hash of a validated request body.
type Fingerprint [32]byte

// NewAdjustment asks for an adjustment.
type NewAdjustment struct {
	Adjustment  Adjustment // OnHand is ignored
	Key         IdempotencyKey
	Fingerprint Fingerprint
}

// ItemFilter picks a page of items, by SKU (bytewise, ascending).
type ItemFilter struct {
	After    SKU // exclusive; empty for the first page
	UpTo     SKU // inclusive; empty for all
	LowStock bool
	Limit    int
}

// End is behind every SKU, for a store: a bound that is always there keeps a plan from reading what lies behind it.
func (f *ItemFilter) End() SKU { return cmp.Or(f.UpTo, "~") }

// MovementFilter picks a page of an item's movements, newest first.
type MovementFilter struct {
	SKU    SKU
	Before MovementID // the last movement of the page before, exclusive; zero for the first page
	Limit  int
}

// Stock sums the stock of all items, in units, for metrics and audits.
type Stock struct {
	Items, OnHand, Held int64
}

// Store keeps items, holds and movements. Every method is one transaction: all of it or, with an error, nothing —
// except that an error on commit leaves the outcome unknown, so every write may be repeated and then changes nothing more.
// Errors that may pass are marked with fault.Transient. All methods may be called at the same time.
type Store interface {
	// PutItem creates the item (with no stock) or sets its name, price and threshold, and returns it as stored.
	PutItem(ctx context.Context, item Item) (Item, error)
	// Items returns those of skus that exist, by SKU.
	Items(ctx context.Context, skus []SKU) ([]Item, error)
	// ListItems returns up to filter.Limit items.
	ListItems(ctx context.Context, filter ItemFilter) ([]Item, error)
	// Edge returns the n-th SKU after one where there are more behind it, and none otherwise.
	Edge(ctx context.Context, after SKU, n int) (SKU, error)
	// ListMovements returns up to filter.Limit movements; none for an unknown SKU or when Before is not a movement of it.
	ListMovements(ctx context.Context, filter MovementFilter) ([]Movement, error)
	// Adjust locks the item, decides by DecideAdjustment and writes the decision. A repeated key returns the adjustment as first made, or
	// ErrKeyReused when the fingerprint differs. ErrNotFound, ErrHeldUnits, ErrTooMuchStock: nothing was written, not even the key.
	Adjust(ctx context.Context, request NewAdjustment, ids *id.Source) (Adjustment, error)
	// Hold locks the items of all holds in SKU order, decides by DecideHolds and writes the decision.
	Hold(ctx context.Context, holds []Hold, now time.Time, ids *id.Source) ([]HoldResult, error)
	// Release locks the items that these rounds hold in SKU order, decides by DecideReleases and writes the decision.
	Release(ctx context.Context, releases []Release, now time.Time, ids *id.Source) error
	// Stock sums all items.
	Stock(ctx context.Context) (Stock, error)
	// Rounds returns up to r.Limit rounds, by order and round.
	Rounds(ctx context.Context, r Range) ([]HoldState, error)
	// Imbalances compares each item with its movements and with the rounds that are not released, all in one moment, and
	// returns up to limit of those that disagree, by SKU. It reads everything there is.
	Imbalances(ctx context.Context, limit int) ([]Imbalance, error)
	// Ping tells whether the store can be used now.
	Ping(ctx context.Context) error
	// Close gives back what the store holds open.
	Close() error
}
