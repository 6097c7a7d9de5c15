package orders

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// slowCatalogue takes a second to answer, knows what begins with "known", and counts what it is asked.
type slowCatalogue struct {
	Inventory
	mu    sync.Mutex
	asked []int
	err   error
}

func (s *slowCatalogue) Known(ctx context.Context, skus []string) (known []string, err error) {
	s.mu.Lock()
	s.asked = append(s.asked, len(skus))
	err = s.err
	s.mu.Unlock()
	time.Sleep(time.Second)
	for _, sku := range skus {
		if len(sku) > 5 && sku[:5] == "known" {
			known = append(known, sku)
		}
	}
	return known, errors.Join(err, ctx.Err())
}

func TestOrdersThatComeTogetherLookUpTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inventory := &slowCatalogue{}
		c := newCatalogue(inventory)
		var wg sync.WaitGroup
		errs := make([]error, 100)
		for i := range errs {
			wg.Go(func() {
				errs[i] = c.check(t.Context(), []Item{{SKU: fmt.Sprintf("known-%d", i/2)}, {SKU: fmt.Sprintf("known-%d", i/3)}})
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		if len(inventory.asked) != 2 {
			t.Errorf("asked %d times, for %v SKUs, want once for who came first and once for all others", len(inventory.asked), inventory.asked)
		}
		if err := c.check(t.Context(), []Item{{SKU: "known-7"}}); err != nil || len(inventory.asked) != 2 {
			t.Errorf("what is known is asked for again: %v, %v", err, inventory.asked)
		}
	})
}

func TestAnUnknownSKUIsItsOwnOrdersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCatalogue(&slowCatalogue{})
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				err := c.check(t.Context(), []Item{{SKU: "known-1"}, {SKU: []string{"known-2", "other"}[i%2]}})
				var unknown *UnknownSKUError
				if errors.As(err, &unknown) != (i%2 == 1) || unknown != nil && (len(unknown.Items) != 1 || unknown.Items[0] != 1) {
					t.Errorf("order %d: %v", i, err)
				}
			})
		}
		wg.Wait()
	})
}

func TestWhoGivesUpTakesNobodyAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCatalogue(&slowCatalogue{})
		var wg sync.WaitGroup
		for i := range 20 {
			ctx := t.Context()
			if i%2 == 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 500*time.Millisecond)
				defer cancel()
			}
			wg.Go(func() {
				err := c.check(ctx, []Item{{SKU: "known-1"}})
				if err != nil && (i%2 == 1 || !errors.Is(err, context.DeadlineExceeded)) {
					t.Errorf("order %d: %v", i, err)
				}
			})
		}
		wg.Wait()
	})
}

func TestALookUpThatFailsFailsThoseThatAskedAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inventory := &slowCatalogue{err: errors.New("away")}
		c := newCatalogue(inventory)
		first := make(chan error, 1)
		go func() { first <- c.check(t.Context(), []Item{{SKU: "known-1"}}) }()
		synctest.Wait()
		inventory.mu.Lock()
		inventory.err = nil
		inventory.mu.Unlock()
		if err := c.check(t.Context(), []Item{{SKU: "known-1"}}); err != nil {
			t.Errorf("an order that came later: %v", err)
		}
		if err := <-first; err == nil {
			t.Error("the order whose question failed was let through")
		}
	})
}
