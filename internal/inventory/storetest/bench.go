package storetest

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

const benchItems = 10_000

// Bench measures Hold in orders a second, of one line each: by batch size, one batch at a time and two at once, over
// 10,000 SKUs and on one hot SKU. It closes the store, which must be empty.
func Bench(b *testing.B, store inventory.Store) {
	b.Cleanup(func() { _ = store.Close() })
	s := &shop{t: b, ctx: context.Background(), store: store, clock: &tickingClock{}, ids: id.NewSource(clock.System{}, rand.Reader)}
	const fillers = 16
	s.crowd(fillers, func(i int) error {
		for n := i; n < benchItems; n += fillers {
			s.put(benchSKU(n), 100, 1_000_000_000)
		}
		return nil
	})
	spreads := map[string]func() inventory.SKU{
		"uniform": func() inventory.SKU { return benchSKU(mathrand.IntN(benchItems)) },
		"hot":     func() inventory.SKU { return benchSKU(0) },
	}
	for _, spread := range []string{"uniform", "hot"} {
		for _, size := range []int{1, 16, 256} {
			for _, workers := range []int{1, 2} {
				b.Run(fmt.Sprintf("%s/batch=%d/workers=%d", spread, size, workers), func(b *testing.B) {
					s.t = b
					s.benchHolds(b, size, workers, spreads[spread])
				})
			}
		}
	}
}

func benchSKU(n int) inventory.SKU { return inventory.SKU(fmt.Sprintf("SKU-%05d", n)) }

// benchHolds counts a batch as one operation.
func (s *shop) benchHolds(b *testing.B, size, workers int, sku func() inventory.SKU) {
	b.ReportAllocs()
	tokens := make(chan struct{}, b.N)
	for range b.N {
		tokens <- struct{}{}
	}
	close(tokens)
	b.ResetTimer()
	s.crowd(workers, func(int) error {
		for range tokens {
			batch := make([]inventory.Hold, size)
			for i := range batch {
				batch[i] = order(newOrder(s), sku())
			}
			if _, err := s.store.Hold(s.ctx, batch, s.clock.Now(), s.ids); err != nil {
				return err
			}
		}
		return nil
	})
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "orders/s")
}
