package inventory

import (
	"bytes"
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// HoldState is what a store remembers of an order's round.
type HoldState struct {
	OrderID  OrderID
	Round    int
	Released bool
	Lines    []PricedLine // empty when the round was released before it held
}

// Decision is a batch's outcome, to be written in one transaction.
type Decision struct {
	Results   []HoldResult // one a Hold, in order; nil for releases
	States    []HoldState  // new and changed rounds, by order and round: two batches that insert the same rounds never deadlock
	Movements []Movement   // in the order decided
	Changes   []Change     // one an item, by SKU
}

// Change is what movements do to their item's row.
type Change struct {
	SKU                    SKU
	OnHandDelta, HeldDelta int64
	LastMovement           MovementID
}

// Change is what m alone does.
func (m Movement) Change() Change {
	return Change{SKU: m.SKU, OnHandDelta: m.OnHandDelta, HeldDelta: m.HeldDelta, LastMovement: m.ID}
}

// ledger is the stock of a batch while it is being decided.
type ledger struct {
	items    map[SKU]*Item
	states   map[roundKey]HoldState
	changes  map[SKU]Change
	now      time.Time
	ids      *id.Source
	decision Decision
}

type roundKey struct {
	order OrderID
	round int
}

// newLedger expects n rounds.
func newLedger(items []Item, known []HoldState, n int, now time.Time, ids *id.Source) *ledger {
	l := &ledger{
		items:   make(map[SKU]*Item, len(items)),
		states:  make(map[roundKey]HoldState, len(known)+n),
		changes: make(map[SKU]Change, len(items)),
		now:     now,
		ids:     ids,
	}
	for i := range items {
		item := items[i]
		l.items[item.SKU] = &item
	}
	for _, s := range known {
		l.states[roundKey{s.OrderID, s.Round}] = s
	}
	return l
}

// DecideHolds decides holds first come, first served. items are the locked rows of every SKU named, known the rounds
// that the store already has of these orders. A repeated round answers as it did before.
func DecideHolds(items []Item, known []HoldState, holds []Hold, now time.Time, ids *id.Source) Decision {
	l := newLedger(items, known, len(holds), now, ids)
	l.decision.Results = make([]HoldResult, len(holds))
	for i, h := range holds {
		l.decision.Results[i] = l.hold(h)
	}
	return l.finish()
}

// DecideReleases gives back what each round holds. A round that never held is remembered as released, so that a hold
// which arrives late, after its order was canceled, finds the door shut.
func DecideReleases(items []Item, known []HoldState, releases []Release, now time.Time, ids *id.Source) Decision {
	l := newLedger(items, known, len(releases), now, ids)
	for _, r := range releases {
		l.release(r)
	}
	return l.finish()
}

func (l *ledger) hold(h Hold) HoldResult {
	key := roundKey{h.OrderID, h.Round}
	if state, ok := l.states[key]; ok {
		return repeated(state)
	}
	lines, shortages, unknown := l.price(h.Lines)
	if len(shortages) > 0 {
		verdict := OutOfStock
		if unknown {
			verdict = UnknownSKU
		}
		return HoldResult{Verdict: verdict, Shortages: shortages}
	}
	total, err := Total(lines)
	if err != nil || (h.ExpectedTotal != nil && *h.ExpectedTotal != total) {
		return HoldResult{Verdict: PriceChanged, Lines: lines, Total: total}
	}
	for _, line := range lines {
		l.move(MovementHold, line.SKU, line.Quantity, h.OrderID, "")
	}
	l.remember(HoldState{OrderID: h.OrderID, Round: h.Round, Lines: lines})
	return HoldResult{Verdict: Held, Lines: lines, Total: total}
}

func repeated(state HoldState) HoldResult {
	if state.Released {
		return HoldResult{Verdict: Released}
	}
	total, _ := Total(state.Lines) // it was checked when it was held
	return HoldResult{Verdict: Held, Lines: state.Lines, Total: total}
}

// price looks every line up and tells what is short. A SKU may stand on several lines: they count together.
func (l *ledger) price(lines []Line) (priced []PricedLine, shortages []Shortage, unknown bool) {
	priced = make([]PricedLine, len(lines))
	for i, line := range lines {
		requested := line.Quantity
		for _, earlier := range lines[:i] {
			if earlier.SKU == line.SKU {
				requested = addUnits(requested, earlier.Quantity)
			}
		}
		item, ok := l.items[line.SKU]
		if !ok {
			unknown = true
			shortages = noteShortage(shortages, Shortage{SKU: line.SKU, Requested: requested})
			continue
		}
		if requested > item.Available() {
			shortages = noteShortage(shortages, Shortage{line.SKU, requested, item.Available()})
		}
		priced[i] = PricedLine{SKU: line.SKU, Name: item.Name, Quantity: line.Quantity, UnitPrice: item.Price}
	}
	slices.SortFunc(shortages, func(a, b Shortage) int { return strings.Compare(string(a.SKU), string(b.SKU)) })
	return priced, shortages, unknown
}

// addUnits stops at the largest number instead of wrapping to a negative one, which any stock would cover.
func addUnits(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// noteShortage keeps one shortage a SKU, with the largest request.
func noteShortage(shortages []Shortage, s Shortage) []Shortage {
	for i := range shortages {
		if shortages[i].SKU == s.SKU {
			shortages[i].Requested = s.Requested
			return shortages
		}
	}
	return append(shortages, s)
}

func (l *ledger) release(r Release) {
	key := roundKey{r.OrderID, r.Round}
	state, ok := l.states[key]
	if ok && state.Released {
		return
	}
	for _, line := range state.Lines {
		l.move(MovementRelease, line.SKU, -line.Quantity, r.OrderID, r.Reason)
	}
	l.remember(HoldState{OrderID: r.OrderID, Round: r.Round, Released: true, Lines: state.Lines})
}

func (l *ledger) move(kind MovementKind, sku SKU, heldDelta int64, order OrderID, reason string) {
	item := l.items[sku]
	m := Movement{
		ID: id.New[movement](l.ids), Previous: item.LastMovement, SKU: sku, Kind: kind, HeldDelta: heldDelta,
		OnHandAfter: item.OnHand, HeldAfter: item.Held + heldDelta, OrderID: order, Reason: reason, At: l.now,
	}
	item.Held, item.LastMovement = m.HeldAfter, m.ID
	l.changes[sku] = Change{SKU: sku, HeldDelta: l.changes[sku].HeldDelta + heldDelta, LastMovement: m.ID}
	l.decision.Movements = append(l.decision.Movements, m)
}

// remember notes a round's new state. A batch has one a round: it only holds or only releases, and each once.
func (l *ledger) remember(state HoldState) {
	l.states[roundKey{state.OrderID, state.Round}] = state
	l.decision.States = append(l.decision.States, state)
}

func (l *ledger) finish() Decision {
	l.decision.Changes = slices.SortedFunc(maps.Values(l.changes), func(a, b Change) int {
		return strings.Compare(string(a.SKU), string(b.SKU))
	})
	slices.SortFunc(l.decision.States, func(a, b HoldState) int {
		return cmp.Or(bytes.Compare(a.OrderID[:], b.OrderID[:]), cmp.Compare(a.Round, b.Round))
	})
	return l.decision
}

// DecideAdjustment changes the locked item's stock by one movement and fills the adjustment's OnHand in, or says
// ErrHeldUnits or ErrTooMuchStock.
func DecideAdjustment(item Item, request NewAdjustment, ids *id.Source) (Adjustment, Movement, error) {
	made := request.Adjustment
	if made.Delta > MaxOnHand-item.OnHand {
		return Adjustment{}, Movement{}, ErrTooMuchStock
	}
	if made.Delta < item.Held-item.OnHand {
		return Adjustment{}, Movement{}, ErrHeldUnits
	}
	made.OnHand = item.OnHand + made.Delta
	return made, Movement{
		ID: id.New[movement](ids), Previous: item.LastMovement, SKU: item.SKU, Kind: MovementAdjustment, OnHandDelta: made.Delta,
		OnHandAfter: made.OnHand, HeldAfter: item.Held, Reason: made.Reason, At: made.CreatedAt,
	}, nil
}

// HoldSKUs names the items to lock for holds, in the order to lock them.
func HoldSKUs(holds []Hold) []SKU {
	skus := make([]SKU, 0, len(holds))
	for _, h := range holds {
		for _, line := range h.Lines {
			skus = append(skus, line.SKU)
		}
	}
	slices.Sort(skus)
	return slices.Compact(skus)
}

// HeldSKUs names the items to lock for releases of known rounds, in the order to lock them.
func HeldSKUs(known []HoldState) []SKU {
	var skus []SKU
	for _, state := range known {
		if state.Released {
			continue
		}
		for _, line := range state.Lines {
			skus = append(skus, line.SKU)
		}
	}
	slices.Sort(skus)
	return slices.Compact(skus)
}

// Total sums lines, or money.ErrOverflow.
func Total(lines []PricedLine) (money.Cents, error) {
	var total money.Cents
	for _, line := range lines {
		price, err := money.Mul(line.UnitPrice, line.Quantity)
		if err != nil {
			return 0, err
		}
		if total, err = money.Add(total, price); err != nil {
			return 0, err
		}
	}
	return total, nil
}
