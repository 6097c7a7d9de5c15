// Package telemetry is how the product is seen from outside: logs without personal data, Prometheus metrics, traces.
package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/trace"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// LogConfig shapes a logger.
type LogConfig struct {
	Level  string // debug, info, warn or error; info by default
	Format string // json or text; json by default
	Output io.Writer
}

// NewLogger makes a logger that adds `trace_id` and `request_id` from the context and keeps personal data out (redact.go).
func NewLogger(cfg LogConfig) (*slog.Logger, error) {
	var level slog.Level
	if cfg.Level != "" {
		if err := level.UnmarshalText([]byte(cfg.Level)); err != nil {
			return nil, fmt.Errorf("log level %q: use debug, info, warn or error", cfg.Level)
		}
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: redact}
	switch cfg.Format {
	case "", "json":
		return slog.New(contextual{slog.NewJSONHandler(cfg.Output, options)}), nil
	case "text":
		return slog.New(contextual{slog.NewTextHandler(cfg.Output, options)}), nil
	}
	return nil, fmt.Errorf("log format %q: use json or text", cfg.Format)
}

// contextual adds what a context knows about the request.
type contextual struct{ slog.Handler }

// Handle implements slog.Handler.
func (c contextual) Handle(ctx context.Context, record slog.Record) error {
	if id := httpx.RequestIDFrom(ctx); id != "" {
		record.AddAttrs(slog.String("request_id", id))
	}
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		record.AddAttrs(slog.String("trace_id", span.TraceID().String()))
	}
	return c.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (c contextual) WithAttrs(attrs []slog.Attr) slog.Handler {
	return contextual{c.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (c contextual) WithGroup(name string) slog.Handler {
	return contextual{c.Handler.WithGroup(name)}
}
