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

// maxLookup is how many SKUs inventory is asked for at once.
const maxLookup = 1000

// catalogueSize bounds the SKUs that are remembered: about 10 MB.
const catalogueSize = 100_000

// catalogue remembers which SKUs exist, so that an order with an unknown one is refused before anything is written. Items
// are never deleted, so what was known once stays known; what is not known is asked for.
type catalogue struct {
	inventory Inventory
	turn      chan struct{} // holds something while inventory is being asked

	mu      sync.RWMutex
	known   map[string]struct{}
	waiting *lookup // the next question, or nil
}

// lookup is one question to inventory, on behalf of all orders that waited for the one before it to be answered: a process
// that knows nothing yet, in the first second of a campaign, would ask for each order otherwise.
type lookup struct {
	skus     []string
	answered chan struct{} // closed when found and err are set
	found    map[string]struct{}
	err      error
}

func newCatalogue(inventory Inventory) *catalogue {
	return &catalogue{inventory: inventory, turn: make(chan struct{}, 1), known: make(map[string]struct{})}
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
	found, err := c.lookUp(ctx, skus)
	if err != nil {
		return fmt.Errorf("look up SKUs: %w", err)
	}
	unknown = slices.DeleteFunc(unknown, func(index int) bool { _, ok := found[items[index].SKU]; return ok })
	if len(unknown) > 0 {
		return &UnknownSKUError{Items: unknown}
	}
	return nil
}

// lookUp returns those of skus that exist, and others. One question to inventory is under way at a time.
func (c *catalogue) lookUp(ctx context.Context, skus []string) (map[string]struct{}, error) {
	mine := c.join(skus)
	select {
	case <-mine.answered:
		return mine.found, mine.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case c.turn <- struct{}{}:
	}
	defer func() { <-c.turn }()
	select {
	case <-mine.answered: // in the turn of another, just before this one
	default:
		// It asks for others too, whose requests go on when its own is given up.
		c.ask(context.WithoutCancel(ctx), c.leave())
	}
	return mine.found, mine.err
}

// join adds SKUs to the next question.
func (c *catalogue) join(skus []string) *lookup {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == nil {
		c.waiting = &lookup{answered: make(chan struct{}), found: make(map[string]struct{})}
	}
	c.waiting.skus = append(c.waiting.skus, skus...)
	return c.waiting
}

// leave takes the next question: who comes now waits for the one after it.
func (c *catalogue) leave() *lookup {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := c.waiting
	c.waiting = nil
	return next
}

func (c *catalogue) ask(ctx context.Context, question *lookup) {
	defer close(question.answered)
	slices.Sort(question.skus)
	for skus := range slices.Chunk(slices.Compact(question.skus), maxLookup) {
		var known []string
		if known, question.err = c.inventory.Known(ctx, skus); question.err != nil {
			return
		}
		c.learn(known)
		for _, sku := range known {
			question.found[sku] = struct{}{}
		}
	}
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
