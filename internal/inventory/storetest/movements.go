package storetest

import (
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
)

var movementCases = map[string]testCase{
	"movements name their cause": func(t *testing.T, s *shop) {
		s.put("a", 1, 5)
		h := units(newOrder(s), "a", 2)
		s.hold(h)
		s.release(give(h.OrderID, 1))
		m := s.movements("a")
		if len(m) != 3 {
			t.Fatalf("%d movements, want 3", len(m))
		}
		s.wantEqual(m[:2], []inventory.Movement{
			{ID: m[0].ID, Previous: m[1].ID, SKU: "a", Kind: inventory.MovementRelease, HeldDelta: -2, OnHandAfter: 5, OrderID: h.OrderID, Reason: "canceled", At: m[0].At},
			{ID: m[1].ID, Previous: m[2].ID, SKU: "a", Kind: inventory.MovementHold, HeldDelta: 2, OnHandAfter: 5, HeldAfter: 2, OrderID: h.OrderID, At: m[1].At},
		})
		s.wantEqual(m[0].At, s.item("a").UpdatedAt)
		s.audit("a")
	},
	"movements are made in the order decided": func(t *testing.T, s *shop) {
		s.put("a", 1, 5)
		first, second := order(newOrder(s), "a"), units(newOrder(s), "a", 2)
		s.hold(second, first)
		m := s.movements("a")
		s.wantEqual([]inventory.OrderID{m[0].OrderID, m[1].OrderID}, []inventory.OrderID{first.OrderID, second.OrderID})
	},
	"movements page exactly, newest first": func(t *testing.T, s *shop) {
		s.put("a", 1, 5)
		s.put("b", 1, 5)
		for range 4 {
			s.hold(order(newOrder(s), "a", "b"))
		}
		all := s.movements("a")
		s.wantEqual(len(all), 5)
		s.wantEqual(s.page(inventory.MovementFilter{SKU: "a", Limit: 2}), all[:2])
		s.wantEqual(s.page(inventory.MovementFilter{SKU: "a", Limit: 2, Before: all[1].ID}), all[2:4])
		s.wantEqual(s.page(inventory.MovementFilter{SKU: "a", Limit: 2, Before: all[3].ID}), all[4:])
		s.wantEqual(len(s.page(inventory.MovementFilter{SKU: "a", Limit: 2, Before: all[4].ID})), 0)
	},
	"movements of an unknown SKU, or before another's, are none": func(t *testing.T, s *shop) {
		s.put("a", 1, 5)
		s.put("b", 1, 5)
		s.hold(order(newOrder(s), "a", "b"))
		s.wantEqual(len(s.movements("none")), 0)
		s.wantEqual(len(s.page(inventory.MovementFilter{SKU: "a", Limit: 2, Before: s.item("b").LastMovement})), 0)
		s.wantEqual(len(s.page(inventory.MovementFilter{SKU: "a", Limit: 2, Before: inventory.MovementID(newOrder(s))})), 0)
	},
}
