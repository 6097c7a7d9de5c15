package orders

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// UnknownSKUError names the items of a request that inventory does not have, by their index.
type UnknownSKUError struct{ Items []int }

// Error implements error.
func (e *UnknownSKUError) Error() string { return fmt.Sprintf("items %v have unknown SKUs", e.Items) }

// catalogueSize bounds the SKUs that are remembered: about 10 MB.
const catalogueSize = 100_000

// catalogue remembers which SKUs exist, so that an order with an unknown one is refused before anything is written. Items
// are never deleted, so what was known once stays known; what is not known is asked for.
type catalogue struct {
	inventory Inventory
	mu        sync.RWMutex
	known     map[string]struct{}
}

func newCatalogue(inventory Inventory) *catalogue {
	return &catalogue{inventory: inventory, known: make(map[string]struct{})}
}

// check returns an UnknownSKUError, or that of inventory when it had to be asked and could not answer.
func (c *catalogue) check(ctx context.Context, items []Item) error {
	unknown := c.unknown(items)
	if len(unknown) == 0 {
		return nil
	}
	skus := make([]string, len(unknown))
	for i, index := range unknown {
		skus[i] = items[index].SKU
	}
	slices.Sort(skus)
	found, err := c.inventory.Known(ctx, slices.Compact(skus))
	if err != nil {
		return fmt.Errorf("look up SKUs: %w", err)
	}
	c.learn(found)
	unknown = slices.DeleteFunc(unknown, func(index int) bool { return slices.Contains(found, items[index].SKU) })
	if len(unknown) > 0 {
		return &UnknownSKUError{Items: unknown}
	}
	return nil
}

func (c *catalogue) unknown(items []Item) (indexes []int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i, item := range items {
		if _, ok := c.known[item.SKU]; !ok {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

func (c *catalogue) learn(skus []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, sku := range skus {
		if len(c.known) >= catalogueSize {
			clear(c.known) // rare, and the next orders teach it anew
		}
		c.known[strings.Clone(sku)] = struct{}{} // a clone, since sku may be a piece of a whole body
	}
}
