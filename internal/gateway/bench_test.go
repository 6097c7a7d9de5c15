package gateway

import (
	"net/http"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/contract"
)

// discard is an answer that nobody reads.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

// BenchmarkFrontPath is what the gateway adds to a request before its service sees it: routing, identity, limits, headers
// and deadline.
func BenchmarkFrontPath(b *testing.B) {
	f := start(b, func(c *Config) {
		c.RateLimit = 1 << 30
		c.Orders.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	})
	admin := f.admin(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		template := request("POST", "/v1/orders", admin, "{}")
		template.Header.Set("Idempotency-Key", "k")
		template.Header.Set("Content-Type", "application/json")
		header := template.Header
		w := discard{http.Header{}}
		for pb.Next() {
			r := *template
			r.Header = make(http.Header, len(header)+5) // the gateway changes the map, as it may with the server's
			for name, value := range header {
				r.Header[name] = value
			}
			clear(w.header)
			f.handler.ServeHTTP(w, &r)
		}
	})
}

// BenchmarkRefusals are what must stay cheap at ten times capacity.
func BenchmarkRefusals(b *testing.B) {
	f := start(b, func(c *Config) { c.AnonymousRateLimit = 1 << 30; c.MaxInFlight = 10 })
	admin := f.admin(b)
	run := func(name string, r *http.Request, status int) {
		b.Run(name, func(b *testing.B) {
			if got := f.do(r).Code; got != status {
				b.Fatalf("status %d, want %d", got, status)
			}
			w := discard{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				f.handler.ServeHTTP(w, r)
			}
		})
	}
	run("unauthorized", request("POST", "/v1/orders", "vlz_x"), http.StatusUnauthorized)
	f.inFlight.Add(8)
	run("overloaded", request("POST", "/v1/orders", admin), http.StatusServiceUnavailable)
}

// BenchmarkIdentify and its neighbours are the parts of the front path.
func BenchmarkIdentify(b *testing.B) {
	f := start(b)
	r := request("POST", "/v1/orders", f.admin(b))
	now := f.clock.Now()
	b.ReportAllocs()
	for b.Loop() {
		if f.callers.identify(r, now) == nil {
			b.Fatal("refused")
		}
	}
}

func BenchmarkRoute(b *testing.B) {
	f := start(b)
	r := request("POST", "/v1/orders/0190a0b0-c0d0-7000-8000-000000000000/cancel", "")
	b.ReportAllocs()
	for b.Loop() {
		if !plainPath(r) || f.routes.find(r.URL.Path).route(r.Method).Service != contract.Orders {
			b.Fatal("lost")
		}
	}
}

func BenchmarkTake(b *testing.B) {
	limiter, header, clock := newLimiter(1<<30), http.Header{}, &fakeClock{}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		header := header.Clone()
		for pb.Next() {
			if !take(limiter, header, clock.Now()) {
				b.Fatal("refused")
			}
		}
	})
}
