// Package inventory owns the catalogue's prices and every unit of stock.
//
// Stock changes in batches: a batch locks its items' rows in SKU order, decides hold by hold in memory (decide.go),
// and writes each item once, however many holds touched it. That is why a hot SKU costs no more than a cold one.
package inventory

import (
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

type (
	order      struct{}
	adjustment struct{}
	movement   struct{}

	// OrderID names an order of the orders service.
	OrderID = id.ID[order]
	// AdjustmentID names a stock adjustment.
	AdjustmentID = id.ID[adjustment]
	// MovementID names a movement.
	MovementID = id.ID[movement]
)

// SKU names an item: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
type SKU string

// Item is a thing for sale and its stock, in units.
type Item struct {
	SKU               SKU
	Name              string
	Price             money.Cents
	LowStockThreshold int64
	OnHand            int64      // in the warehouse
	Held              int64      // of those, belonging to orders; 0 ≤ Held ≤ OnHand
	LastMovement      MovementID // zero before the first; where the chain of its movements begins
	CreatedAt         time.Time
	UpdatedAt         time.Time
}

// Available is what a new order can still get.
func (i Item) Available() int64 { return i.OnHand - i.Held }

// Line asks for units of one SKU.
type Line struct {
	SKU      SKU
	Quantity int64 // ≥ 1
}

// Hold asks for all lines of an order, or none.
type Hold struct {
	OrderID OrderID
	// Round counts the times that the order asks anew, from 1: an order that was released for good can hold again only in a later round.
	Round int
	Lines []Line
	// ExpectedTotal refuses the hold when the prices sum to something else; nil accepts any total.
	ExpectedTotal *money.Cents
}

// Verdict is what became of a hold.
type Verdict string

// The verdicts.
const (
	Held         Verdict = "held"
	OutOfStock   Verdict = "out_of_stock"
	UnknownSKU   Verdict = "unknown_sku"
	PriceChanged Verdict = "price_changed"
	// Released says that this round was released before: it never holds again.
	Released Verdict = "released"
)

// PricedLine is a line with the name and the price at the moment of the hold.
type PricedLine struct {
	SKU       SKU         `json:"sku"`
	Name      string      `json:"name"`
	Quantity  int64       `json:"quantity"`
	UnitPrice money.Cents `json:"unit_price_cents"`
}

// Shortage tells what was missing: Available is 0 for an unknown SKU.
type Shortage struct {
	SKU                  SKU
	Requested, Available int64
}

// HoldResult answers one Hold.
type HoldResult struct {
	Verdict   Verdict
	Lines     []PricedLine // with Held and PriceChanged, in the order of the request
	Total     money.Cents  // of Lines
	Shortages []Shortage   // with OutOfStock and UnknownSKU, by SKU
}

// Release ends the hold of an order's round.
type Release struct {
	OrderID OrderID
	Round   int
	Reason  string // for the movement
}

// MovementKind is the cause of a change of stock.
type MovementKind string

// The kinds of movement.
const (
	MovementAdjustment MovementKind = "adjustment"
	MovementHold       MovementKind = "hold"
	MovementRelease    MovementKind = "release"
)

// Movement is one change of one item's stock. The sums of an item's deltas are its OnHand and Held.
//
// The movements of an item are a chain, from Item.LastMovement back: that is their order, even when two replicas' clocks
// disagree about it. It also spares an index by SKU, which would touch another page for each order of a batch.
type Movement struct {
	ID                     MovementID
	Previous               MovementID // the item's movement before this one; zero for the first
	SKU                    SKU
	Kind                   MovementKind
	OnHandDelta, HeldDelta int64
	OnHandAfter, HeldAfter int64
	OrderID                OrderID // zero for adjustments
	Reason                 string
	At                     time.Time
}

// Adjustment adds or removes units.
type Adjustment struct {
	ID        AdjustmentID
	SKU       SKU
	Delta     int64 // not 0
	Reason    string
	OnHand    int64 // right after
	CreatedAt time.Time
}
