package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

// TestErrorsTranslate: what is logged is what somebody has to look into, and a client that hung up is nothing of that.
func TestErrorsTranslate(t *testing.T) {
	t.Parallel()
	left, leave := context.WithCancel(t.Context())
	leave()
	lost := fault.Transient(errors.New("connection refused"))
	for _, test := range []struct {
		ctx    context.Context
		err    error
		status int
		code   string
		logged bool
	}{
		{t.Context(), orders.ErrNotFound, 404, "order_not_found", false},
		{t.Context(), lost, 503, "unavailable", true},
		{t.Context(), context.DeadlineExceeded, 503, "unavailable", true},
		{t.Context(), context.Canceled, 503, "unavailable", true},
		{left, context.Canceled, 499, "client_gone", false},
		{left, lost, 503, "unavailable", true},
		{left, orders.ErrNotStored, 503, "unavailable", false},
		{t.Context(), errors.New("a bug"), 500, "internal", true},
	} {
		var log strings.Builder
		h := NewHandler(Config{Log: slog.New(slog.NewTextHandler(&log, nil))}, nil)
		got := h.NewError(test.ctx, fmt.Errorf("read order: %w", test.err))
		if got.StatusCode != test.status || got.Response.Status != test.status || got.Response.Code != test.code || (log.Len() > 0) != test.logged {
			t.Errorf("%v: %d %s, logged %q; want %d %s", test.err, got.StatusCode, got.Response.Code, log.String(), test.status, test.code)
		}
	}
}
