package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

func TestErrorsTranslate(t *testing.T) {
	t.Parallel()
	secret := errors.New("dial tcp 10.0.0.5: password")
	left, leave := context.WithCancel(t.Context())
	leave()
	for _, test := range []struct {
		ctx        context.Context
		err        error
		status     int
		code       string
		retryAfter string
		logged     bool
	}{
		{t.Context(), inventory.ErrNotFound, 404, "item_not_found", "", false},
		{t.Context(), inventory.ErrKeyReused, 422, "idempotency_key_reused", "", false},
		{t.Context(), inventory.ErrHeldUnits, 409, "insufficient_stock", "", false},
		{t.Context(), inventory.ErrTooMuchStock, 409, "stock_limit", "", false},
		{t.Context(), fault.Transient(secret), 503, "unavailable", "1", true},
		{t.Context(), context.DeadlineExceeded, 503, "unavailable", "1", true},
		{t.Context(), context.Canceled, 503, "unavailable", "1", true},
		{left, context.Canceled, 499, "client_gone", "", true}, // a peer
		{httpx.WithCaller(left, "somebody"), context.Canceled, 499, "client_gone", "", false},
		{left, fault.Transient(secret), 503, "unavailable", "1", true},
		{t.Context(), secret, 500, "internal", "", true},
	} {
		var log strings.Builder
		h := NewHandler(nil, slog.New(slog.NewTextHandler(&log, nil)))
		got := h.NewError(test.ctx, errors.Join(errors.New("adjust"), test.err))
		if got.StatusCode != test.status || got.Response.Status != test.status || got.Response.Code != test.code || got.RetryAfter.Value != test.retryAfter {
			t.Errorf("%v: %+v; want %d %s", test.err, got, test.status, test.code)
		}
		if strings.Contains(got.Response.Title+got.Response.Detail.Value, "password") || (log.Len() > 0) != test.logged {
			t.Errorf("%v: answered %q, logged %q", test.err, got.Response.Detail.Value, log.String())
		}
	}
}
