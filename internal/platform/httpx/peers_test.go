package httpx_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

type secretKey struct{}

// TestInMemoryIsLikeTheNetwork sends the same requests to the same handler both ways.
func TestInMemoryIsLikeTheNetwork(t *testing.T) {
	t.Parallel()
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Header.Set("X-Mine", "changed by the handler")
		w.Header().Set("X-Seen", strings.Join([]string{r.Method, r.Host, r.RequestURI, r.URL.Path, string(body), r.Header.Get("X-Sent"), http.StatusText(int(max(r.ContentLength, 0)))}, "|"))
		if r.Context().Value(secretKey{}) != nil {
			t.Error("a value crossed")
		}
		switch r.URL.Path {
		case "/empty":
			w.WriteHeader(http.StatusNoContent)
		case "/late":
			w.WriteHeader(http.StatusAccepted)
			w.Header().Set("X-Late", "x")
		default:
			_, _ = io.WriteString(w, "<html>hello")
		}
	})
	server := httptest.NewServer(h)
	defer server.Close()
	for _, target := range []string{"/a%2Fb?q=1", "/empty", "/late", ""} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodHead} {
			var got [2]*http.Response
			var bodies [2]string
			for i, transport := range []http.RoundTripper{http.DefaultTransport, httpx.InMemory(h)} {
				ctx := context.WithValue(context.Background(), secretKey{}, 1)
				var body io.Reader
				if method == http.MethodPost {
					body = strings.NewReader("hi")
				}
				r, _ := http.NewRequestWithContext(ctx, method, server.URL+target, body)
				r.Header.Set("X-Sent", "1")
				response, err := transport.RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				if r.Header.Get("X-Mine") != "" {
					t.Error("the handler changed the caller's header")
				}
				b, _ := io.ReadAll(response.Body)
				got[i], bodies[i] = response, string(b)
			}
			for _, name := range []string{"X-Seen", "X-Late", "Content-Type"} {
				if a, b := got[0].Header.Get(name), got[1].Header.Get(name); a != b && method != http.MethodHead {
					t.Errorf("%s %s %s: %q over the network, %q in memory", method, target, name, a, b)
				}
			}
			if got[0].Status != got[1].Status || bodies[0] != bodies[1] {
				t.Errorf("%s %s: %s %q, %s %q", method, target, got[0].Status, bodies[0], got[1].Status, bodies[1])
			}
		}
	}
}

func TestInMemoryCallerLeavesWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var saw error
		transport := httpx.InMemory(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			saw = context.Cause(r.Context())
		}))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		r, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://x/", nil)
		if _, err := transport.RoundTrip(r); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		if !errors.Is(saw, context.DeadlineExceeded) {
			t.Errorf("the handler saw %v", saw)
		}
	})
}

func TestInMemoryPanicIsAnError(t *testing.T) {
	t.Parallel()
	transport := httpx.InMemory(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret") }))
	r, _ := http.NewRequest(http.MethodGet, "http://x/", nil)
	if _, err := transport.RoundTrip(r); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

func BenchmarkInMemory(b *testing.B) {
	transport := httpx.InMemory(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	r, _ := http.NewRequest(http.MethodGet, "http://x/", nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := transport.RoundTrip(r); err != nil {
			b.Fatal(err)
		}
	}
}

func TestIdentityTravels(t *testing.T) {
	t.Parallel()
	h := httpx.RequestID(httpx.Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		if httpx.Caller(ctx) != "key_1" || !httpx.HasScope(ctx, "orders:write") || !slices.Equal(httpx.Scopes(ctx), []string{"orders:read", "orders:write"}) || httpx.RequestIDFrom(ctx) != "r1" {
			t.Errorf("caller %q, scopes %q, request %q", httpx.Caller(ctx), httpx.Scopes(ctx), httpx.RequestIDFrom(ctx))
		}
	})))
	ctx := httpx.WithRequestID(httpx.WithCaller(context.Background(), "key_1", "orders:read", "orders:write"), "r1")
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://x/", nil)
	r.Header.Set("X-Veloz-Caller", "forged")
	if _, err := httpx.Forward(httpx.InMemory(h)).RoundTrip(r); err != nil {
		t.Fatal(err)
	}
	if r.Header.Get("X-Veloz-Caller") != "forged" {
		t.Error("the caller's request was changed")
	}
}

func ready(h http.Handler) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/health/ready", nil))
	return w.Code, w.Body.String()
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls int
		var down error
		var draining atomic.Bool
		h := httpx.Health(httpx.HealthConfig{Service: "orders", Version: "1", Draining: draining.Load, Logger: quiet, Checks: []httpx.Check{
			{Name: "database", Probe: func(context.Context) error { calls++; return down }},
		}})
		for range 5 {
			if status, _ := ready(h); status != 200 {
				t.Error(status)
			}
		}
		if calls != 1 {
			t.Errorf("%d looks at the database", calls)
		}
		down = errors.New("password=secret")
		time.Sleep(600 * time.Millisecond)
		if status, body := ready(h); status != 503 || !strings.Contains(body, `"failing":["database"]`) || strings.Contains(body, "secret") {
			t.Error(status, body)
		}
		draining.Store(true)
		if status, body := ready(h); status != 503 || !strings.Contains(body, "draining") {
			t.Error(status, body)
		}
		for _, path := range []string{"/health", "/health/live"} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			if w.Code != 200 || strings.TrimSpace(w.Body.String()) != `{"status":"ok","service":"orders","version":"1"}` {
				t.Error(path, w.Code, w.Body)
			}
		}
	})
}

func TestACheckThatHangsOrPanicsFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h := httpx.Health(httpx.HealthConfig{Service: "orders", Logger: quiet, Checks: []httpx.Check{
			{Name: "hangs", Probe: func(context.Context) error { <-release; return nil }},
			{Name: "panics", Probe: func(context.Context) error { panic("x") }},
		}})
		began := time.Now()
		if status, body := ready(h); status != 503 || !strings.Contains(body, `["hangs","panics"]`) {
			t.Error(status, body)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("took %s", took)
		}
		close(release)
	})
}

func TestRetryAfterRoundsUp(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{time.Millisecond: "1", time.Second: "1", 1001 * time.Millisecond: "2"} {
		w := httptest.NewRecorder()
		httpx.WriteProblem(w, &httpx.Error{Status: 503, Code: "overloaded", Title: "Overloaded", RetryAfter: d})
		if got := w.Header().Get("Retry-After"); got != want {
			t.Errorf("%s: %s", d, got)
		}
	}
}
