package storetest

import (
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
)

var auditCases = map[string]testCase{
	"rounds come by order and round, cut at both ends and by the limit": func(t *testing.T, s *shop) {
		s.put("a", 150, 9)
		ids := []inventory.OrderID{newOrder(s), newOrder(s), newOrder(s)}
		lines := func(n int64) []inventory.PricedLine {
			return []inventory.PricedLine{{SKU: "a", Name: "Item a", Quantity: n, UnitPrice: 150}}
		}
		second := units(ids[1], "a", 1)
		second.Round = 2
		s.hold(units(ids[2], "a", 3), units(ids[0], "a", 2))
		s.release(give(ids[1], 1), give(ids[0], 1))
		s.hold(second)
		all := []inventory.HoldState{
			{OrderID: ids[0], Round: 1, Released: true, Lines: lines(2)},
			{OrderID: ids[1], Round: 1, Released: true},
			{OrderID: ids[1], Round: 2, Lines: lines(1)},
			{OrderID: ids[2], Round: 1, Lines: lines(3)},
		}
		s.wantRounds(inventory.Range{Limit: 9}, all)
		s.wantRounds(inventory.Range{Limit: 2}, all[:2])
		s.wantRounds(inventory.Range{From: ids[1], Limit: 9}, all[1:])
		s.wantRounds(inventory.Range{Before: ids[1], Limit: 9}, all[:1])
		s.wantRounds(inventory.Range{From: ids[1], Before: ids[2], Limit: 9}, all[1:3])
		s.wantRounds(inventory.Range{From: newOrder(s), Limit: 9}, nil)
	},
	"what is held, released and adjusted is balanced": func(t *testing.T, s *shop) {
		s.put("a", 1, 9)
		s.put("b", 1, 5)
		s.put("never stocked", 1, 0)
		first := units(newOrder(s), "a", 2)
		s.hold(first, order(newOrder(s), "a", "b"))
		s.release(give(first.OrderID, 1), give(newOrder(s), 1))
		if _, err := s.adjust("a", -3, "count"); err != nil {
			t.Fatal(err)
		}
		found, err := s.store.Imbalances(s.ctx, 9)
		if err != nil || len(found) != 0 {
			t.Errorf("imbalances %+v, %v", found, err)
		}
	},
}

func (s *shop) wantRounds(r inventory.Range, want []inventory.HoldState) {
	s.t.Helper()
	got, err := s.store.Rounds(s.ctx, r)
	if err != nil {
		s.t.Fatalf("rounds: %v", err)
	}
	for i := range got {
		if len(got[i].Lines) == 0 {
			got[i].Lines = nil
		}
	}
	s.wantEqual(append([]inventory.HoldState(nil), got...), append([]inventory.HoldState(nil), want...))
}
