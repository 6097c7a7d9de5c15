package gateway

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/contract"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// behind puts a handler behind a URL of its own.
func behind(t *testing.T, h http.Handler) func(*Config) {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return func(c *Config) { c.Orders = Backend{URL: server.URL} }
}

func TestProxyPassesARequestOn(t *testing.T) {
	t.Parallel()
	var gotHost, gotQuery string
	f := start(t, behind(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gotHost, gotQuery = r.Host, r.URL.RawQuery
		w.Header().Set("X-Content-Type-Options", "other")
		w.Header().Set("Server", "secret")
		w.Header().Set("Location", "/v1/orders/1")
		echo(contract.Orders).ServeHTTP(w, r)
	})))
	r := request("POST", "/v1/orders?a=1&b=%2F&c=1;d=%zz", f.admin(t), `{"a":1}`)
	r.Header.Set("X-Veloz-Scopes", "mine")
	r.Header.Set("Connection", "X-Veloz-Caller")
	r.Header.Set("X-Forwarded-For", "6.6.6.6")
	w := f.do(r)
	got := seen(t, w)
	if got.Path != "/v1/orders" || got.Body != `{"a":1}` || gotQuery != "a=1&b=%2F&c=1;d=%zz" {
		t.Fatalf("the backend saw %+v, query %q", got, gotQuery)
	}
	if !strings.HasPrefix(gotHost, "127.0.0.1") {
		t.Fatalf("the client chose the backend's Host: %q", gotHost)
	}
	for name, want := range map[string]string{"X-Veloz-Scopes": "admin", "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Host": "example.com", "Authorization": ""} {
		if got.Header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Header[name], want)
		}
	}
	if got.Header.Get("X-Veloz-Caller") == "" {
		t.Error("the caller was lost")
	}
	h := w.Header()
	if len(h["X-Content-Type-Options"]) != 1 || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Server") != "" || h.Get("Location") != "/v1/orders/1" {
		t.Errorf("the answer's headers: %v", h)
	}
}

func TestProxyErrors(t *testing.T) {
	t.Parallel()
	t.Run("down", func(t *testing.T) {
		t.Parallel()
		f := start(t, func(c *Config) { c.Orders = Backend{URL: "http://" + closedAddress(t)} })
		w := f.do(request("GET", "/v1/orders", f.admin(t)))
		wantProblem(t, w, http.StatusServiceUnavailable, "backend_down")
		if w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "127.0.0.1") {
			t.Fatalf("%v %s", w.Header(), w.Body)
		}
	})
	t.Run("breaks off", func(t *testing.T) {
		t.Parallel()
		f := start(t, behind(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_ = conn.Close()
		})))
		wantProblem(t, f.do(request("POST", "/v1/orders", f.admin(t), "{}")), http.StatusBadGateway, "backend_unavailable")
	})
	t.Run("too slow", func(t *testing.T) {
		t.Parallel()
		f := start(t, behind(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // else the server does not see the gateway leave
			<-r.Context().Done()
		})), func(c *Config) { c.RequestTimeout = 20 * time.Millisecond })
		wantProblem(t, f.do(request("GET", "/v1/orders", f.admin(t))), http.StatusGatewayTimeout, "backend_timeout")
	})
	t.Run("endless body", func(t *testing.T) {
		t.Parallel()
		f := start(t, behind(t, echo(contract.Orders)), func(c *Config) { c.MaxBodyBytes = 8 })
		r := request("POST", "/v1/orders", f.admin(t))
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader("123456789")), -1
		wantProblem(t, f.do(r), http.StatusRequestEntityTooLarge, "body_too_large")
	})
	t.Run("broken body", func(t *testing.T) {
		t.Parallel()
		for cause, want := range map[error]struct {
			status int
			code   string
		}{io.ErrUnexpectedEOF: {400, "body_incomplete"}, os.ErrDeadlineExceeded: {408, "request_timeout"}} {
			for _, frames := range []bool{false, true} {
				f := start(t, behind(t, echo(contract.Orders)), func(c *Config) { c.Orders.Frames = frames })
				r := request("POST", "/v1/orders", f.admin(t))
				r.Body, r.ContentLength = io.NopCloser(iotest.ErrReader(cause)), -1
				wantProblem(t, f.do(r), want.status, want.code)
			}
		}
	})
	t.Run("client leaves", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		f := start(t, behind(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			cancel()
			<-r.Context().Done()
		})))
		if w := f.do(request("GET", "/v1/orders", f.admin(t)).WithContext(ctx)); w.Body.Len() != 0 || w.Code != httpx.StatusClientGone {
			t.Fatalf("somebody was answered: %d %s", w.Code, w.Body)
		}
	})
}

// closedAddress is one where nobody listens.
func closedAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
