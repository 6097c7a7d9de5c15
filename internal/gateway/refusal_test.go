package gateway

import (
	"maps"
	"net/http"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
)

// TestRefusalsAreCounted refuses a request for each limit, and counts nothing else: not what is let in, not what is wrong.
func TestRefusalsAreCounted(t *testing.T) {
	t.Parallel()
	arrived, leave := make(chan struct{}), make(chan struct{})
	f := start(t, func(c *Config) {
		c.MaxInFlight = 2
		c.Inventory.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			arrived <- struct{}{}
			<-leave
		})
	})
	admin, slow := f.admin(t), f.key(t, keys.Options{Name: "slow", Scopes: keys.AllScopes(), RateLimit: 1})
	place := func() int { return f.do(request("POST", "/v1/orders", admin, "{}")).Code }
	read := func(token string) int { return f.do(request("GET", "/v1/orders/a", token)).Code }
	want := func(status, got int, counts map[string]int64) {
		t.Helper()
		counted := map[string]int64{}
		for _, r := range Refusals() {
			if n := f.Refused(r); n > 0 {
				counted[r.String()] = n
			}
		}
		if got != status || !maps.Equal(counted, counts) {
			t.Fatalf("status %d and %v refused, want %d and %v", got, counted, status, counts)
		}
	}

	want(200, place(), map[string]int64{})
	want(404, f.do(request("GET", "/v1/nothing", admin)).Code, map[string]int64{})
	want(401, read("unknown"), map[string]int64{})
	want(200, read(slow), map[string]int64{})
	want(429, read(slow), map[string]int64{"rate_limit": 1})

	placing := f.routes.find("/v1/orders").route("POST").newOrders
	placing.enter(placing.born) // of two requests one may be a new order
	want(503, place(), map[string]int64{"rate_limit": 1, "order_wait": 1})
	placing.leave(placing.born, false)

	done := make(chan int)
	go func() { done <- f.do(request("GET", "/v1/items", admin)).Code }()
	<-arrived
	want(503, place(), map[string]int64{"rate_limit": 1, "order_wait": 1, "max_requests": 1})
	leave <- struct{}{}
	want(200, <-done, map[string]int64{"rate_limit": 1, "order_wait": 1, "max_requests": 1})
}
