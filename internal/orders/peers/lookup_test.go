package peers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// slowInventory knows every SKU but those that begin with "no-", and takes a second to say so.
type slowInventory struct {
	err       error
	questions [][]string
}

func (i *slowInventory) ask(ctx context.Context, skus []string) ([]string, error) {
	i.questions = append(i.questions, slices.Clone(skus))
	time.Sleep(time.Second)
	if err := errors.Join(i.err, ctx.Err()); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(skus), func(sku string) bool { return strings.HasPrefix(sku, "no-") }), nil
}

// TestLookupsShareACall: the first asks, those that come meanwhile ask together, and each hears of its own SKUs.
func TestLookupsShareACall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inventory := &slowInventory{}
		l := newLookups(inventory.ask)
		var askers sync.WaitGroup
		for i := range 100 {
			askers.Go(func() {
				sku := fmt.Sprintf("sku-%d", i)
				found, err := l.known(t.Context(), []string{fmt.Sprintf("no-%d", i), sku, "everybody's"})
				if err != nil || !slices.Equal(found, []string{sku, "everybody's"}) {
					t.Errorf("asker %d: %v, %v", i, found, err)
				}
			})
			synctest.Wait()
		}
		askers.Wait()
		if n := len(inventory.questions); n != 2 || len(inventory.questions[0]) != 3 || len(inventory.questions[1]) != 199 {
			t.Errorf("%d calls: %v", n, inventory.questions)
		}
	})
}

// TestLookupsAreBounded: no call asks for more than maxLookup SKUs.
func TestLookupsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inventory := &slowInventory{}
		l := newLookups(inventory.ask)
		var askers sync.WaitGroup
		for i := range 3*maxLookup/100 + 1 {
			askers.Go(func() {
				skus := make([]string, 100)
				for k := range skus {
					skus[k] = fmt.Sprintf("sku-%d-%d", i, k)
				}
				if found, err := l.known(t.Context(), skus); err != nil || len(found) != len(skus) {
					t.Errorf("asker %d: %d found, %v", i, len(found), err)
				}
			})
			synctest.Wait()
		}
		askers.Wait()
		if len(inventory.questions) != 4 {
			t.Errorf("%d calls, want 4", len(inventory.questions))
		}
		for _, question := range inventory.questions {
			if len(question) > maxLookup {
				t.Errorf("a call asks for %d SKUs", len(question))
			}
		}
	})
}

// TestALookupOutlivesItsAsker: who leaves does not take the answer from those who share the call, and an error is told to
// all of them and to nobody else.
func TestALookupOutlivesItsAsker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inventory := &slowInventory{}
		l := newLookups(inventory.ask)
		leaving, leave := context.WithCancel(t.Context())
		errs := make(chan error, 3)
		for _, ctx := range []context.Context{leaving, leaving, t.Context()} {
			go func() {
				_, err := l.known(ctx, []string{"sku"})
				errs <- err
			}()
			synctest.Wait()
		}
		leave()
		if err := <-errs; !errors.Is(err, context.Canceled) { // the second: the first is asking, and has its answer
			t.Errorf("%v, want %v", err, context.Canceled)
		}
		if first, third := <-errs, <-errs; first != nil || third != nil {
			t.Errorf("%v, %v", first, third)
		}
		inventory.err = errors.New("away")
		for range 2 {
			if _, err := l.known(t.Context(), []string{"sku"}); !errors.Is(err, inventory.err) {
				t.Errorf("%v, want %v", err, inventory.err)
			}
		}
		if len(inventory.questions) != 4 {
			t.Errorf("%d calls, want 4", len(inventory.questions))
		}
	})
}

// TestALookupThatPanicsIsItsAskersAlone: the others hear an error, not that their SKUs are unknown, and the next ones are
// answered.
func TestALookupThatPanicsIsItsAskersAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inventory := &slowInventory{}
		panics := true
		l := newLookups(func(ctx context.Context, skus []string) ([]string, error) {
			if found, err := inventory.ask(ctx, skus); !panics {
				return found, err
			}
			panics = false
			panic("an asker's")
		})
		q := l.join([]string{"sku"}) // together with the one that asks for both
		var askers sync.WaitGroup
		askers.Go(func() {
			defer func() { _ = recover() }() // as the HTTP server does
			_, _ = l.known(t.Context(), []string{"sku"})
			t.Error("the panic went unnoticed")
		})
		synctest.Wait()
		askers.Wait()
		if <-q.answered; !errors.Is(q.err, errAbandoned) {
			t.Errorf("who asked together heard %v, %v", q.known, q.err)
		}
		if found, err := l.known(t.Context(), []string{"sku"}); err != nil || len(found) != 1 {
			t.Errorf("who asked next heard %v, %v", found, err)
		}
	})
}
