package storetest

import (
	"slices"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
)

var itemCases = map[string]testCase{
	"put creates an item without stock": func(t *testing.T, s *shop) {
		asked := inventory.Item{SKU: "a", Name: "Café 500 g", Price: 100, LowStockThreshold: 3, OnHand: 9, Held: 5}
		made := s.putItem(asked)
		want := inventory.Item{SKU: "a", Name: "Café 500 g", Price: 100, LowStockThreshold: 3, CreatedAt: made.CreatedAt, UpdatedAt: made.CreatedAt}
		s.wantEqual(made, want)
		s.wantEqual(s.item("a"), want)
	},
	"put changes name, price and threshold only": func(t *testing.T, s *shop) {
		before := s.put("a", 100, 5)
		s.hold(order(newOrder(s), "a"))
		before.Held, before.LastMovement = 1, s.item("a").LastMovement
		after := s.putItem(inventory.Item{SKU: "a", Name: "New", Price: 200, LowStockThreshold: 2})
		before.Name, before.Price, before.LowStockThreshold, before.UpdatedAt = "New", 200, 2, after.UpdatedAt
		s.wantEqual(after, before)
		s.wantEqual(s.item("a"), before)
	},
	"put repeated changes nothing": func(t *testing.T, s *shop) {
		item := s.putItem(inventory.Item{SKU: "a", Name: "A", Price: 1})
		again, err := s.store.PutItem(s.ctx, item)
		s.wantError(err, nil)
		s.wantEqual(again, item)
	},
	"put refuses a price that is not positive": func(t *testing.T, s *shop) {
		if _, err := s.store.PutItem(s.ctx, inventory.Item{SKU: "a", Name: "A", Price: 0}); err == nil {
			t.Error("an item without a price was stored")
		}
		s.wantEqual(len(s.list(inventory.ItemFilter{Limit: 10})), 0)
	},
	"items answers those that exist, once, by SKU": func(t *testing.T, s *shop) {
		a, b := s.put("a", 1, 0), s.put("B", 2, 7)
		got, err := s.store.Items(s.ctx, []inventory.SKU{"a", "none", "B", "a"})
		s.wantError(err, nil)
		s.wantEqual(got, []inventory.Item{b, a})
		got, err = s.store.Items(s.ctx, nil)
		s.wantError(err, nil)
		s.wantEqual(len(got), 0)
	},
	"list is by the SKU's bytes": func(t *testing.T, s *shop) {
		want := []inventory.SKU{"0", "1.0", "10", "A", "A-1", "A.1", "A1", "AA", "A_1", "B", "Z", "a", "a-b", "a.b", "a0", "aB", "a_b", "ab", "b"}
		for i := range want {
			s.put(want[(i*7+3)%len(want)], 1, 0)
		}
		s.wantEqual(skus(s.list(inventory.ItemFilter{Limit: 100})), want)
		got, err := s.store.Items(s.ctx, want)
		s.wantError(err, nil)
		s.wantEqual(skus(got), want)
	},
	"list pages exactly": func(t *testing.T, s *shop) {
		for _, sku := range []inventory.SKU{"a", "b", "c", "d", "e"} {
			s.put(sku, 1, 0)
		}
		s.wantEqual(skus(s.list(inventory.ItemFilter{Limit: 2})), []inventory.SKU{"a", "b"})
		s.wantEqual(skus(s.list(inventory.ItemFilter{Limit: 2, After: "b"})), []inventory.SKU{"c", "d"})
		s.wantEqual(skus(s.list(inventory.ItemFilter{Limit: 2, After: "d"})), []inventory.SKU{"e"})
		s.wantEqual(skus(s.list(inventory.ItemFilter{Limit: 9, After: "bb"})), []inventory.SKU{"c", "d", "e"})
		s.wantEqual(len(s.list(inventory.ItemFilter{Limit: 2, After: "e"})), 0)
	},
	"list ends where it is told": func(t *testing.T, s *shop) {
		for _, sku := range []inventory.SKU{"a", "b", "c", "d", "z"} {
			s.put(sku, 1, 0)
		}
		s.wantEqual(skus(s.list(inventory.ItemFilter{Limit: 9, UpTo: "c"})), []inventory.SKU{"a", "b", "c"})
		s.wantEqual(skus(s.list(inventory.ItemFilter{Limit: 9, After: "a", UpTo: "cc", LowStock: true})), []inventory.SKU{"b", "c"})
		s.wantEqual(skus(s.list(inventory.ItemFilter{Limit: 2, UpTo: "c"})), []inventory.SKU{"a", "b"})
	},
	"an edge is so many items away, and has others behind it": func(t *testing.T, s *shop) {
		for _, sku := range []inventory.SKU{"a", "b", "c", "d"} {
			s.put(sku, 1, 0)
		}
		for _, c := range []struct {
			after inventory.SKU
			n     int
			want  inventory.SKU
		}{{"", 1, "a"}, {"", 3, "c"}, {"", 4, ""}, {"", 5, ""}, {"a", 1, "b"}, {"aa", 2, "c"}, {"b", 2, ""}, {"c", 1, ""}, {"d", 1, ""}} {
			edge, err := s.store.Edge(s.ctx, c.after, c.n)
			s.wantError(err, nil)
			if edge != c.want {
				t.Errorf("the edge %d after %q is %q, want %q", c.n, c.after, edge, c.want)
			}
		}
	},
	"low stock is at or below the threshold": func(t *testing.T, s *shop) {
		for sku, stock := range map[inventory.SKU]int64{"above": 4, "at": 3, "below": 2, "none": 0} {
			item := s.put(sku, 1, stock)
			item.LowStockThreshold = 3
			s.putItem(item)
		}
		s.put("unwatched", 1, 1)
		s.wantEqual(skus(s.list(inventory.ItemFilter{Limit: 9, LowStock: true})), []inventory.SKU{"at", "below", "none"})
		s.hold(order(newOrder(s), "above"))
		s.wantEqual(skus(s.list(inventory.ItemFilter{Limit: 2, LowStock: true})), []inventory.SKU{"above", "at"})
		s.wantEqual(skus(s.list(inventory.ItemFilter{Limit: 2, LowStock: true, After: "at"})), []inventory.SKU{"below", "none"})
	},
	"stock sums all items": func(t *testing.T, s *shop) {
		s.wantTotals(inventory.Stock{})
		s.put("a", 1, 5)
		s.put("b", 1, 7)
		s.hold(order(newOrder(s), "a", "b"), order(newOrder(s), "b"))
		s.wantTotals(inventory.Stock{Items: 2, OnHand: 12, Held: 3})
	},
	"ping answers until the store is closed": func(t *testing.T, s *shop) {
		s.wantError(s.store.Ping(s.ctx), nil)
		s.wantError(s.store.Close(), nil)
		if s.store.Ping(s.ctx) == nil {
			t.Error("a closed store answers")
		}
	},
}

func (s *shop) list(filter inventory.ItemFilter) []inventory.Item {
	s.t.Helper()
	items, err := s.store.ListItems(s.ctx, filter)
	if err != nil {
		s.t.Fatalf("list items: %v", err)
	}
	return items
}

func (s *shop) wantTotals(want inventory.Stock) {
	s.t.Helper()
	got, err := s.store.Stock(s.ctx)
	s.wantError(err, nil)
	s.wantEqual(got, want)
}

func skus(items []inventory.Item) []inventory.SKU {
	names := make([]inventory.SKU, 0, len(items))
	for item := range slices.Values(items) {
		names = append(names, item.SKU)
	}
	return names
}
