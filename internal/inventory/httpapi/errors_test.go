package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

func TestErrorsTranslate(t *testing.T) {
	t.Parallel()
	secret := errors.New("dial tcp 10.0.0.5: password")
	for _, test := range []struct {
		err        error
		status     int
		code       string
		retryAfter string
		logged     bool
	}{
		{inventory.ErrNotFound, 404, "item_not_found", "", false},
		{inventory.ErrKeyReused, 422, "idempotency_key_reused", "", false},
		{inventory.ErrHeldUnits, 409, "insufficient_stock", "", false},
		{inventory.ErrTooMuchStock, 409, "stock_limit", "", false},
		{fault.Transient(secret), 503, "unavailable", "1", true},
		{context.DeadlineExceeded, 503, "unavailable", "1", true},
		{secret, 500, "internal", "", true},
	} {
		var log strings.Builder
		h := NewHandler(nil, slog.New(slog.NewTextHandler(&log, nil)))
		got := h.NewError(t.Context(), errors.Join(errors.New("adjust"), test.err))
		if got.StatusCode != test.status || got.Response.Status != test.status || got.Response.Code != test.code || got.RetryAfter.Value != test.retryAfter {
			t.Errorf("%v: %+v; want %d %s", test.err, got, test.status, test.code)
		}
		if strings.Contains(got.Response.Title+got.Response.Detail.Value, "password") || (log.Len() > 0) != test.logged {
			t.Errorf("%v: answered %q, logged %q", test.err, got.Response.Detail.Value, log.String())
		}
	}
}
