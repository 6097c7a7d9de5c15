package inventoryapp

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory/memory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// counted counts how often all items were summed.
type counted struct {
	*memory.Store
	sums int
	err  error
}

// Stock implements inventory.Store.
func (c *counted) Stock(ctx context.Context) (inventory.Stock, error) {
	c.sums++
	if c.err != nil {
		return inventory.Stock{}, c.err
	}
	return c.Store.Stock(ctx)
}

// TestScrapesSumTheStockOnceAMinute: and show after it what has changed. A sum that failed is asked for again.
func TestScrapesSumTheStockOnceAMinute(t *testing.T) {
	t.Parallel()
	at := clock.NewManual(time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC))
	store := &counted{Store: memory.New(), err: errors.New("no database")}
	service := inventory.New(store, at, id.SystemSource())
	registry := prometheus.NewRegistry()
	registry.MustRegister(newCollector(service, at))
	if _, err := registry.Gather(); err == nil {
		t.Error("a stock that could not be read was shown")
	}
	store.err = nil
	for i, step := range []struct {
		after       time.Duration
		sums, items int
	}{{0, 2, 1}, {time.Second, 2, 1}, {59*time.Second - 1, 2, 1}, {1, 3, 4}, {time.Hour, 4, 5}} {
		at.Advance(step.after)
		if _, err := service.PutItem(t.Context(), inventory.Item{SKU: inventory.SKU('a' + rune(i)), Name: "Item", Price: 1}); err != nil {
			t.Fatal(err)
		}
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, family := range families {
			if got := family.GetMetric()[0].GetGauge().GetValue(); family.GetName() == "veloz_inventory_items" && got != float64(step.items) {
				t.Errorf("scrape %d: %v items, want %d", i, got, step.items)
			}
		}
		if store.sums != step.sums || len(families) != 3 {
			t.Errorf("scrape %d: %d sums and %d metrics, want %d and 3", i, store.sums, len(families), step.sums)
		}
	}
}
