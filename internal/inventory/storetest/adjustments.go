package storetest

import (
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
)

var adjustmentCases = map[string]testCase{
	"adjust changes what is on hand and says why": func(t *testing.T, s *shop) {
		s.put("a", 1, 0)
		request := s.adjustment("a", 5, "k")
		made, err := s.store.Adjust(s.ctx, request, s.ids)
		s.wantError(err, nil)
		want := request.Adjustment
		want.OnHand = 5
		s.wantEqual(made, want)
		last := s.item("a").LastMovement
		s.wantEqual(s.movements("a"), []inventory.Movement{{
			ID: last, SKU: "a", Kind: inventory.MovementAdjustment, OnHandDelta: 5, OnHandAfter: 5, Reason: "count", At: want.CreatedAt,
		}})
		s.wantEqual(s.item("a").UpdatedAt, want.CreatedAt)
	},
	"adjust repeated answers what was made first": func(t *testing.T, s *shop) {
		s.put("a", 1, 0)
		first, err := s.adjust("a", 5, "k")
		s.wantError(err, nil)
		_, err = s.adjust("a", 2, "other")
		s.wantError(err, nil)
		again, err := s.adjust("a", 5, "k")
		s.wantError(err, nil)
		s.wantEqual(again, first)
		s.wantStock("a", 7, 0)
		s.wantEqual(len(s.movements("a")), 2)
	},
	"adjust refuses a key that came with another request": func(t *testing.T, s *shop) {
		s.put("a", 1, 0)
		s.put("b", 1, 0)
		_, err := s.adjust("a", 5, "k")
		s.wantError(err, nil)
		for _, sku := range []inventory.SKU{"a", "b", "unknown"} {
			_, err = s.adjust(sku, 6, "k")
			s.wantError(err, inventory.ErrKeyReused)
		}
		s.wantStock("a", 5, 0)
		s.wantStock("b", 0, 0)
	},
	"adjust that is refused writes nothing, not even the key": func(t *testing.T, s *shop) {
		_, err := s.adjust("a", 5, "unknown")
		s.wantError(err, inventory.ErrNotFound)
		s.put("a", 1, 5)
		_, err = s.adjust("a", -6, "missing")
		s.wantError(err, inventory.ErrHeldUnits)
		_, err = s.adjust("a", inventory.MaxOnHand-4, "too much")
		s.wantError(err, inventory.ErrTooMuchStock)
		s.wantStock("a", 5, 0)
		s.wantEqual(len(s.movements("a")), 1)
		for _, key := range []string{"unknown", "missing", "too much"} {
			_, err = s.adjust("a", 1, key)
			s.wantError(err, nil)
		}
		s.wantStock("a", 8, 0)
	},
	"adjust never takes held units": func(t *testing.T, s *shop) {
		s.put("a", 1, 5)
		s.hold(units(newOrder(s), "a", 3))
		_, err := s.adjust("a", -3, "held")
		s.wantError(err, inventory.ErrHeldUnits)
		made, err := s.adjust("a", -2, "free")
		s.wantError(err, nil)
		s.wantEqual(made.OnHand, int64(3))
		s.wantStock("a", 3, 3)
		s.audit("a")
	},
	"adjust reaches the maximum and no further": func(t *testing.T, s *shop) {
		s.put("a", 1, inventory.MaxOnHand)
		_, err := s.adjust("a", 1, "one more")
		s.wantError(err, inventory.ErrTooMuchStock)
		s.wantStock("a", inventory.MaxOnHand, 0)
	},
}
