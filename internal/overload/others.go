package overload

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// What others ask for while new orders are too many, or a part is away.
const (
	readOrder  = "read an order"
	listOrders = "list orders"
	readItem   = "read an item"
	cancel     = "cancel an order"
	payPix     = "pay a Pix"
	health     = "health"
)

// asking is one request of others.
type asking struct {
	what       string
	method     string
	path, body string
}

// others are the few who want something else than a new order: they must be served all the same.
type others struct {
	platform *platform
	client   *http.Client
	open     []string // orders to cancel, each once
	pix      []string // transactions to pay, each once
	known    string   // an order to read

	mu     sync.Mutex
	took   map[string][]time.Duration
	failed map[string][]string // what was answered instead
}

const othersSKU = "OTHERS-1"

func newOthers(p *platform) *others {
	return &others{platform: p, client: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		took: map[string][]time.Duration{}, failed: map[string][]string{}}
}

// prepare makes what will be asked about.
func (o *others) prepare(ctx context.Context) error {
	const each = 40
	if err := o.must(ctx, "PUT", "/v1/items/"+othersSKU, `{"name":"Others","price_cents":100}`, nil); err != nil {
		return err
	}
	if err := o.must(ctx, "POST", "/v1/stock-adjustments", fmt.Sprintf(`{"sku":%q,"delta":1000,"reason":"found"}`, othersSKU), nil); err != nil {
		return err
	}
	order := `{"customer":{"name":"Ana Souza","email":"ana@example.com"},"items":[{"sku":"` + othersSKU + `","quantity":1}],"payment":%s}`
	o.open, o.pix = make([]string, each), make([]string, each)
	errs := make([]error, each)
	var placed sync.WaitGroup
	for i := range each {
		placed.Go(func() {
			var card, pix placedOrder
			errs[i] = errors.Join(
				o.must(ctx, "POST", "/v1/orders", fmt.Sprintf(order, `{"method":"card","token":"tok_approved"}`), &card),
				o.must(ctx, "POST", "/v1/orders", fmt.Sprintf(order, `{"method":"pix"}`), &pix))
			if errs[i] == nil && pix.Payment.Pix.TxID == "" {
				errs[i] = fmt.Errorf("an order by Pix has no txid: %+v", pix)
			}
			o.open[i], o.pix[i] = card.ID, pix.Payment.Pix.TxID
		})
	}
	placed.Wait()
	o.known = o.open[each-1] // the last to be canceled: most runs end before that
	return errors.Join(errs...)
}

// placedOrder is what is needed of an answer.
type placedOrder struct {
	ID      string `json:"id"`
	Payment struct {
		Pix struct {
			TxID string `json:"txid"`
		} `json:"pix"`
	} `json:"payment"`
}

// must is a request that has to work, for the platform is at rest.
func (o *others) must(ctx context.Context, method, path, body string, into any) error {
	status, said, err := o.send(ctx, asking{"", method, path, body})
	if err != nil || status >= 300 {
		return fmt.Errorf("%s %s: %d, %w: %s", method, path, status, err, said)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(said, into); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

func (o *others) send(ctx context.Context, a asking) (status int, said []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, a.method, o.platform.url+a.path, bytes.NewReader([]byte(a.body)))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+o.platform.key)
	if a.body != "" {
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", rand.Text())
	}
	response, err := o.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }() // it was read
	said, err = io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return response.StatusCode, said, err
}

// ask asks for one thing after the other, twenty a second, until ctx ends, and waits for the answers.
func (o *others) ask(ctx context.Context) {
	const every = 50 * time.Millisecond
	tick := time.NewTicker(every)
	defer tick.Stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	for turn := 0; ; turn++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		a := o.next(turn)
		wg.Go(func() { o.askOne(context.WithoutCancel(ctx), a) })
	}
}

func (o *others) next(turn int) asking {
	reads := []asking{
		{readOrder, "GET", "/v1/orders/" + o.known, ""}, {listOrders, "GET", "/v1/orders?limit=20", ""},
		{readItem, "GET", "/v1/items/" + othersSKU, ""}, {health, "GET", "/health", ""},
	}
	switch {
	case turn%10 == 3 && len(o.open) > 0:
		a := asking{cancel, "POST", "/v1/orders/" + o.open[0] + "/cancel", `{"reason":"changed their mind"}`}
		o.open = o.open[1:]
		return a
	case turn%10 == 7 && len(o.pix) > 0:
		a := asking{payPix, "POST", "/v1/sandbox/pix/" + o.pix[0] + "/pay", `{}`}
		o.pix = o.pix[1:]
		return a
	}
	return reads[turn%len(reads)]
}

func (o *others) askOne(ctx context.Context, a asking) {
	began := time.Now()
	status, said, err := o.send(ctx, a)
	took := time.Since(began)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.took[a.what] = append(o.took[a.what], took)
	if err != nil || status >= 300 {
		o.failed[a.what] = append(o.failed[a.what], fmt.Sprintf("%d %v %.200s", status, err, said))
	}
}

// count sums the requests, and those that failed, but for the kinds that cannot work.
func (o *others) count(except ...string) (asked, failed int) {
	for what, took := range o.took {
		if !slices.Contains(except, what) {
			asked += len(took)
			failed += len(o.failed[what])
		}
	}
	return asked, failed
}

// p99 is of the requests but those of the kinds named.
func (o *others) p99(except ...string) time.Duration {
	var all []time.Duration
	for what, took := range o.took {
		if !slices.Contains(except, what) {
			all = append(all, took...)
		}
	}
	if len(all) == 0 {
		return never
	}
	slices.Sort(all)
	return all[(len(all)*99-1)/100]
}

// complaints are the first of what went wrong.
func (o *others) complaints(except ...string) string {
	var all []string
	for what, said := range o.failed {
		if !slices.Contains(except, what) {
			all = append(all, fmt.Sprintf("%s: %d times, such as %s", what, len(said), said[0]))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// judgeOthers asks that the others were served. Those who wait for a part that is away are left out; who cancels may wait as
// long as who orders.
func (r *runner) judgeOthers(where string, o *others, noise time.Duration, except ...string) {
	asked, failed := o.count(except...)
	got := fmt.Sprintf("%d of %d", failed, asked)
	if failed > 0 {
		got += ": " + o.complaints(except...)
	}
	r.check(where, "other requests that failed", got, "0 of some", failed == 0 && asked > 0)
	limit := time.Second
	if r.cfg.Quick {
		limit = 2*time.Second + manyTimes*noise
	}
	quick := o.p99(append(except, cancel)...)
	r.timed(where, "other requests' p99", milliseconds(quick), milliseconds(limit), quick <= limit)
}

func get(ctx context.Context, url, key string) (status int, body []byte) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = response.Body.Close() }() // it was read
	body, err = io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return 0, nil
	}
	return response.StatusCode, body
}
