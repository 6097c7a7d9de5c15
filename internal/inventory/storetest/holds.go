package storetest

import (
	"fmt"
	"math"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
)

var holdCases = map[string]testCase{
	"hold answers names and prices in the order of the request": func(t *testing.T, s *shop) {
		s.put("a", 100, 5)
		s.put("b", 7, 5)
		h := inventory.Hold{OrderID: newOrder(s), Round: 1, Lines: []inventory.Line{{SKU: "b", Quantity: 2}, {SKU: "a", Quantity: 1}, {SKU: "b", Quantity: 1}}}
		s.wantEqual(s.hold(h), []inventory.HoldResult{{Verdict: inventory.Held, Total: 121, Lines: []inventory.PricedLine{
			{SKU: "b", Name: "Item b", Quantity: 2, UnitPrice: 7},
			{SKU: "a", Name: "Item a", Quantity: 1, UnitPrice: 100},
			{SKU: "b", Name: "Item b", Quantity: 1, UnitPrice: 7},
		}}})
		s.wantStock("a", 5, 1)
		s.wantStock("b", 5, 3)
		s.audit("a")
		s.audit("b")
	},
	"hold is first come, first served in a batch": func(t *testing.T, s *shop) {
		s.put("a", 1, 3)
		results := s.hold(units(newOrder(s), "a", 2), units(newOrder(s), "a", 2), units(newOrder(s), "a", 1), units(newOrder(s), "a", 1))
		s.wantVerdicts(results, inventory.Held, inventory.OutOfStock, inventory.Held, inventory.OutOfStock)
		s.wantEqual(results[1].Shortages, []inventory.Shortage{{SKU: "a", Requested: 2, Available: 1}})
		s.wantEqual(results[3].Shortages, []inventory.Shortage{{SKU: "a", Requested: 1}})
		s.wantStock("a", 3, 3)
	},
	"hold takes all lines or none": func(t *testing.T, s *shop) {
		s.put("a", 1, 5)
		s.put("b", 1, 0)
		results := s.hold(order(newOrder(s), "a", "b"), order(newOrder(s), "a", "none", "b"))
		s.wantEqual(results, []inventory.HoldResult{
			{Verdict: inventory.OutOfStock, Shortages: []inventory.Shortage{{SKU: "b", Requested: 1}}},
			{Verdict: inventory.UnknownSKU, Shortages: []inventory.Shortage{{SKU: "b", Requested: 1}, {SKU: "none", Requested: 1}}},
		})
		s.wantStock("a", 5, 0)
	},
	"hold counts the lines of a SKU together": func(t *testing.T, s *shop) {
		s.put("a", 1, 3)
		twice := inventory.Hold{OrderID: newOrder(s), Round: 1, Lines: []inventory.Line{{SKU: "a", Quantity: 2}, {SKU: "a", Quantity: 2}}}
		s.wantEqual(s.hold(twice), []inventory.HoldResult{
			{Verdict: inventory.OutOfStock, Shortages: []inventory.Shortage{{SKU: "a", Requested: 4, Available: 3}}},
		})
		huge := inventory.Hold{OrderID: newOrder(s), Round: 1, Lines: []inventory.Line{{SKU: "a", Quantity: 1}, {SKU: "a", Quantity: math.MaxInt64}}}
		s.wantEqual(s.hold(huge), []inventory.HoldResult{
			{Verdict: inventory.OutOfStock, Shortages: []inventory.Shortage{{SKU: "a", Requested: math.MaxInt64, Available: 3}}},
		})
		s.wantStock("a", 3, 0)
	},
	"hold repeated answers as before, at the old price": func(t *testing.T, s *shop) {
		s.put("a", 100, 5)
		h := units(newOrder(s), "a", 2)
		first := s.hold(h)
		s.putItem(inventory.Item{SKU: "a", Name: "Dearer", Price: 900})
		s.wantEqual(s.hold(h), first)
		s.wantStock("a", 5, 2)
		s.wantEqual(len(s.movements("a")), 2)
	},
	"hold repeated answers as before though nothing is left": func(t *testing.T, s *shop) {
		s.put("a", 100, 1)
		h := order(newOrder(s), "a")
		s.wantVerdicts(s.hold(h, order(newOrder(s), "a")), inventory.Held, inventory.OutOfStock)
		s.wantVerdicts(s.hold(order(newOrder(s), "a"), h), inventory.OutOfStock, inventory.Held)
	},
	"hold twice in one batch holds once": func(t *testing.T, s *shop) {
		s.put("a", 100, 5)
		h := units(newOrder(s), "a", 2)
		results := s.hold(h, h, h)
		s.wantVerdicts(results, inventory.Held, inventory.Held, inventory.Held)
		s.wantEqual(results[2], results[0])
		s.wantStock("a", 5, 2)
		s.wantEqual(len(s.movements("a")), 2)
	},
	"hold that was refused may succeed later": func(t *testing.T, s *shop) {
		s.put("a", 100, 0)
		h := order(newOrder(s), "a")
		s.wantVerdicts(s.hold(h), inventory.OutOfStock)
		_, err := s.adjust("a", 1, "delivery")
		s.wantError(err, nil)
		s.wantVerdicts(s.hold(h), inventory.Held)
	},
	"hold again in a later round": func(t *testing.T, s *shop) {
		s.put("a", 100, 5)
		h := order(newOrder(s), "a")
		s.hold(h)
		s.release(give(h.OrderID, 1))
		h.Round = 2
		s.wantVerdicts(s.hold(h), inventory.Held)
		s.wantStock("a", 5, 1)
		h.Round = 1
		s.wantVerdicts(s.hold(h), inventory.Released)
		s.wantStock("a", 5, 1)
	},
	"hold refuses another total than expected": func(t *testing.T, s *shop) {
		s.put("a", 100, 5)
		wrong, right := money.Cents(99), money.Cents(100)
		h := order(newOrder(s), "a")
		h.ExpectedTotal = &wrong
		s.wantEqual(s.hold(h), []inventory.HoldResult{{
			Verdict: inventory.PriceChanged, Total: 100, Lines: []inventory.PricedLine{{SKU: "a", Name: "Item a", Quantity: 1, UnitPrice: 100}},
		}})
		s.wantStock("a", 5, 0)
		h.ExpectedTotal = &right
		s.wantVerdicts(s.hold(h), inventory.Held)
	},
	"hold of an empty batch does nothing": func(t *testing.T, s *shop) {
		s.wantEqual(len(s.hold()), 0)
	},
	"hold takes large batches with many SKUs": func(t *testing.T, s *shop) {
		const n = 300
		var holds []inventory.Hold
		for i := range n {
			sku := inventory.SKU(fmt.Sprintf("s%d", (i*7)%n))
			s.put(sku, 1, 2)
			holds = append(holds, order(newOrder(s), sku, inventory.SKU(fmt.Sprintf("s%d", (i*11)%n))))
		}
		for i, r := range s.hold(holds...) {
			if r.Verdict != inventory.Held {
				t.Errorf("hold %d: %+v", i, r)
			}
		}
		s.wantTotals(inventory.Stock{Items: n, OnHand: 2 * n, Held: 2 * n})
	},
}
