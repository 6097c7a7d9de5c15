package telemetry_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/telemetry"
)

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func logger(t *testing.T, out io.Writer) *slog.Logger {
	t.Helper()
	l, err := telemetry.NewLogger(telemetry.LogConfig{Level: "debug", Output: out})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

type customer struct{ Name, Email string }

// TestLogsHoldNoPersonalData searches the log for canaries that came in by every way.
func TestLogsHoldNoPersonalData(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	l := logger(t, &out)
	const canary = "canary"
	for _, key := range []string{"email", "customer_email", "customerEmail", "Authorization", "x-api-token", "phone", "document", "cpf",
		"customer_name", "customer.name", "card", "password", "Set-Cookie", "payerName", "recipient"} {
		l.Info("x", key, canary)
		l.With(key, canary).Info("x")
	}
	l.Info("x", slog.Group("customer", "name", canary))
	l.WithGroup("customer").Info("x", "name", canary)
	l.Info("x", "order", customer{canary, canary})
	l.Info("x", "order", map[string]string{"a": canary})
	l.Info("x", "order", &customer{canary, canary})
	l.Info("mail to canary@example.com bounced")
	l.Info("x", "error", errors.New("duplicate key (canary@example.com)"))
	l.Info("x", "database", "postgres://veloz:canary@db:5432/orders")
	l.Info("x", "list", []string{"canary@example.com"})
	if strings.Contains(out.String(), canary) {
		for line := range strings.Lines(out.String()) {
			if strings.Contains(line, canary) {
				t.Error(line)
			}
		}
	}
}

func TestLogsKeepWhatIsNeeded(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	ctx := httpx.WithRequestID(context.Background(), "r1")
	id, _ := trace.TraceIDFromHex("0af7651916cd43dd8448eb211c80319c")
	span, _ := trace.SpanIDFromHex("b7ad6b7169203331")
	ctx = trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span}))
	logger(t, &out).InfoContext(ctx, "placed", "stage", "place", "name", "relay", "size", 3, "took", time.Second, "error", errors.New("busy"), "attempts", []int{1})
	for _, want := range []string{`"request_id":"r1"`, `"trace_id":"0af7651916cd43dd8448eb211c80319c"`, `"stage":"place"`, `"name":"relay"`, `"size":3`, `"error":"busy"`, `"attempts":"[[]int]"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is missing in %s", want, out.String())
		}
	}
}

func TestLoggerRefusesUnknownSettings(t *testing.T) {
	t.Parallel()
	for _, cfg := range []telemetry.LogConfig{{Level: "loud"}, {Format: "xml"}} {
		if _, err := telemetry.NewLogger(cfg); err == nil || !strings.Contains(err.Error(), "use ") {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}

func route(r *http.Request) string {
	if r.URL.Path == "/v1/orders" {
		return "/v1/orders"
	}
	return ""
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	m := telemetry.NewMetrics("orders", "1.2.3")
	h := m.HTTP(route)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/panic":
			panic("x")
		case "/v1/orders":
			w.WriteHeader(http.StatusCreated)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	for _, target := range []string{"/v1/orders", "/a", "/b", "/panic"} {
		func() {
			defer func() { _ = recover() }()
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("BREW", target, nil))
		}()
	}
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/v1/orders", nil))
	m.Batch("hold", 64, time.Millisecond, 2*time.Millisecond)
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		`veloz_http_request_duration_seconds_count{method="POST",route="/v1/orders",service="orders",status="2xx"} 1`,
		`veloz_http_request_duration_seconds_count{method="other",route="unmatched",service="orders",status="4xx"} 2`,
		`veloz_http_request_duration_seconds_count{method="other",route="unmatched",service="orders",status="5xx"} 1`,
		`veloz_http_requests_in_flight{service="orders"} 0`,
		`veloz_batch_size_sum{service="orders",stage="hold"} 64`,
		`veloz_build_info{service="orders",version="1.2.3"} 1`,
		`go_goroutines `, `process_open_fds `,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s is missing", want)
		}
	}
	if strings.Contains(w.Body.String(), `"/a"`) || strings.Contains(w.Body.String(), "BREW") {
		t.Error("a client made a label")
	}
}

func TestAdminServer(t *testing.T) {
	t.Parallel()
	health := httpx.Health(httpx.HealthConfig{Service: "orders", Checks: []httpx.Check{{Name: "database", Probe: func(context.Context) error { return errors.New("down") }}}, Logger: slog.New(slog.DiscardHandler)})
	s := telemetry.NewAdminServer("127.0.0.1:0", telemetry.NewMetrics("orders", "1"), health, slog.New(slog.DiscardHandler))
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Shutdown(context.Background()) }()
	for path, want := range map[string]int{"/metrics": 200, "/livez": 200, "/readyz": 503, "/debug/pprof/goroutine": 200, "/v1/orders": 404} {
		response, err := http.Get("http://" + s.Addr() + path)
		if err != nil || response.StatusCode != want {
			t.Errorf("%s: %v, %v", path, response, err)
			continue
		}
		_ = response.Body.Close()
	}
}

func env(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

// collector keeps what it gets.
type collector struct {
	mu     sync.Mutex
	bodies []string
	header http.Header
}

func (c *collector) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bodies, c.header = append(c.bodies, r.URL.Path+" "+string(body)), r.Header
}

func TestSpansReachTheCollector(t *testing.T) {
	t.Parallel()
	var got collector
	server := httptest.NewServer(&got)
	defer server.Close()
	tracing, err := telemetry.NewTracing(telemetry.TraceConfig{Service: "orders", Version: "1", Getenv: env(map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL + "/", "OTEL_EXPORTER_OTLP_HEADERS": "x-key=a%20b"})})
	if err != nil {
		t.Fatal(err)
	}
	peer := tracing.Transport("inventory", httpx.InMemory(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Traceparent"); !strings.HasPrefix(got, parent[:35]) || got == parent {
			t.Errorf("traceparent %q", got)
		}
		w.WriteHeader(http.StatusConflict)
	})))
	h := tracing.HTTP(route)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, _ := http.NewRequestWithContext(r.Context(), http.MethodPost, "http://inventory/internal/v1/holds", nil)
		if _, err := peer.RoundTrip(out); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusCreated)
	}))
	r := httptest.NewRequest("POST", "/v1/orders", nil)
	r.Header.Set("Traceparent", parent)
	h.ServeHTTP(httptest.NewRecorder(), r)
	if err := tracing.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(got.bodies) != 1 || !strings.HasPrefix(got.bodies[0], "/v1/traces ") || got.header.Get("X-Key") != "a b" {
		t.Fatalf("got %q", got.bodies)
	}
	checkSpans(t, strings.TrimPrefix(got.bodies[0], "/v1/traces "))
}

func checkSpans(t *testing.T, body string) {
	t.Helper()
	var sent struct {
		ResourceSpans []struct {
			Resource   struct{ Attributes []struct{ Key string } }
			ScopeSpans []struct {
				Spans []struct {
					TraceID, SpanID, ParentSpanID, Name, StartTimeUnixNano string
					Kind                                                   int
					Status                                                 struct{ Code int }
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &sent); err != nil {
		t.Fatal(err)
	}
	spans := sent.ResourceSpans[0].ScopeSpans[0].Spans
	if len(spans) != 2 || len(sent.ResourceSpans[0].Resource.Attributes) != 2 {
		t.Fatal(body)
	}
	client, server := spans[0], spans[1]
	if server.Name != "POST /v1/orders" || server.Kind != 2 || server.ParentSpanID != parent[36:52] || server.TraceID != parent[3:35] || server.Status.Code != 0 {
		t.Errorf("server span %+v", server)
	}
	if client.Name != "POST inventory" || client.Kind != 3 || client.ParentSpanID != server.SpanID || client.Status.Code != 2 {
		t.Errorf("client span %+v", client)
	}
}

func TestTheEdgeIsNotToldToSample(t *testing.T) {
	t.Parallel()
	tracing, err := telemetry.NewTracing(telemetry.TraceConfig{Edge: true, Getenv: env(map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_SAMPLER_ARG": "0"})})
	if err != nil {
		t.Fatal(err)
	}
	h := tracing.HTTP(route)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if span := trace.SpanContextFromContext(r.Context()); span.IsSampled() || span.TraceID().String() != parent[3:35] {
			t.Errorf("%+v", span)
		}
	}))
	r := httptest.NewRequest("POST", "/v1/orders", nil)
	r.Header.Set("Traceparent", parent)
	h.ServeHTTP(httptest.NewRecorder(), r)
}

func TestOffStillPassesTheTraceOn(t *testing.T) {
	t.Parallel()
	tracing, err := telemetry.NewTracing(telemetry.TraceConfig{Getenv: env(nil)})
	if err != nil || tracing.Enabled() {
		t.Fatal(err)
	}
	var seen []string
	peer := tracing.Transport("inventory", httpx.InMemory(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Traceparent"))
	})))
	h := tracing.HTTP(route)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		out, _ := http.NewRequestWithContext(r.Context(), http.MethodPost, "http://inventory/", nil)
		if _, err := peer.RoundTrip(out); err != nil {
			t.Error(err)
		}
	}))
	for _, sent := range []string{parent, "", "garbage"} {
		r := httptest.NewRequest("POST", "/v1/orders", nil)
		r.Header.Set("Traceparent", sent)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	if len(seen) != 3 || seen[0] != parent || seen[1] != "" || seen[2] != "" {
		t.Errorf("%q", seen)
	}
	if err := tracing.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestTracingRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	for _, values := range []map[string]string{
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_TRACES_SAMPLER_ARG": "NaN"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_EXPORTER_OTLP_HEADERS": "x"},
	} {
		if _, err := telemetry.NewTracing(telemetry.TraceConfig{Getenv: env(values)}); err == nil {
			t.Errorf("%v was accepted", values)
		}
	}
}

func BenchmarkHTTPOff(b *testing.B) {
	tracing, _ := telemetry.NewTracing(telemetry.TraceConfig{Getenv: env(nil)})
	h := telemetry.NewMetrics("x", "1").HTTP(route)(tracing.HTTP(route)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	r := httptest.NewRequest("POST", "/v1/orders", nil)
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
}
