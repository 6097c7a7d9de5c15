package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// defaultRatio of the traces is kept: at 10,000 orders/s one in a hundred is plenty.
const defaultRatio = 0.01

// TraceConfig shapes NewTracing.
type TraceConfig struct {
	Service string
	Version string
	// Edge says that requests come from outside: their `traceparent` is kept, but its wish to be sampled is not obeyed,
	// else any client could make the platform export everything.
	Edge   bool
	Getenv func(string) string // os.Getenv
	Logger *slog.Logger
}

// Tracing makes spans where OTEL_EXPORTER_OTLP_ENDPOINT is set, and only passes an incoming `traceparent` on where it is not.
type Tracing struct {
	provider *sdktrace.TracerProvider // nil when off
	tracer   trace.Tracer
}

var w3c propagation.TraceContext

// NewTracing reads OTEL_EXPORTER_OTLP_ENDPOINT (or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT), OTEL_EXPORTER_OTLP_HEADERS,
// OTEL_SERVICE_NAME and OTEL_TRACES_SAMPLER_ARG (0 to 1, 0.01 by default). Spans go out as OTLP over HTTP in JSON.
func NewTracing(cfg TraceConfig) (*Tracing, error) {
	exporter, err := newExporter(cfg)
	if err != nil {
		return nil, err
	}
	if exporter == nil {
		return &Tracing{tracer: noop.NewTracerProvider().Tracer("")}, nil
	}
	ratio, err := samplerRatio(cfg.Getenv("OTEL_TRACES_SAMPLER_ARG"))
	if err != nil {
		return nil, err
	}
	service := cfg.Service
	if name := cfg.Getenv("OTEL_SERVICE_NAME"); name != "" {
		service = name
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter, // full means that spans are dropped, never that a request waits
			sdktrace.WithMaxQueueSize(4096), sdktrace.WithMaxExportBatchSize(512),
			sdktrace.WithBatchTimeout(2*time.Second), sdktrace.WithExportTimeout(10*time.Second)),
		sdktrace.WithSampler(sampler(ratio, cfg.Edge)),
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", service), attribute.String("service.version", cfg.Version))),
	)
	return &Tracing{provider: provider, tracer: provider.Tracer("github.com/pedidos-veloz/pedidos-veloz")}, nil
}

func samplerRatio(text string) (float64, error) {
	if text == "" {
		return defaultRatio, nil
	}
	ratio, err := strconv.ParseFloat(text, 64)
	if err != nil || !(ratio >= 0 && ratio <= 1) {
		return 0, fmt.Errorf("OTEL_TRACES_SAMPLER_ARG is %q: set a ratio from 0 to 1, such as 0.01", text)
	}
	return ratio, nil
}

func sampler(ratio float64, edge bool) sdktrace.Sampler {
	root := sdktrace.TraceIDRatioBased(ratio)
	if edge {
		return sdktrace.ParentBased(root, sdktrace.WithRemoteParentSampled(root), sdktrace.WithRemoteParentNotSampled(root))
	}
	return sdktrace.ParentBased(root)
}

// Enabled tells whether spans are made.
func (t *Tracing) Enabled() bool { return t.provider != nil }

// Tracer makes spans within a request; when tracing is off they are nothing.
func (t *Tracing) Tracer() trace.Tracer { return t.tracer }

// Provider makes tracers for libraries; call it only when tracing is on.
func (t *Tracing) Provider() trace.TracerProvider { return t.provider }

// Of is the span that ctx is in, or nil when it is not recorded.
func (t *Tracing) Of(ctx context.Context) any {
	if span := trace.SpanContextFromContext(ctx); span.IsSampled() {
		return span
	}
	return nil
}

// Batch begins a span for work that the members, spans of Of, share: it is the first one's child, so that its trace shows
// the work, and it links to all the others.
func (t *Tracing) Batch(ctx context.Context, stage string, members []any) (in context.Context, end func()) {
	links := make([]trace.Link, 0, len(members))
	for _, member := range members {
		links = append(links, trace.Link{SpanContext: member.(trace.SpanContext)})
	}
	ctx = trace.ContextWithSpanContext(ctx, links[0].SpanContext)
	ctx, span := t.tracer.Start(ctx, "stage "+stage, trace.WithLinks(links[1:]...),
		trace.WithAttributes(attribute.Int("veloz.batch.traced", len(members))))
	return ctx, func() { span.End() }
}

// Shutdown sends the spans that wait.
func (t *Tracing) Shutdown(ctx context.Context) error {
	if t.provider == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// HTTP makes a span of each request, named by route as in Metrics.HTTP. When tracing is off it costs the look for one header.
func (t *Tracing) HTTP(route func(*http.Request) string) func(http.Handler) http.Handler {
	if !t.Enabled() {
		return passOn
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			name := route(r)
			if name == "" {
				name = unmatched
			}
			ctx := w3c.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
			ctx, span := t.tracer.Start(ctx, r.Method+" "+name, trace.WithSpanKind(trace.SpanKindServer),
				trace.WithAttributes(attribute.String("http.request.method", r.Method), attribute.String("http.route", name)))
			recorder, returned := httpx.Record(w), false
			defer func() { finish(span, answered(recorder, returned), http.StatusInternalServerError) }()
			next.ServeHTTP(recorder, r.WithContext(ctx))
			returned = true
		})
	}
}

// finish marks the span an error from the status on that is the fault of the side that it is of.
func finish(span trace.Span, status, errorFrom int) {
	span.SetAttributes(attribute.Int("http.response.status_code", status))
	if status >= errorFrom {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

func passOn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Traceparent") != "" {
			r = r.WithContext(w3c.Extract(r.Context(), propagation.HeaderCarrier(r.Header)))
		}
		next.ServeHTTP(w, r)
	})
}

// Propagate puts the trace that ctx belongs to into h, for a request that travels by other means than Transport.
func Propagate(ctx context.Context, h http.Header) {
	if trace.SpanContextFromContext(ctx).IsValid() {
		w3c.Inject(ctx, propagation.HeaderCarrier(h))
	}
}

// Transport sends `traceparent` along with calls to peers, and makes a span of each where tracing is on.
func (t *Tracing) Transport(peer string, next http.RoundTripper) http.RoundTripper {
	return tracedTransport{t, peer, next}
}

type tracedTransport struct {
	tracing *Tracing
	peer    string
	next    http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t tracedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	if !trace.SpanContextFromContext(ctx).IsValid() && !t.tracing.Enabled() {
		return t.next.RoundTrip(r)
	}
	ctx, span := t.tracing.start(ctx, r.Method+" "+t.peer)
	r = r.Clone(ctx)
	w3c.Inject(ctx, propagation.HeaderCarrier(r.Header))
	response, err := t.next.RoundTrip(r)
	if err != nil {
		span.SetStatus(codes.Error, "no answer") // the error's text names addresses and queries
		span.End()
		return nil, err
	}
	finish(span, response.StatusCode, http.StatusBadRequest)
	return response, nil
}

func (t *Tracing) start(ctx context.Context, name string) (context.Context, trace.Span) {
	if !t.Enabled() { // the parent's own context goes out: a span that nobody records must not stand between
		return ctx, noop.Span{}
	}
	return t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient))
}
