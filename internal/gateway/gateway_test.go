package gateway

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/contract"
	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
)

var testStart = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// fakeClock stands still until it is moved.
type fakeClock struct {
	clock.System
	offset atomic.Int64
}

func (c *fakeClock) Now() time.Time          { return testStart.Add(time.Duration(c.offset.Load())) }
func (c *fakeClock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// echoed is what a backend of these tests saw, in its answer.
type echoed struct {
	Service string      `json:"service"`
	Path    string      `json:"path"`
	Header  http.Header `json:"header"`
	Body    string      `json:"body"`
}

func echo(service contract.Service) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusTeapot)
			return
		}
		_ = json.NewEncoder(w).Encode(echoed{service.String(), r.URL.EscapedPath(), r.Header, string(body)})
	})
}

type fixture struct {
	*Gateway
	clock *fakeClock
	file  string
}

func start(t testing.TB, change ...func(*Config)) *fixture {
	t.Helper()
	f := &fixture{clock: &fakeClock{}, file: filepath.Join(t.TempDir(), "api-keys.json")}
	f.key(t, keys.Options{Name: "first", Scopes: []keys.Scope{keys.Admin}})
	c := Config{
		Orders:    Backend{Handler: echo(contract.Orders)},
		Payments:  Backend{Handler: echo(contract.Payments)},
		Inventory: Backend{Handler: echo(contract.Inventory)},
		KeysFile:  f.file, Clock: f.clock, Logger: slog.New(slog.DiscardHandler),
	}
	for _, do := range change {
		do(&c)
	}
	var err error
	if f.Gateway, err = New(c); err != nil {
		t.Fatal(err)
	}
	return f
}

// key adds a key to the file and, once the gateway runs, puts it in force.
func (f *fixture) key(t testing.TB, o keys.Options) string {
	t.Helper()
	token, _, err := keys.Create(f.file, o, f.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if f.Gateway != nil {
		f.reload(t.Context())
	}
	return token
}

func (f *fixture) admin(t testing.TB) string {
	return f.key(t, keys.Options{Name: "admin", Scopes: []keys.Scope{keys.Admin}})
}

func (f *fixture) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	f.Handler().ServeHTTP(w, r)
	return w
}

func request(method, path, token string, body ...string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(strings.Join(body, "")))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

func seen(t testing.TB, w *httptest.ResponseRecorder) echoed {
	t.Helper()
	var e echoed
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || w.Code != http.StatusOK {
		t.Fatalf("status %d, body %s, want a backend's answer", w.Code, w.Body)
	}
	return e
}

// wantProblem checks status, code and the form of RFC 9457.
func wantProblem(t testing.TB, w *httptest.ResponseRecorder, status int, code string) {
	t.Helper()
	var problem struct {
		Status int    `json:"status"`
		Code   string `json:"code"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil {
		t.Fatalf("status %d, body %q: %v", w.Code, w.Body, err)
	}
	if w.Code != status || problem.Status != status || problem.Code != code {
		t.Fatalf("status %d, problem %+v, want %d %s", w.Code, problem, status, code)
	}
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("content type %q", got)
	}
}

// fill puts something plausible into a path template.
func fill(template string) string {
	var segments []string
	for segment := range strings.SplitSeq(template, "/") {
		if strings.HasPrefix(segment, "{") {
			segment = "a-1"
		}
		segments = append(segments, segment)
	}
	return strings.Join(segments, "/")
}
