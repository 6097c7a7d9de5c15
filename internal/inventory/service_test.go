package inventory_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory/memory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// TestAPageOfLowStockLooksOnlySoFar: where few items are low a page ends before it is full, even without one, and the pages
// together have all of them.
func TestAPageOfLowStockLooksOnlySoFar(t *testing.T) {
	t.Parallel()
	service := inventory.New(memory.New(), clock.System{}, id.SystemSource())
	low := []inventory.SKU{"10000", "10001", "14000", "21000", "22499"}
	for n := range 12_500 {
		sku := inventory.SKU(fmt.Sprint(10_000 + n))
		if _, err := service.PutItem(t.Context(), inventory.Item{SKU: sku, Name: "Item", Price: 1}); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(low, sku) {
			continue
		}
		adjustment := inventory.NewAdjustment{Adjustment: inventory.Adjustment{SKU: sku, Delta: 1, Reason: "delivery"}, Key: inventory.IdempotencyKey{byte(n), byte(n >> 8)}}
		if _, err := service.Adjust(t.Context(), adjustment); err != nil {
			t.Fatal(err)
		}
	}
	type page struct {
		skus string
		next inventory.SKU
	}
	for limit, want := range map[int][]page{
		2: {{"[10000 10001]", "10001"}, {"[14000]", "20001"}, {"[21000 22499]", ""}},
		3: {{"[10000 10001 14000]", "19999"}, {"[21000 22499]", ""}},
		9: {{"[10000 10001 14000]", "19999"}, {"[21000 22499]", ""}},
	} {
		var got []page
		for next := inventory.SKU(""); len(got) == 0 || next != ""; {
			items, after, err := service.ListItems(t.Context(), inventory.ItemFilter{After: next, LowStock: true, Limit: limit})
			if err != nil || len(got) > len(want) {
				t.Fatal(got, err)
			}
			var skus []inventory.SKU
			for _, item := range items {
				skus = append(skus, item.SKU)
			}
			got, next = append(got, page{fmt.Sprint(skus), after}), after
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d: %v, want %v", limit, got, want)
		}
	}
}
