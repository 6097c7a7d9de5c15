package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// exporter sends spans as OTLP/HTTP in its JSON encoding (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"),
// which every collector takes at /v1/traces. The official otlptracehttp brings gRPC and protobuf with it: 5.8 MB of
// binary [M], a quarter of what an image may have.
type exporter struct {
	endpoint string
	headers  http.Header
	client   *http.Client
	logger   *slog.Logger
	quietTo  atomic.Int64 // unix seconds; a collector that is away is told once a minute
}

// newExporter returns nil where no endpoint is set.
func newExporter(cfg TraceConfig) (*exporter, error) {
	endpoint := cfg.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
	if base := cfg.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT"); endpoint == "" && base != "" {
		endpoint = strings.TrimSuffix(base, "/") + "/v1/traces"
	}
	if endpoint == "" {
		return nil, nil
	}
	target, err := url.Parse(endpoint)
	if err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT must be a URL such as http://collector:4318")
	}
	if protocol := cfg.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"); protocol == "grpc" {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL grpc is not supported: name the collector's HTTP port, usually 4318, and use http/json")
	}
	headers, err := parseHeaders(cfg.Getenv("OTEL_EXPORTER_OTLP_HEADERS"))
	if err != nil {
		return nil, err
	}
	logger := cfg.Logger
	if logger == nil {
		logger = slog.Default()
	}
	return &exporter{endpoint: endpoint, headers: headers, client: &http.Client{Timeout: 10 * time.Second}, logger: logger}, nil
}

// parseHeaders reads `name=value,name=value` with percent-encoded values.
func parseHeaders(text string) (http.Header, error) {
	headers := http.Header{"Content-Type": {"application/json"}}
	for pair := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, encoded, found := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(encoded))
		if !found || err != nil {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_HEADERS must be a list such as name=value,name=value")
		}
		headers.Set(strings.TrimSpace(name), value)
	}
	return headers, nil
}

// ExportSpans implements sdktrace.SpanExporter. Spans that cannot be sent are gone; that is logged, never returned,
// since the SDK would print it past the logger.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if err := e.send(ctx, spans); err != nil {
		now := time.Now().Unix()
		if until := e.quietTo.Load(); now >= until && e.quietTo.CompareAndSwap(until, now+60) {
			e.logger.Warn("spans were lost; told once a minute", "spans", len(spans), "error", err)
		}
	}
	return nil
}

// Shutdown implements sdktrace.SpanExporter.
func (e *exporter) Shutdown(context.Context) error {
	e.client.CloseIdleConnections()
	return nil
}

func (e *exporter) send(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if len(spans) == 0 {
		return nil
	}
	body, err := json.Marshal(encode(spans))
	if err != nil {
		return fmt.Errorf("encode spans: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.endpoint, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("send spans: %w", err)
	}
	request.Header = e.headers.Clone()
	response, err := e.client.Do(request)
	if err != nil {
		return fmt.Errorf("send spans: %w", err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // keeps the connection
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("send spans: the collector answered %s", response.Status)
	}
	return nil
}

// The shapes of OTLP's JSON: ids in hex, 64-bit integers in strings, enums as numbers.
type (
	otlpRequest struct {
		ResourceSpans []otlpResource `json:"resourceSpans"`
	}
	otlpResource struct {
		Resource   otlpAttributes `json:"resource"`
		ScopeSpans []otlpScope    `json:"scopeSpans"`
	}
	otlpAttributes struct {
		Attributes []otlpAttribute `json:"attributes,omitempty"`
	}
	otlpScope struct {
		Scope otlpName   `json:"scope"`
		Spans []otlpSpan `json:"spans"`
	}
	otlpName struct {
		Name string `json:"name"`
	}
	otlpSpan struct {
		TraceID      string          `json:"traceId"`
		SpanID       string          `json:"spanId"`
		ParentSpanID string          `json:"parentSpanId,omitempty"`
		Name         string          `json:"name"`
		Kind         int             `json:"kind"`
		Start        string          `json:"startTimeUnixNano"`
		End          string          `json:"endTimeUnixNano"`
		Attributes   []otlpAttribute `json:"attributes,omitempty"`
		Links        []otlpLink      `json:"links,omitempty"`
		Status       otlpStatus      `json:"status"`
	}
	otlpLink struct {
		TraceID string `json:"traceId"`
		SpanID  string `json:"spanId"`
	}
	otlpStatus struct {
		Code int `json:"code,omitempty"`
	}
	otlpAttribute struct {
		Key   string         `json:"key"`
		Value map[string]any `json:"value"`
	}
)

// encode puts all spans under one resource and one scope: this process has one resource, and who made a span is seen by its name.
func encode(spans []sdktrace.ReadOnlySpan) otlpRequest {
	first := spans[0]
	scope := otlpScope{Scope: otlpName{first.InstrumentationScope().Name}, Spans: make([]otlpSpan, len(spans))}
	for i, span := range spans {
		scope.Spans[i] = encodeSpan(span)
	}
	return otlpRequest{[]otlpResource{{otlpAttributes{encodeAttributes(first.Resource().Attributes())}, []otlpScope{scope}}}}
}

func encodeSpan(span sdktrace.ReadOnlySpan) otlpSpan {
	encoded := otlpSpan{
		TraceID: span.SpanContext().TraceID().String(), SpanID: span.SpanContext().SpanID().String(),
		Name:       span.Name(),
		Kind:       int(span.SpanKind()), // the SDK's numbers are OTLP's
		Start:      strconv.FormatInt(span.StartTime().UnixNano(), 10),
		End:        strconv.FormatInt(span.EndTime().UnixNano(), 10),
		Attributes: encodeAttributes(span.Attributes()),
	}
	if span.Parent().HasSpanID() {
		encoded.ParentSpanID = span.Parent().SpanID().String()
	}
	for _, link := range span.Links() {
		encoded.Links = append(encoded.Links, otlpLink{link.SpanContext.TraceID().String(), link.SpanContext.SpanID().String()})
	}
	if span.Status().Code == codes.Error {
		encoded.Status.Code = 2 // OTLP counts error as 2 and ok as 1, the SDK the other way round
	}
	return encoded
}

func encodeAttributes(attributes []attribute.KeyValue) []otlpAttribute {
	encoded := make([]otlpAttribute, len(attributes))
	for i, a := range attributes {
		encoded[i] = otlpAttribute{string(a.Key), encodeValue(a.Value)}
	}
	return encoded
}

func encodeValue(value attribute.Value) map[string]any {
	switch value.Type() {
	case attribute.BOOL:
		return map[string]any{"boolValue": value.AsBool()}
	case attribute.INT64:
		return map[string]any{"intValue": strconv.FormatInt(value.AsInt64(), 10)}
	case attribute.FLOAT64:
		return map[string]any{"doubleValue": value.AsFloat64()}
	}
	return map[string]any{"stringValue": value.String()}
}
