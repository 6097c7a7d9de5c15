package storetest

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
)

var raceCases = map[string]testCase{
	"race: one unit, a thousand buyers, one winner": func(t *testing.T, s *shop) {
		s.put("a", 1, 1)
		var mu sync.Mutex
		verdicts := make(map[inventory.Verdict]int)
		s.crowd(1000, func(int) error {
			results, err := s.store.Hold(s.ctx, []inventory.Hold{order(newOrder(s), "a")}, s.clock.Now(), s.ids)
			if err == nil {
				mu.Lock()
				verdicts[results[0].Verdict]++
				mu.Unlock()
			}
			return err
		})
		s.wantEqual(verdicts, map[inventory.Verdict]int{inventory.Held: 1, inventory.OutOfStock: 999})
		s.wantStock("a", 1, 1)
		s.audit("a")
	},
	"race: a hot SKU is never oversold": func(t *testing.T, s *shop) {
		s.put("a", 1, 100)
		s.crowd(64, func(int) error {
			batch := []inventory.Hold{order(newOrder(s), "a"), units(newOrder(s), "a", 2)}
			if _, err := s.store.Hold(s.ctx, batch, s.clock.Now(), s.ids); err != nil {
				return err
			}
			return s.store.Release(s.ctx, []inventory.Release{give(batch[0].OrderID, 1)}, s.clock.Now(), s.ids)
		})
		s.audit("a")
	},
	"race: unsorted orders of two SKUs do not fail": func(t *testing.T, s *shop) {
		s.put("a", 1, 1000)
		s.put("b", 1, 1000)
		s.crowd(64, func(i int) error {
			batch := []inventory.Hold{order(newOrder(s), "a", "b"), order(newOrder(s), "b", "a")}
			if i%2 == 0 {
				batch[0], batch[1] = batch[1], batch[0]
			}
			if _, err := s.store.Hold(s.ctx, batch, s.clock.Now(), s.ids); err != nil {
				return err
			}
			return s.store.Release(s.ctx, []inventory.Release{give(batch[1].OrderID, 1), give(batch[0].OrderID, 1)}, s.clock.Now(), s.ids)
		})
		s.wantTotals(inventory.Stock{Items: 2, OnHand: 2000})
		s.audit("a")
		s.audit("b")
	},
	"race: the same rounds at once hold once": func(t *testing.T, s *shop) {
		s.put("a", 1, 1000)
		s.put("b", 1, 1000)
		batch := []inventory.Hold{order(newOrder(s), "a", "b"), order(newOrder(s), "b"), order(newOrder(s), "a")}
		s.crowd(32, func(i int) error {
			mine := append([]inventory.Hold(nil), batch...)
			rand.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
			results, err := s.store.Hold(s.ctx, mine, s.clock.Now(), s.ids)
			for _, r := range results {
				if r.Verdict != inventory.Held {
					t.Errorf("buyer %d: %+v", i, r)
				}
			}
			return err
		})
		s.wantStock("a", 1000, 2)
		s.wantStock("b", 1000, 2)
	},
	"race: hold and release of one round leave nothing held": func(t *testing.T, s *shop) {
		s.put("a", 1, 1000)
		orders := make([]inventory.OrderID, 16)
		for i := range orders {
			orders[i] = newOrder(s)
		}
		s.crowd(4*len(orders), func(i int) error {
			who, other := orders[i/4], orders[(i/4+1)%len(orders)]
			if i%2 == 0 {
				_, err := s.store.Hold(s.ctx, []inventory.Hold{order(who, "a"), order(other, "a")}, s.clock.Now(), s.ids)
				return err
			}
			return s.store.Release(s.ctx, []inventory.Release{give(other, 1), give(who, 1)}, s.clock.Now(), s.ids)
		})
		s.wantStock("a", 1000, 0)
		s.audit("a")
	},
	"race: a hold that overtakes its release is given back": func(t *testing.T, s *shop) {
		s.put("a", 1, 1000)
		s.put("b", 1, 1000)
		const n = 32
		kept, late := make([]inventory.Hold, n), make([]inventory.Hold, n)
		for i := range n {
			kept[i], late[i] = order(newOrder(s), "b"), order(newOrder(s), "a")
		}
		s.hold(kept...)
		// The releases wait for each other at b, while the holds on a go through: what a release knew of its rounds is then old.
		s.crowd(2*n, func(i int) error {
			if i%2 == 0 {
				return s.store.Release(s.ctx, []inventory.Release{give(kept[i/2].OrderID, 1), give(late[i/2].OrderID, 1)}, s.clock.Now(), s.ids)
			}
			_, err := s.store.Hold(s.ctx, []inventory.Hold{late[i/2]}, s.clock.Now(), s.ids)
			return err
		})
		s.wantTotals(inventory.Stock{Items: 2, OnHand: 2000})
		s.audit("a")
		s.audit("b")
	},
	"race: one key adjusts once": func(t *testing.T, s *shop) {
		s.put("a", 1, 1)
		s.put("b", 1, 1)
		s.crowd(50, func(int) error {
			_, err := s.adjust("a", 5, "k")
			return err
		})
		s.wantStock("a", 6, 0)
		s.wantEqual(len(s.movements("a")), 2)
	},
	"race: one key for two items adjusts one": func(t *testing.T, s *shop) {
		s.put("a", 1, 1)
		s.put("b", 1, 1)
		var refused sync.Map
		s.crowd(2, func(i int) error {
			_, err := s.adjust([]inventory.SKU{"a", "b"}[i], 5, "k")
			if err != nil {
				s.wantError(err, inventory.ErrKeyReused)
				refused.Store(i, true)
			}
			return nil
		})
		_, a := refused.Load(0)
		if _, b := refused.Load(1); a == b {
			t.Errorf("refused: a %v, b %v; want one of them", a, b)
		}
		s.wantTotals(inventory.Stock{Items: 2, OnHand: 7})
	},
}

// crowd calls do from n goroutines at once and reports their errors.
func (s *shop) crowd(n int, do func(i int) error) {
	s.t.Helper()
	ready, cancel := context.WithCancel(s.ctx)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-ready.Done()
			if err := do(i); err != nil {
				s.t.Errorf("%d of %d: %v", i, n, err)
			}
		})
	}
	cancel()
	wg.Wait()
}
