package acceptance_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	buyers = 8
	// ordersBeforeKill is how many orders must be acknowledged before the next process is killed, so that it dies at work.
	ordersBeforeKill = 40
	// crashStock is more than all buyers can buy.
	crashStock = 1_000_000
	// openLimit is what the product promises: an order that was open when a process died is decided within it.
	openLimit = time.Minute
)

// TestKilled kills each process of a system while orders are under way, with a signal that it cannot see.
func TestKilled(t *testing.T) {
	t.Parallel()
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, shape, "VELOZ_ORDER_LEASE=2s")
			a := s.api(t, admin)
			crowd := newCrowd(a, a.stocked(100, crashStock))
			stop := crowd.buy()
			for _, victim := range s.programs {
				crowd.awaitOrders(ordersBeforeKill)
				victim.end(t, syscall.SIGKILL)
				crowd.awaitFailures()
				victim.start(t)
				s.awaitReady(t)
			}
			crowd.awaitOrders(ordersBeforeKill)
			stop()
			crowd.wantAllKept()
		})
	}
}

// crowd is a number of customers who buy one SKU and note each answer, as their shops would.
type crowd struct {
	*api
	sku    string
	client *http.Client

	mu       sync.Mutex
	orders   map[string]order // by id: what was acknowledged
	unknown  []request        // answered that the outcome is unknown
	failures int
}

func newCrowd(a *api, sku string) *crowd {
	return &crowd{api: a, sku: sku, client: newClient(buyers), orders: map[string]order{}}
}

// buy lets all customers buy until the returned function is called, which waits for their last answers.
func (c *crowd) buy() (stop func()) {
	enough := make(chan struct{})
	var shopping sync.WaitGroup
	for customer := range buyers {
		shopping.Go(func() {
			for n := customer; ; n++ {
				select {
				case <-enough:
					return
				default:
					c.buyOne(n)
				}
			}
		})
	}
	stop = sync.OnceFunc(func() { close(enough); shopping.Wait() })
	c.Cleanup(stop)
	return stop
}

// wishes are what customers send in turn.
var wishes = []struct{ token, prefer string }{
	{"tok_approved", ""}, {"tok_declined", ""}, {"tok_timeout_approved", ""}, {"", ""}, {"tok_approved", "respond-async"}, {"tok_timeout_declined", ""},
	{"tok_approved", ""}, {"tok_slow", "respond-async"},
}

// buyOne sends one order, with the same key again and again until there is an answer.
func (c *crowd) buyOne(n int) {
	wish := wishes[n%len(wishes)]
	body := card(wish.token, line{c.sku, 1})
	if wish.token == "" {
		body = pix(line{c.sku, 1})
	}
	r := request{http.MethodPost, "/v1/orders", body, []string{"Idempotency-Key", rand.Text(), "Prefer", wish.prefer}}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), openLimit)
	defer cancel()
	for tick := time.Tick(50 * time.Millisecond); ; {
		answer, err := c.try(ctx, c.client, r)
		if err == nil && c.noted(answer) {
			return
		}
		c.note(func() { c.failures++ })
		select {
		case <-tick:
		case <-ctx.Done():
			c.Errorf("an order had no answer within %s: %d %s %v", openLimit, answer.status, answer.body, err)
			return
		}
	}
}

// noted writes an acknowledged order down. It is false when the customer must ask again.
func (c *crowd) noted(r response) bool {
	switch r.status {
	case http.StatusCreated, http.StatusAccepted:
		o := r.order()
		c.note(func() { c.orders[o.ID] = o })
		return true
	case http.StatusPaymentRequired:
		id := r.problem().OrderID
		c.note(func() { c.orders[id] = order{ID: id, Status: "rejected"} })
		return true
	}
	if r.status < 500 && r.header.Get("Retry-After") == "" {
		c.Errorf("an order was answered %d: %s", r.status, r.body)
		return true
	}
	return false
}

func (c *crowd) note(write func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	write()
}

func (c *crowd) read(value func() int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return value()
}

func (c *crowd) awaitOrders(more int) {
	c.Helper()
	noted := func() int { return len(c.orders) }
	before := c.read(noted)
	c.eventually(openLimit, fmt.Sprintf("%d more orders", more), func() bool { return c.read(noted) >= before+more })
}

// awaitFailures waits until customers have felt that a process is gone, or for as long as it takes to see that they do
// not: orders that wait for a dead peer wait quietly.
func (c *crowd) awaitFailures() {
	failures := func() int { return c.failures }
	before := c.read(failures)
	deadline := time.After(time.Second)
	for tick := time.Tick(10 * time.Millisecond); c.read(failures) < before+buyers; {
		select {
		case <-tick:
		case <-deadline:
			return
		}
	}
}

// all reads every order of the SKU, by id.
func (c *crowd) all() map[string]order {
	c.Helper()
	all := map[string]order{}
	for query := (url.Values{"sku": {c.sku}, "limit": {"100"}}); ; {
		page := decodeAs[orderPage](c.get("/v1/orders?" + query.Encode()).want(http.StatusOK))
		for _, o := range page.Data {
			all[o.ID] = o
		}
		if page.NextCursor == "" {
			return all
		}
		query.Set("cursor", page.NextCursor)
	}
}

// wantAllKept checks what a crash must not break.
func (c *crowd) wantAllKept() {
	c.Helper()
	var all map[string]order
	c.eventually(openLimit, "every order is decided", func() bool {
		all = c.all()
		return !slices.ContainsFunc(slices.Collect(maps.Values(all)), open)
	})
	c.Logf("%d orders were acknowledged, after %d failed requests", len(c.orders), c.failures)
	for id, said := range c.orders {
		switch kept, found := all[id]; {
		case !found:
			c.Errorf("order %s was acknowledged and is lost", id)
		case !open(said) && kept.Status != said.Status:
			c.Errorf("order %s was acknowledged as %s and is %s", id, said.Status, kept.Status)
		}
	}
	for id := range all {
		if _, known := c.orders[id]; !known {
			c.Errorf("order %s exists, and no customer was told: its key made two", id)
		}
	}
	c.wantMoneyAndStockAgree(all)
	c.wantAudited()
}

// open tells whether an order has still to be decided. One that waits for its payer is not the product's to decide.
func open(o order) bool {
	return o.Status == "placed" || o.Status == "held" || o.PaymentStatus == "unknown"
}

func (c *crowd) wantMoneyAndStockAgree(all map[string]order) {
	c.Helper()
	var held int64
	for id, o := range all {
		var captured int64
		for _, p := range c.payments(id) {
			captured += p.ReceivedCents - p.RefundedCents
			if len(p.Transfers) > 1 {
				c.Errorf("order %s was charged more than once: %+v", id, p.Transfers)
			}
		}
		want := int64(0)
		if o.Status == "confirmed" {
			want = o.TotalCents
		}
		if captured != want {
			c.Errorf("order %s is %s, and %d cents were taken for it; want %d", id, o.Status, captured, want)
		}
		if o.Status == "confirmed" || o.Status == "awaiting_payment" {
			held++
		}
	}
	c.eventually(openLimit, "what rejected orders held is released", func() bool { return c.item(c.sku).Held == held })
	c.wantStock(c.sku, crashStock, held)
	c.wantMovementsAgree(c.sku)
}

// TestToldToStop sends SIGTERM to each process while orders are under way: none of the requests that it took may break.
func TestToldToStop(t *testing.T) {
	t.Parallel()
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, shape, "VELOZ_ORDER_LEASE=2s", "VELOZ_DRAIN_LAG=200ms")
			a := s.api(t, admin)
			crowd := newCrowd(a, a.stocked(100, crashStock))
			for _, p := range slices.Backward(s.programs) { // the gateway first
				broken := crowd.watch(func() {
					crowd.awaitOrders(ordersBeforeKill)
					p.stop(t)
				})
				for _, what := range broken {
					t.Errorf("while %s stopped: %s", p.Name, what)
				}
				p.start(t)
				s.awaitReady(t)
				crowd.askAgain()
			}
			crowd.wantAllKept()
		})
	}
}

// askAgain does what a customer is told to whose outcome is unknown: it sends the same key again.
func (c *crowd) askAgain() {
	c.Helper()
	for _, r := range c.unknown {
		if answer, err := c.patiently(c.Context(), r); err != nil || !c.noted(answer) {
			c.Errorf("asked again: %d %s %v", answer.status, answer.body, err)
		}
	}
	c.unknown = nil
}

// watch lets the customers buy during do, each order sent once, and returns what broke. Refused connections and 503
// with Retry-After are no breaks: nothing was taken. Neither is a gateway's word that a service broke off, if asking again
// is answered: a service's closing listener resets the connections that it did not accept yet.
func (c *crowd) watch(do func()) (broken []string) {
	c.Helper()
	enough := make(chan struct{})
	var shopping sync.WaitGroup
	for range buyers {
		shopping.Go(func() {
			for {
				select {
				case <-enough:
					return
				default:
				}
				what, refused := c.sendOne()
				if what != "" {
					c.note(func() { broken = append(broken, what) })
				}
				if refused {
					return
				}
			}
		})
	}
	do()
	close(enough)
	shopping.Wait()
	return broken
}

// sendOne sends one order and says what broke. refused tells that the customer can stop: the process is gone.
func (c *crowd) sendOne() (broken string, refused bool) {
	r := request{http.MethodPost, "/v1/orders", card("tok_approved", line{c.sku, 1}), []string{"Idempotency-Key", rand.Text()}}
	answer, err := c.try(context.WithoutCancel(c.Context()), c.client, r)
	switch {
	// A closing listener has the kernel reset what it did not accept yet: refused, a moment later, and a broken pipe for who
	// still writes. wantAllKept proves that nothing was taken from it.
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "", true
	case err != nil:
		return err.Error(), false
	case answer.status == http.StatusServiceUnavailable && answer.header.Get("Retry-After") != "":
		return "", true
	case answer.status == http.StatusBadGateway && answer.problem().Code == "backend_unavailable":
		c.note(func() { c.unknown = append(c.unknown, r) })
		return "", true
	case !c.noted(answer):
		return fmt.Sprintf("%d %s", answer.status, answer.body), false
	}
	return "", false
}
