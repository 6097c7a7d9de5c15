package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// problems is the HTTP answer to each error of the service, and the only place that knows it.
var problems = []struct {
	err     error
	problem httpx.Error
}{
	{inventory.ErrNotFound, httpx.Error{Status: http.StatusNotFound, Code: "item_not_found", Title: "Item not found", Detail: "There is no item with this SKU."}},
	{inventory.ErrKeyReused, httpx.Error{Status: http.StatusUnprocessableEntity, Code: "idempotency_key_reused", Title: "Idempotency-Key reused",
		Detail: "This key came with another body before. Make a new key for a new adjustment.", Fields: []httpx.FieldError{{Field: "header.Idempotency-Key", Message: "must be new for a new adjustment"}}}},
	{inventory.ErrHeldUnits, httpx.Error{Status: http.StatusConflict, Code: "insufficient_stock", Title: "Insufficient stock", Detail: "The adjustment would remove units that belong to orders or are not there: read the item's available stock."}},
	{inventory.ErrTooMuchStock, httpx.Error{Status: http.StatusConflict, Code: "stock_limit", Title: "Too much stock", Detail: "The adjustment would raise the item's stock above 1000000000000 units."}},
}

// NewError implements inventoryapi.Handler: it translates whatever an operation returned.
func (h *Handler) NewError(ctx context.Context, err error) *inventoryapi.ProblemStatusCodeWithHeaders {
	problem := h.translate(ctx, err)
	body := inventoryapi.Problem{Type: problem.Type(), Title: problem.Title, Status: problem.Status, Code: problem.Code}
	if problem.Detail != "" {
		body.Detail = inventoryapi.NewOptString(problem.Detail)
	}
	for _, field := range problem.Fields {
		body.Errors = append(body.Errors, inventoryapi.FieldError{Field: field.Field, Message: field.Message})
	}
	answer := &inventoryapi.ProblemStatusCodeWithHeaders{StatusCode: problem.Status, Response: body}
	if problem.RetryAfter > 0 {
		answer.RetryAfter = inventoryapi.NewOptString(httpx.RetryAfter(problem.RetryAfter))
	}
	return answer
}

func (h *Handler) translate(ctx context.Context, err error) *httpx.Error {
	for i := range problems {
		if errors.Is(err, problems[i].err) {
			return &problems[i].problem
		}
	}
	if httpx.ClientGone(ctx, err) {
		if httpx.Caller(ctx) == "" { // a peer, whose patience this was too slow for
			h.log.WarnContext(ctx, "request could not be served now", slog.String("error", err.Error()))
		}
		return httpx.ErrClientGone
	}
	if fault.IsTransient(err) {
		h.log.WarnContext(ctx, "request could not be served now", slog.String("error", err.Error()))
		return &httpx.Error{Status: http.StatusServiceUnavailable, Code: "unavailable", Title: "Temporarily unavailable",
			Detail: "The outcome may be unknown. Send the same request again; what was done is not done twice.", RetryAfter: time.Second}
	}
	problem := httpx.AsError(err)
	if problem.Status == http.StatusInternalServerError {
		h.log.ErrorContext(ctx, "request failed", slog.String("error", err.Error()))
	}
	return problem
}
