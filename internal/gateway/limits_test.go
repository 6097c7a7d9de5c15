package gateway

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
)

func TestRateLimitOfAKey(t *testing.T) {
	t.Parallel()
	f := start(t)
	token := f.key(t, keys.Options{Name: "slow", Scopes: keys.AllScopes(), RateLimit: 2})
	other := f.admin(t)
	for i, want := range []struct {
		status           int
		remaining, reset string
	}{{200, "1", "1"}, {200, "0", "1"}, {429, "0", "1"}} {
		w := f.do(request("GET", "/v1/orders", token))
		h := w.Header()
		if w.Code != want.status || h.Get("RateLimit-Limit") != "2" || h.Get("RateLimit-Remaining") != want.remaining || h.Get("RateLimit-Reset") != want.reset {
			t.Fatalf("request %d: %d %v", i, w.Code, h)
		}
		if want.status == 429 {
			wantProblem(t, w, 429, "rate_limited")
			if h.Get("Retry-After") != "1" {
				t.Fatalf("Retry-After %q", h.Get("Retry-After"))
			}
		}
	}
	if w := f.do(request("GET", "/v1/orders", other)); w.Code != http.StatusOK {
		t.Fatalf("another key is limited too: %d", w.Code)
	}
	f.admin(t) // a reload forgives nothing
	wantProblem(t, f.do(request("GET", "/v1/orders", token)), 429, "rate_limited")
	f.clock.advance(time.Second)
	if w := f.do(request("GET", "/v1/orders", token)); w.Code != http.StatusOK {
		t.Fatalf("the limit did not come back: %d", w.Code)
	}
}

func TestRateLimitOfStrangers(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *Config) { c.AnonymousRateLimit = 2 })
	admin := f.admin(t)
	from := func(address, token string) *httptest.ResponseRecorder {
		r := request("GET", "/v1/orders", token)
		r.RemoteAddr = address
		return f.do(r)
	}
	const attacker = "[2001:db8::%d]:1"
	for i, want := range []int{401, 401, 429, 429} {
		if w := from(fmt.Sprintf(attacker, i), "vlz_guess"); w.Code != want {
			t.Fatalf("guess %d: %d, want %d", i, w.Code, want)
		}
	}
	if w := from(fmt.Sprintf(attacker, 9), admin); w.Code != http.StatusOK {
		t.Fatalf("a valid key behind the same address is limited too: %d", w.Code)
	}
}

func TestClientAddress(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	for _, try := range []struct{ peer, forwarded, want string }{
		{"203.0.113.9:1", "1.1.1.1", "203.0.113.9"},
		{"10.0.0.1:1", "1.1.1.1, 203.0.113.9", "203.0.113.9"},
		{"10.0.0.1:1", "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"},
		{"10.0.0.1:1", "garbage", "10.0.0.1"},
		{"10.0.0.1:1", "", "10.0.0.1"},
	} {
		r := request("GET", "/v1/orders", "")
		r.RemoteAddr = try.peer
		r.Header.Set("X-Forwarded-For", try.forwarded)
		if got := f.clientAddress(r).String(); got != try.want {
			t.Errorf("%+v: %s", try, got)
		}
	}
}

// TestSheddingOrder fills the gateway with requests that wait: new orders go first, reads at the end, health never.
func TestSheddingOrder(t *testing.T) {
	t.Parallel()
	arrived, leave := make(chan struct{}), make(chan struct{})
	f := start(t, func(c *Config) {
		c.MaxInFlight = 10
		c.Inventory.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			arrived <- struct{}{}
			<-leave
		})
	})
	admin := f.admin(t)
	done := make(chan int)
	occupy := func(n int) {
		for range n {
			go func() { done <- f.do(request("GET", "/v1/items", admin)).Code }()
			<-arrived
		}
	}
	place := func() *httptest.ResponseRecorder { return f.do(request("POST", "/v1/orders", admin, "{}")) }
	read := func() *httptest.ResponseRecorder { return f.do(request("GET", "/v1/orders/a", admin)) }

	occupy(7)
	seen(t, place())
	occupy(1)
	wantProblem(t, place(), http.StatusServiceUnavailable, "overloaded")
	if got := place().Header().Get("Retry-After"); got == "" {
		t.Fatal("no Retry-After")
	}
	seen(t, read())
	occupy(2)
	wantProblem(t, read(), http.StatusServiceUnavailable, "overloaded")
	if w := f.do(request("GET", "/health", "")); w.Code != http.StatusOK {
		t.Fatalf("health %d", w.Code)
	}
	for range 10 {
		leave <- struct{}{}
		if code := <-done; code != http.StatusOK {
			t.Fatalf("an admitted request was answered %d", code)
		}
	}
	seen(t, place())
	if left := f.inFlight.Load(); left != 0 {
		t.Fatalf("%d requests are counted as in flight for ever", left)
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *Config) { c.MaxBodyBytes = 8 })
	admin := f.admin(t)
	if got := seen(t, f.do(request("POST", "/v1/orders", admin, "12345678"))); got.Body != "12345678" {
		t.Fatalf("body %q", got.Body)
	}
	wantProblem(t, f.do(request("POST", "/v1/orders", admin, "123456789")), http.StatusRequestEntityTooLarge, "body_too_large")
	chunked := request("POST", "/v1/orders", admin)
	chunked.Body, chunked.ContentLength = io.NopCloser(strings.NewReader("123456789")), -1
	if w := f.do(chunked); w.Code != http.StatusTeapot {
		t.Fatalf("the backend read a body without end: %d %s", w.Code, w.Body)
	}
}

func TestURLLimit(t *testing.T) {
	t.Parallel()
	f := start(t)
	wantProblem(t, f.do(request("GET", "/v1/orders?"+strings.Repeat("x", 9000), "")), http.StatusRequestURITooLong, "uri_too_long")
}

func TestDeadlineIsPassedOn(t *testing.T) {
	t.Parallel()
	var left time.Duration
	f := start(t, func(c *Config) {
		c.RequestTimeout = time.Hour
		c.Orders.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			deadline, _ := r.Context().Deadline()
			left = time.Until(deadline)
		})
	})
	f.do(request("GET", "/v1/orders", f.admin(t)))
	if left <= 59*time.Minute || left > time.Hour {
		t.Fatalf("%v left", left)
	}
}

func TestConfigIsValidated(t *testing.T) {
	t.Parallel()
	good := func() Config {
		backend := Backend{URL: "http://localhost:1"}
		return Config{Orders: backend, Payments: backend, Inventory: backend, KeysJSON: `{"keys":[]}`}
	}
	if _, err := New(good()); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Config){
		"no keys":       func(c *Config) { c.KeysJSON = "" },
		"keys twice":    func(c *Config) { c.KeysFile = "x" },
		"not a file":    func(c *Config) { c.KeysJSON, c.KeysFile = "", "/" },
		"broken keys":   func(c *Config) { c.KeysJSON = "{" },
		"no backend":    func(c *Config) { c.Orders = Backend{} },
		"bad URL":       func(c *Config) { c.Payments.URL = "pagamentos:8002" },
		"both":          func(c *Config) { c.Inventory.Handler = http.NotFoundHandler() },
		"negative":      func(c *Config) { c.MaxInFlight = -1 },
		"broken origin": func(c *Config) { c.CORSOrigins = []string{"nonsense"} },
	} {
		c := good()
		spoil(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
