package peers

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

// maxLookup bounds the SKUs of one question to inventory; its contract allows ten times as many.
const maxLookup = 1000

// GatherLookups has the calls of Known that are made at the same time share one, as orders share a transaction: after a
// start, in a campaign's first second, every order asks for its SKUs.
func GatherLookups(inventory orders.Inventory) orders.Inventory {
	return gathered{inventory, newLookups(inventory.Known)}
}

type gathered struct {
	orders.Inventory
	lookups *lookups
}

// Known implements orders.Inventory.
func (g gathered) Known(ctx context.Context, skus []string) ([]string, error) {
	return g.lookups.known(ctx, skus)
}

// lookups gathers questions into calls, one of which is under way at a time.
type lookups struct {
	ask    func(ctx context.Context, skus []string) ([]string, error)
	asking chan struct{} // holds one token while a call is under way

	mu   sync.Mutex
	next *lookup // gathers; nil when nobody waits
}

// lookup is one call. answered is closed when known or err is set.
type lookup struct {
	skus     []string
	answered chan struct{}
	known    []string // sorted
	err      error
}

func newLookups(ask func(ctx context.Context, skus []string) ([]string, error)) *lookups {
	return &lookups{ask: ask, asking: make(chan struct{}, 1)}
}

// known answers with those of skus that exist. Whoever finds no call under way any more calls for all who wait with it.
func (l *lookups) known(ctx context.Context, skus []string) ([]string, error) {
	q := l.join(skus)
	select {
	case <-q.answered:
	case <-ctx.Done():
		return nil, ctx.Err()
	case l.asking <- struct{}{}:
		l.answer(context.WithoutCancel(ctx), q) // whoever leaves does not leave the others alone
	}
	if q.err != nil {
		return nil, q.err
	}
	return slices.DeleteFunc(slices.Clone(skus), func(sku string) bool {
		_, found := slices.BinarySearch(q.known, sku)
		return !found
	}), nil
}

func (l *lookups) join(skus []string) *lookup {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next == nil || len(l.next.skus)+len(skus) > maxLookup {
		l.next = &lookup{answered: make(chan struct{})}
	}
	for _, sku := range skus {
		l.next.skus = append(l.next.skus, strings.Clone(sku)) // a piece of a body, which its request may reuse
	}
	return l.next
}

// errAbandoned is what the others hear when whoever asked for them panics.
var errAbandoned = errors.New("the look-up was abandoned")

// answer makes the call, unless another holder of the token has made it, and gives the token back.
func (l *lookups) answer(ctx context.Context, q *lookup) {
	defer func() { <-l.asking }()
	l.mu.Lock()
	if l.next == q {
		l.next = nil
	}
	l.mu.Unlock()
	select {
	case <-q.answered:
		return
	default:
	}
	q.err = errAbandoned
	defer close(q.answered)
	slices.Sort(q.skus)
	if q.known, q.err = l.ask(ctx, slices.Compact(q.skus)); q.err == nil {
		slices.Sort(q.known)
	}
}
