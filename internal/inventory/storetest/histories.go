package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
)

// model is an inventory with none of a store's difficulties, and none of its code.
type model struct {
	price, onHand, held map[inventory.SKU]int64
	rounds              map[string]round
	keys                map[string]string
	movements           map[inventory.SKU]int
}

type round struct {
	released bool
	total    int64
	lines    []inventory.Line
}

// histories runs random histories against the store and the model. A history has SKUs of its own, so that they can share a store.
func histories(t *testing.T, s *shop) {
	number := 0
	rapid.Check(t, func(rt *rapid.T) {
		number++
		h := &history{
			t: rt, shop: &shop{t: t, ctx: s.ctx, store: s.store, clock: s.clock, ids: s.ids},
			model: model{
				price: map[inventory.SKU]int64{}, onHand: map[inventory.SKU]int64{}, held: map[inventory.SKU]int64{},
				rounds: map[string]round{}, keys: map[string]string{}, movements: map[inventory.SKU]int{},
			},
		}
		for i := range 4 {
			h.skus = append(h.skus, inventory.SKU(fmt.Sprintf("h%d-%d", number, i)))
			h.orders = append(h.orders, newOrder(s))
		}
		rt.Repeat(map[string]func(*rapid.T){"put": h.put, "adjust": h.adjust, "hold": h.hold, "release": h.release, "": h.check})
		for sku := range h.model.price {
			h.shop.audit(sku)
		}
	})
}

type history struct {
	t      *rapid.T
	shop   *shop
	model  model
	skus   []inventory.SKU
	orders []inventory.OrderID
}

// order draws an index, which shrinks and reads better than an id.
func (h *history) order(t *rapid.T) inventory.OrderID {
	return h.orders[rapid.IntRange(0, len(h.orders)-1).Draw(t, "order")]
}

func (h *history) put(t *rapid.T) {
	sku := rapid.SampledFrom(h.skus[:3]).Draw(t, "sku") // the last one stays unknown
	price := rapid.Int64Range(1, 3).Draw(t, "price")
	h.shop.putItem(inventory.Item{SKU: sku, Name: string(sku), Price: money.Cents(price)})
	h.model.price[sku] = price
}

func (h *history) adjust(t *rapid.T) {
	sku := rapid.SampledFrom(h.skus).Draw(t, "sku")
	delta := rapid.Int64Range(-6, 9).Filter(func(n int64) bool { return n != 0 }).Draw(t, "delta")
	key := fmt.Sprint(h.skus[0], rapid.IntRange(0, 20).Draw(t, "key"))
	_, err := h.shop.adjust(sku, delta, key)
	if want := h.model.adjust(sku, delta, key); !errors.Is(err, want) {
		t.Fatalf("adjust %s by %d: %v, want %v", sku, delta, err, want)
	}
}

func (m *model) adjust(sku inventory.SKU, delta int64, key string) error {
	body := fmt.Sprint(sku, delta)
	if before, ok := m.keys[key]; ok {
		if before != body {
			return inventory.ErrKeyReused
		}
		return nil
	}
	if m.price[sku] == 0 {
		return inventory.ErrNotFound
	}
	if m.onHand[sku]+delta < m.held[sku] {
		return inventory.ErrHeldUnits
	}
	m.keys[key] = body
	m.onHand[sku] += delta
	m.movements[sku]++
	return nil
}

func (h *history) hold(t *rapid.T) {
	var batch []inventory.Hold
	for range rapid.IntRange(1, 4).Draw(t, "holds") {
		batch = append(batch, inventory.Hold{
			OrderID: h.order(t),
			Round:   rapid.IntRange(1, 4).Draw(t, "round"),
			Lines: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) inventory.Line {
				return inventory.Line{SKU: rapid.SampledFrom(h.skus).Draw(t, "sku"), Quantity: rapid.Int64Range(1, 3).Draw(t, "quantity")}
			}), 1, 3).Draw(t, "lines"),
		})
	}
	for i, got := range h.shop.hold(batch...) {
		verdict, total := h.model.hold(batch[i])
		if got.Verdict != verdict || int64(got.Total) != total {
			t.Fatalf("hold %d of %+v: %s, %d; want %s, %d", i, batch, got.Verdict, got.Total, verdict, total)
		}
	}
}

func (m *model) hold(h inventory.Hold) (inventory.Verdict, int64) {
	key := fmt.Sprint(h.OrderID, h.Round)
	if r, ok := m.rounds[key]; ok {
		if r.released {
			return inventory.Released, 0
		}
		return inventory.Held, r.total
	}
	want, total, verdict := map[inventory.SKU]int64{}, int64(0), inventory.Held
	for _, line := range h.Lines {
		want[line.SKU] += line.Quantity
		total += line.Quantity * m.price[line.SKU]
	}
	for sku, quantity := range want {
		switch {
		case m.price[sku] == 0:
			return inventory.UnknownSKU, 0
		case quantity > m.onHand[sku]-m.held[sku]:
			verdict, total = inventory.OutOfStock, 0
		}
	}
	if verdict == inventory.Held {
		m.rounds[key] = round{total: total, lines: h.Lines}
		m.move(h.Lines, 1)
	}
	return verdict, total
}

func (m *model) move(lines []inventory.Line, sign int64) {
	for _, line := range lines {
		m.held[line.SKU] += sign * line.Quantity
		m.movements[line.SKU]++
	}
}

func (h *history) release(t *rapid.T) {
	var batch []inventory.Release
	for range rapid.IntRange(1, 4).Draw(t, "releases") {
		batch = append(batch, give(h.order(t), rapid.IntRange(1, 4).Draw(t, "round")))
	}
	h.shop.release(batch...)
	for _, r := range batch {
		key := fmt.Sprint(r.OrderID, r.Round)
		if before := h.model.rounds[key]; !before.released {
			h.model.move(before.lines, -1)
			h.model.rounds[key] = round{released: true}
		}
	}
}

// check compares what the store has with the model, after every step.
func (h *history) check(t *rapid.T) {
	items, err := h.shop.store.Items(h.shop.ctx, h.skus)
	if err != nil {
		t.Fatal(err)
	}
	known := slices.SortedFunc(maps.Keys(h.model.price), cmp.Compare)
	if len(items) != len(known) {
		t.Fatalf("%d items, want %d", len(items), len(known))
	}
	for i, sku := range known {
		got := [4]int64{int64(items[i].Price), items[i].OnHand, items[i].Held, int64(len(h.shop.movements(sku)))}
		if want := [4]int64{h.model.price[sku], h.model.onHand[sku], h.model.held[sku], int64(h.model.movements[sku])}; got != want {
			t.Fatalf("%s: price, on hand, held, movements are %d, want %d", sku, got, want)
		}
	}
}
