//go:build linux

package crash

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	buyerCount = 16
	// plenty is more than all buyers can buy; of the scarce SKU there is less, so that the end of the stock meets faults too.
	plenty = 1_000_000
	scarce = 300
)

// skus are what is sold; the last one is scarce.
var skus = []string{"CRASH-1", "CRASH-2", "CRASH-3", "CRASH-SCARCE"}

func stockOf(sku string) int64 {
	if sku == skus[len(skus)-1] {
		return scarce
	}
	return plenty
}

// wishes are how buyers pay and wait; an empty token is a Pix.
var wishes = []struct{ token, prefer string }{
	{"tok_approved", ""}, {"tok_approved", ""}, {"tok_approved", "respond-async"}, {"tok_declined", ""}, {"tok_timeout_approved", ""},
	{"tok_timeout_declined", ""}, {"tok_slow", "respond-async"}, {"", ""},
}

// buyers are customers who note each answer in the ledger, as their shops would: intent, order, answer. They send the same
// key again and again until there is an answer.
type buyers struct {
	api    *api
	ledger *ledger

	acknowledged, failed atomic.Int64

	mu        sync.Mutex
	surprises []string // answers that no client can make sense of
}

func (b *buyers) surprise(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.surprises = append(b.surprises, fmt.Sprintf(format, args...))
}

// buy lets the buyers buy until enough is closed, rate orders a second at most, and returns when each has the answer to its
// last order, or ctx ends.
func (b *buyers) buy(ctx context.Context, seed uint64, rate int, enough <-chan struct{}) error {
	turns := time.NewTicker(time.Second / time.Duration(rate))
	defer turns.Stop()
	var shopping sync.WaitGroup
	errs := make(chan error, buyerCount)
	for n := range buyerCount {
		shopping.Go(func() {
			rng := mathrand.New(mathrand.NewPCG(seed, uint64(n)+1))
			for {
				select {
				case <-enough:
					return
				case <-turns.C:
				}
				if err := b.buyOne(ctx, rng); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	shopping.Wait()
	close(errs)
	return <-errs
}

// buyOne returns an error when the ledger fails: nothing could be proved any more.
func (b *buyers) buyOne(ctx context.Context, rng *mathrand.Rand) error {
	wish := wishes[rng.IntN(len(wishes))]
	key, body := rand.Text(), newOrder(rng, wish.token)
	if err := b.ledger.note(entry{Word: intent, Key: key}); err != nil {
		return err
	}
	var o order
	if !b.insist(ctx, func() bool {
		r, err := b.api.send(ctx, http.MethodPost, "/v1/orders", key, wish.prefer, body)
		return err == nil && b.answered(r, &o)
	}) {
		return nil // without an answer: the judge will ask why
	}
	if err := b.ledger.note(entry{Word: acknowledged, Key: key, OrderID: o.ID, Status: o.Status}); err != nil {
		return err
	}
	b.acknowledged.Add(1)
	switch {
	case o.Status == "awaiting_payment" && o.Payment.Pix != nil && rng.IntN(2) == 0:
		return b.follow(ctx, entry{Word: payIntent, Key: key, OrderID: o.ID}, paid, "/v1/sandbox/pix/"+o.Payment.Pix.TxID+"/pay", nil)
	case o.Status == "confirmed" && rng.IntN(6) == 0:
		return b.follow(ctx, entry{Word: cancelIntent, Key: key, OrderID: o.ID}, canceled, "/v1/orders/"+o.ID+"/cancel",
			map[string]string{"reason": "changed my mind"})
	}
	return nil
}

func newOrder(rng *mathrand.Rand, token string) any {
	payment := map[string]string{"method": "card", "token": token}
	if token == "" {
		payment = map[string]string{"method": "pix"}
	}
	var items []orderItem
	first := rng.IntN(len(skus))
	for i := range 1 + rng.IntN(2) {
		items = append(items, orderItem{skus[(first+i)%len(skus)], 1 + rng.Int64N(3)})
	}
	return map[string]any{"customer": map[string]string{"name": "Ana Souza", "email": "ana@example.com"}, "items": items, "payment": payment}
}

// answered reads the answer to an order. It is false when the same key has to ask again.
func (b *buyers) answered(r response, o *order) bool {
	switch r.status {
	case http.StatusCreated, http.StatusAccepted:
		if err := json.Unmarshal(r.body, o); err == nil && o.ID != "" {
			return true
		}
		b.surprise("an order was answered %d %s", r.status, r.body)
		return false
	case http.StatusPaymentRequired, http.StatusConflict:
		var p problem
		if err := json.Unmarshal(r.body, &p); err == nil && p.OrderID != "" {
			*o = order{ID: p.OrderID, Status: "rejected"}
			return true
		}
	}
	if r.status < 500 && r.retryAfter == "" {
		b.surprise("an order was answered %d %s", r.status, r.body)
	}
	return false
}

// follow does something to an order that was acknowledged, and notes it as the order itself: the intent, then that it is done.
func (b *buyers) follow(ctx context.Context, e entry, done word, path string, body any) error {
	if err := b.ledger.note(e); err != nil {
		return err
	}
	refused := false
	answered := b.insist(ctx, func() bool {
		r, err := b.api.send(ctx, http.MethodPost, path, "", "", body)
		refused = err == nil && r.status >= 300 && r.status < 500 && r.retryAfter == ""
		if refused {
			b.surprise("POST %s was answered %d %s", path, r.status, r.body)
		}
		return refused || err == nil && r.status < 300
	})
	if !answered || refused {
		return nil
	}
	e.Word = done
	return b.ledger.note(e)
}

// insist tries until it works; false when ctx ended before.
func (b *buyers) insist(ctx context.Context, try func() bool) bool {
	for {
		if try() {
			return true
		}
		b.failed.Add(1)
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return false
		}
	}
}
