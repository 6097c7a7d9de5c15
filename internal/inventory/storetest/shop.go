package storetest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// shop is a store under test, and the short words that the tests speak of it in.
type shop struct {
	t     testing.TB
	ctx   context.Context
	store inventory.Store
	clock *tickingClock
	ids   *id.Source
}

func newShop(t *testing.T, store inventory.Store) *shop {
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	clock := &tickingClock{}
	return &shop{t: t, ctx: t.Context(), store: store, clock: clock, ids: id.NewSource(clock, rand.Reader)}
}

// tickingClock moves on by a millisecond a look, so that two times are never equal by chance.
type tickingClock struct {
	clock.System // nothing here waits
	ticks        atomic.Int64
}

func (c *tickingClock) Now() time.Time {
	return time.UnixMicro(1_800_000_000_000_001 + 1000*c.ticks.Add(1)).UTC()
}

func newOrder(s *shop) inventory.OrderID {
	var order inventory.OrderID
	made := id.New[inventory.Item](s.ids) // any kind: what matters are the bytes
	copy(order[:], made[:])
	return order
}

// put creates an item with stock.
func (s *shop) put(sku inventory.SKU, price money.Cents, stock int64) inventory.Item {
	s.t.Helper()
	item := s.putItem(inventory.Item{SKU: sku, Name: "Item " + string(sku), Price: price})
	if stock > 0 {
		if _, err := s.adjust(sku, stock, "key of "+string(sku)); err != nil {
			s.t.Fatalf("adjust %s: %v", sku, err)
		}
		item = s.item(sku)
	}
	return item
}

func (s *shop) putItem(item inventory.Item) inventory.Item {
	s.t.Helper()
	item.CreatedAt = s.clock.Now()
	item.UpdatedAt = item.CreatedAt
	stored, err := s.store.PutItem(s.ctx, item)
	if err != nil {
		s.t.Fatalf("put item %s: %v", item.SKU, err)
	}
	return stored
}

func (s *shop) item(sku inventory.SKU) inventory.Item {
	s.t.Helper()
	items, err := s.store.Items(s.ctx, []inventory.SKU{sku})
	if err != nil || len(items) != 1 {
		s.t.Fatalf("read item %s: %d items, %v", sku, len(items), err)
	}
	return items[0]
}

func (s *shop) wantStock(sku inventory.SKU, onHand, held int64) {
	s.t.Helper()
	if item := s.item(sku); item.OnHand != onHand || item.Held != held {
		s.t.Errorf("%s: on hand %d, held %d; want %d, %d", sku, item.OnHand, item.Held, onHand, held)
	}
}

// adjustment is a request whose fingerprint depends on what it asks.
func (s *shop) adjustment(sku inventory.SKU, delta int64, key string) inventory.NewAdjustment {
	return inventory.NewAdjustment{
		Adjustment: inventory.Adjustment{
			ID: inventory.AdjustmentID(newOrder(s)), SKU: sku, Delta: delta, Reason: "count", CreatedAt: s.clock.Now(),
		},
		Key:         sha256.Sum256([]byte(key)),
		Fingerprint: sha256.Sum256([]byte(string(sku) + time.Duration(delta).String())),
	}
}

func (s *shop) adjust(sku inventory.SKU, delta int64, key string) (inventory.Adjustment, error) {
	return s.store.Adjust(s.ctx, s.adjustment(sku, delta, key), s.ids)
}

func (s *shop) hold(holds ...inventory.Hold) []inventory.HoldResult {
	s.t.Helper()
	results, err := s.store.Hold(s.ctx, holds, s.clock.Now(), s.ids)
	if err != nil {
		s.t.Fatalf("hold: %v", err)
	}
	if len(results) != len(holds) {
		s.t.Fatalf("hold: %d results of %d holds", len(results), len(holds))
	}
	return results
}

func (s *shop) wantVerdicts(results []inventory.HoldResult, want ...inventory.Verdict) {
	s.t.Helper()
	got := make([]inventory.Verdict, len(results))
	for i, r := range results {
		got[i] = r.Verdict
	}
	s.wantEqual(got, want)
}

func (s *shop) release(releases ...inventory.Release) {
	s.t.Helper()
	if err := s.store.Release(s.ctx, releases, s.clock.Now(), s.ids); err != nil {
		s.t.Fatalf("release: %v", err)
	}
}

func (s *shop) movements(sku inventory.SKU) []inventory.Movement {
	s.t.Helper()
	return s.page(inventory.MovementFilter{SKU: sku, Limit: 100_000})
}

func (s *shop) page(filter inventory.MovementFilter) []inventory.Movement {
	s.t.Helper()
	movements, err := s.store.ListMovements(s.ctx, filter)
	if err != nil {
		s.t.Fatalf("list movements of %s: %v", filter.SKU, err)
	}
	return movements
}

// audit checks that an item's movements explain its stock: their chain is whole, and every step adds up.
func (s *shop) audit(sku inventory.SKU) {
	s.t.Helper()
	item := s.item(sku)
	next, onHand, held := item.LastMovement, item.OnHand, item.Held
	for _, m := range s.movements(sku) {
		if m.ID != next || m.SKU != sku || m.OnHandAfter != onHand || m.HeldAfter != held {
			s.t.Fatalf("%s: movement %+v; want id %s with %d on hand and %d held after it", sku, m, next, onHand, held)
		}
		if held < 0 || held > onHand {
			s.t.Fatalf("%s: %d held of %d", sku, held, onHand)
		}
		next, onHand, held = m.Previous, onHand-m.OnHandDelta, held-m.HeldDelta
	}
	if !next.IsZero() || onHand != 0 || held != 0 {
		s.t.Fatalf("%s: movements leave %d on hand and %d held unexplained (next %s)", sku, onHand, held, next)
	}
}

func (s *shop) wantEqual(got, want any) {
	s.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("want (-), got (+):\n%s", diff)
	}
}

func (s *shop) wantError(err, want error) {
	s.t.Helper()
	if !errors.Is(err, want) {
		s.t.Errorf("error: %v; want %v", err, want)
	}
}

// order asks for one unit a SKU, in the first round.
func order(who inventory.OrderID, skus ...inventory.SKU) inventory.Hold {
	h := inventory.Hold{OrderID: who, Round: 1}
	for _, sku := range skus {
		h.Lines = append(h.Lines, inventory.Line{SKU: sku, Quantity: 1})
	}
	return h
}

func units(who inventory.OrderID, sku inventory.SKU, quantity int64) inventory.Hold {
	return inventory.Hold{OrderID: who, Round: 1, Lines: []inventory.Line{{SKU: sku, Quantity: quantity}}}
}

func give(who inventory.OrderID, round int) inventory.Release {
	return inventory.Release{OrderID: who, Round: round, Reason: "canceled"}
}
