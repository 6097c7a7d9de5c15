package storetest

import (
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
)

var releaseCases = map[string]testCase{
	"release gives back all that its round holds": func(t *testing.T, s *shop) {
		s.put("a", 1, 5)
		s.put("b", 1, 5)
		kept, ended := order(newOrder(s), "b", "a"), order(newOrder(s), "a", "b", "a")
		s.hold(kept, ended)
		s.release(give(ended.OrderID, 1))
		s.wantStock("a", 5, 1)
		s.wantStock("b", 5, 1)
		s.wantVerdicts(s.hold(kept, ended), inventory.Held, inventory.Released)
		s.audit("a")
		s.audit("b")
	},
	"release repeated gives back once": func(t *testing.T, s *shop) {
		s.put("a", 1, 5)
		h, other := units(newOrder(s), "a", 2), order(newOrder(s), "a")
		s.hold(h, other)
		s.release(give(h.OrderID, 1), give(h.OrderID, 1))
		s.release(give(h.OrderID, 1))
		s.wantStock("a", 5, 1)
		s.wantEqual(len(s.movements("a")), 4)
	},
	"release of what never held shuts the door": func(t *testing.T, s *shop) {
		s.put("a", 1, 5)
		h := order(newOrder(s), "a")
		s.release(give(h.OrderID, 1), give(h.OrderID, 1))
		s.release(give(h.OrderID, 1))
		s.wantEqual(s.hold(h), []inventory.HoldResult{{Verdict: inventory.Released}})
		s.wantStock("a", 5, 0)
		h.Round = 2
		s.wantVerdicts(s.hold(h), inventory.Held)
	},
	"release ends its own round only": func(t *testing.T, s *shop) {
		s.put("a", 1, 5)
		first := order(newOrder(s), "a")
		second := first
		second.Round = 2
		s.hold(first, second)
		s.release(give(first.OrderID, 1))
		s.wantVerdicts(s.hold(first, second), inventory.Released, inventory.Held)
		s.wantStock("a", 5, 1)
	},
	"release of several orders, known and unknown": func(t *testing.T, s *shop) {
		s.put("a", 1, 5)
		s.put("b", 1, 5)
		one, two, never := order(newOrder(s), "b"), order(newOrder(s), "a", "b"), order(newOrder(s), "a")
		s.hold(one, two)
		s.release(give(two.OrderID, 1), give(never.OrderID, 1), give(one.OrderID, 1))
		s.wantTotals(inventory.Stock{Items: 2, OnHand: 10})
		s.wantVerdicts(s.hold(never, one, two), inventory.Released, inventory.Released, inventory.Released)
	},
	"release of an empty batch does nothing": func(t *testing.T, s *shop) {
		s.release()
	},
}
