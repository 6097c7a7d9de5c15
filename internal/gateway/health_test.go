package gateway

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestHealthNeedsNoBackend(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *Config) { c.Orders = Backend{URL: "http://" + closedAddress(t)} })
	for _, path := range []string{"/health", "/health/live", "/health/ready"} {
		if w := f.do(request("GET", path, "")); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"status":"ok"`) {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestHealthOfBackends(t *testing.T) {
	t.Parallel()
	var probes atomic.Int64
	var broken atomic.Bool
	f := start(t, func(c *Config) {
		c.Orders.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			probes.Add(1)
			if r.URL.Path != probePath || broken.Load() {
				http.Error(w, "postgres://secret@10.0.0.1 is down", http.StatusServiceUnavailable)
			}
		})
	})
	ask := func(wantStatus int, wantOrders string) string {
		t.Helper()
		w := f.do(request("GET", "/health/backends", ""))
		var got report
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != wantStatus {
			t.Fatalf("%d %s: %v", w.Code, w.Body, err)
		}
		if len(got.Backends) != 3 || got.Backends["orders"].Status != wantOrders || got.Backends["payments"].Status != "up" {
			t.Fatalf("%+v", got)
		}
		return w.Body.String()
	}
	ask(http.StatusOK, "up")
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { f.do(request("GET", "/health/backends", "")) })
	}
	all.Wait()
	if n := probes.Load(); n != 1 {
		t.Fatalf("%d probes within a second", n)
	}
	broken.Store(true)
	ask(http.StatusOK, "up") // still the same second
	f.clock.advance(2 * time.Second)
	if body := ask(http.StatusServiceUnavailable, "down"); strings.Contains(body, "secret") || strings.Contains(body, "10.0.0.1") {
		t.Fatalf("leaked: %s", body)
	}
}
