package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// stockBefore is what the run began with.
type stockBefore struct {
	items []item
	// serverTime is the platform's clock at the set-up: the run's orders were created later.
	serverTime time.Time
}

// item is what of an item matters here.
type item struct {
	OnHand    int64     `json:"on_hand"`
	Held      int64     `json:"held"`
	Price     int64     `json:"price_cents"`
	UpdatedAt time.Time `json:"updated_at"`
}

// setUpClients is how many connections set up and check with.
const setUpClients = 16

// setUp makes the SKUs and brings the available units of each to Config.Stock. A prefix that was used before is used on.
func (r *run) setUp(ctx context.Context) (stockBefore, error) {
	fmt.Fprintf(r.cfg.Log, "setting up %d SKUs (%s …) with %d units each\n", r.cfg.SKUs, r.shop.sku(0), r.cfg.Stock)
	before := stockBefore{items: make([]item, r.cfg.SKUs)}
	err := r.each(ctx, r.cfg.SKUs, func(c *conn, i int) error {
		var err error
		before.items[i], err = r.stockUp(c, i)
		return err
	})
	for _, it := range before.items {
		if it.UpdatedAt.After(before.serverTime) {
			before.serverTime = it.UpdatedAt
		}
	}
	return before, err
}

func (r *run) stockUp(c *conn, i int) (item, error) {
	sku := r.shop.sku(i)
	price := 100 + int64(i%1000)
	var it item
	body := fmt.Sprintf(`{"name":"Load %d","price_cents":%d}`, i, price)
	if err := r.fetch(c, r.target.request("PUT", "/v1/items/"+sku, "", body), &it); err != nil {
		return item{}, err
	}
	missing := r.cfg.Stock - (it.OnHand - it.Held)
	if missing == 0 {
		return it, nil
	}
	body = fmt.Sprintf(`{"sku":%q,"delta":%d,"reason":"load"}`, sku, missing)
	var adjustment struct {
		OnHand    int64     `json:"on_hand"`
		CreatedAt time.Time `json:"created_at"`
	}
	key := sku + "-" + runName()
	if err := r.fetch(c, r.target.request("POST", "/v1/stock-adjustments", key, body), &adjustment); err != nil {
		return item{}, err
	}
	it.OnHand, it.UpdatedAt = adjustment.OnHand, adjustment.CreatedAt
	return it, nil
}

// each calls do for 0 to n-1, over a few connections. It stops at the first error.
func (r *run) each(ctx context.Context, n int, do func(c *conn, i int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(setUpClients, n) {
		wg.Go(func() {
			c := &conn{target: &r.target}
			defer c.close()
			for i := range next {
				if err := do(c, i); err != nil {
					stop(err)
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	wg.Wait()
	return context.Cause(ctx)
}

// errNotFound says that the platform does not have what was asked for.
var errNotFound = errors.New("not found")

// fetch sends a request that may be repeated, a few times when the platform is busy or away, and decodes its answer.
func (r *run) fetch(c *conn, request []byte, into any) error {
	const tries = 5
	var failed error
	for try := range tries {
		got, err := c.do(request)
		switch {
		case err != nil:
			failed = err
		case got.status == 404:
			return errNotFound
		case got.status == 429, got.status >= 500:
			failed = fmt.Errorf("HTTP %d: %.300s", got.status, got.body)
		case got.status >= 300:
			return fmt.Errorf("%s: HTTP %d: %.300s", requestLine(request), got.status, got.body)
		default:
			if err := json.Unmarshal(got.body, into); err != nil {
				return fmt.Errorf("%s: decode the answer: %w", requestLine(request), err)
			}
			return nil
		}
		until(context.Background(), time.Now().Add(100*time.Millisecond<<try)) // three seconds in all
	}
	return fmt.Errorf("%s: %w", requestLine(request), failed)
}

// requestLine is a request without its headers, one of which is the key.
func requestLine(request []byte) string {
	line, _, _ := bytes.Cut(request, []byte(" HTTP/1.1"))
	return string(line)
}
