package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

var failureCases = map[string]testCase{
	"a context that has ended is transient and writes nothing": func(t *testing.T, s *shop) {
		s.put("a", 1, 5)
		held := order(newOrder(s), "a")
		s.hold(held)
		ended, cancel := context.WithCancel(s.ctx)
		cancel()
		_, holdErr := s.store.Hold(ended, []inventory.Hold{order(newOrder(s), "a")}, s.clock.Now(), s.ids)
		_, adjustErr := s.store.Adjust(ended, s.adjustment("a", 1, "k"), s.ids)
		releaseErr := s.store.Release(ended, []inventory.Release{give(held.OrderID, 1)}, s.clock.Now(), s.ids)
		_, itemsErr := s.store.Items(ended, []inventory.SKU{"a"})
		for _, err := range []error{holdErr, adjustErr, releaseErr, itemsErr} {
			if err == nil || !fault.IsTransient(err) {
				t.Errorf("error %v; want a transient one", err)
			}
		}
		s.wantStock("a", 5, 1)
		s.audit("a")
	},
	"a failure in the middle writes nothing": func(t *testing.T, s *shop) {
		s.put("a", 1, 5)
		s.put("b", 1, 5)
		held := order(newOrder(s), "a", "b")
		s.hold(held)
		for name, do := range map[string]func(*id.Source){
			"hold": func(ids *id.Source) {
				_, _ = s.store.Hold(s.ctx, []inventory.Hold{order(newOrder(s), "a", "b")}, s.clock.Now(), ids)
			},
			"release": func(ids *id.Source) {
				_ = s.store.Release(s.ctx, []inventory.Release{give(held.OrderID, 1)}, s.clock.Now(), ids)
			},
			"adjust": func(ids *id.Source) { _, _ = s.store.Adjust(s.ctx, s.adjustment("a", 1, "k"), ids) },
		} {
			// More often than any pool has connections: a connection that stays behind in its transaction would be missed.
			for range 20 {
				if !panics(func() { do(id.NewSource(s.clock, noRandomness{})) }) {
					t.Errorf("%s went through without ids", name)
				}
			}
			s.wantStock("a", 5, 1)
			s.wantStock("b", 5, 1)
			s.wantEqual(len(s.movements("a")), 2)
		}
		s.wantVerdicts(s.hold(held), inventory.Held)
		_, err := s.adjust("a", 1, "k")
		s.wantError(err, nil)
	},
}

// noRandomness makes deciding panic, inside the transaction.
type noRandomness struct{}

func (noRandomness) Read([]byte) (int, error) { return 0, errors.New("no randomness") }

func panics(do func()) (did bool) {
	defer func() { did = recover() != nil }()
	do()
	return false
}
