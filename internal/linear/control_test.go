package linear_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory/memory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// TestBrokenStoresAreCaught is the positive control: stores that are wrong in a way that only concurrency shows.
func TestBrokenStoresAreCaught(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]inventory.Store{
		"a read from a replica that lags":        &laggingReads{Store: memory.New(), seen: map[inventory.SKU]inventory.Item{}},
		"a hold that reads, decides, then locks": &unlockedHolds{Store: memory.New()},
		"a release answered before its effect":   &lateReleases{Store: memory.New()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const tries = 50 // each catches it with a good chance
			for n := range uint64(tries) {
				results, _, _ := newWorld(t, n, []inventory.Store{broken}, faults{}).run()
				for _, result := range results {
					if result == porcupine.Illegal {
						return
					}
				}
			}
			t.Errorf("%d histories of a broken store were found linearizable", tries*skus)
		})
	}
}

// laggingReads answers a read with what the read before it saw.
type laggingReads struct {
	inventory.Store
	mu   sync.Mutex
	seen map[inventory.SKU]inventory.Item
}

// Items implements inventory.Store.
func (s *laggingReads) Items(ctx context.Context, skus []inventory.SKU) ([]inventory.Item, error) {
	items, err := s.Store.Items(ctx, skus)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, item := range items {
		if old, ok := s.seen[item.SKU]; ok {
			items[i] = old
		}
		s.seen[item.SKU] = item
	}
	return items, err
}

// unlockedHolds believes what it read before it took the lock: the classic race of a read and a write. Alone it is right.
type unlockedHolds struct{ inventory.Store }

// Hold implements inventory.Store.
func (s *unlockedHolds) Hold(ctx context.Context, holds []inventory.Hold, now time.Time, ids *id.Source) ([]inventory.HoldResult, error) {
	results := make([]inventory.HoldResult, len(holds))
	for i, hold := range holds {
		before, err := s.Items(ctx, []inventory.SKU{hold.Lines[0].SKU})
		if err != nil {
			return nil, err
		}
		for range 10 {
			runtime.Gosched() // others take the processor between the read and the write
		}
		taken, err := s.Store.Hold(ctx, []inventory.Hold{hold}, now, ids)
		if err != nil {
			return nil, err
		}
		results[i] = taken[0]
		if taken[0].Verdict == inventory.OutOfStock && hold.Lines[0].Quantity <= before[0].Available() {
			results[i] = inventory.HoldResult{Verdict: inventory.Held} // sold twice
		}
	}
	return results, nil
}

// lateReleases answers before it works, as a queue does that is called a database.
type lateReleases struct {
	inventory.Store
	mu      sync.Mutex
	waiting []inventory.Release
}

// Release implements inventory.Store: it works off what was asked of it before.
func (s *lateReleases) Release(ctx context.Context, releases []inventory.Release, now time.Time, ids *id.Source) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	due := s.waiting
	s.waiting = releases
	return s.Store.Release(ctx, due, now, ids)
}
