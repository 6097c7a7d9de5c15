package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// rejection is the answer to a placement whose order was rejected. The order stays readable, so the problem names it.
type rejection struct{ order orders.Order }

// Error implements error.
func (r *rejection) Error() string {
	return fmt.Sprintf("order %s was rejected: %s", r.order.ID, r.order.Reason)
}

// rejections is the HTTP answer to each reason.
var rejections = map[orders.Reason]httpx.Error{
	orders.ReasonOutOfStock:      {Status: http.StatusConflict, Title: "Out of stock", Detail: "There is not enough stock for the items in shortages."},
	orders.ReasonPriceChanged:    {Status: http.StatusConflict, Title: "Price changed", Detail: "The total is not expected_total_cents: read the order for today's prices."},
	orders.ReasonPaymentDeclined: {Status: http.StatusPaymentRequired, Title: "Payment declined", Detail: "The payment provider declined the charge. Nothing was charged, and the stock was released."},
	orders.ReasonLimitExceeded:   {Status: http.StatusUnprocessableEntity, Title: "Limit exceeded", Detail: "The order's total is more than one payment can carry."},
}

// problems is the HTTP answer to each error of the service, and the only place that knows it.
var problems = []struct {
	err     error
	problem httpx.Error
}{
	{orders.ErrNotFound, httpx.Error{Status: http.StatusNotFound, Code: "order_not_found", Title: "Order not found", Detail: "There is no order with this id."}},
	{orders.ErrKeyReused, httpx.Error{Status: http.StatusUnprocessableEntity, Code: "idempotency_key_reused", Title: "Idempotency-Key reused",
		Detail: "This key came with another body before. Make a new key for a new order.", Fields: []httpx.FieldError{{Field: "header.Idempotency-Key", Message: "must be new for a new order"}}}},
	{orders.ErrNotCancelable, httpx.Error{Status: http.StatusConflict, Code: "not_cancelable", Title: "Order cannot be canceled", Detail: "The order has ended already: read its status."}},
	{orders.ErrSuperseded, httpx.Error{Status: http.StatusConflict, Code: "conflict", Title: "Order is changing", Detail: "The order was changed at the same time. Try again.", RetryAfter: time.Second}},
	{orders.ErrOverloaded, httpx.Error{Status: http.StatusServiceUnavailable, Code: "overloaded", Title: "Too many orders under way", Detail: "The order was not taken. Send it again with the same Idempotency-Key.", RetryAfter: time.Second}},
	{orders.ErrNotStored, httpx.Error{Status: http.StatusServiceUnavailable, Code: "unavailable", Title: "Outcome unknown", Detail: "The order may or may not be stored. Send it again with the same Idempotency-Key: it is never taken twice.", RetryAfter: time.Second}},
}

// NewError implements ordersapi.Handler: it translates whatever an operation returned.
func (h *Handler) NewError(ctx context.Context, err error) *ordersapi.ProblemStatusCodeWithHeaders {
	var rejected *rejection
	if errors.As(err, &rejected) {
		return rejected.problem()
	}
	return problemBody(h.translate(ctx, err))
}

func (h *Handler) translate(ctx context.Context, err error) *httpx.Error {
	var unknown *orders.UnknownSKUError
	if errors.As(err, &unknown) {
		return unknownSKU(unknown)
	}
	for _, known := range problems {
		if errors.Is(err, known.err) {
			return &known.problem
		}
	}
	if httpx.ClientGone(ctx, err) {
		return httpx.ErrClientGone
	}
	if fault.IsTransient(err) {
		h.cfg.Log.WarnContext(ctx, "request could not be served now", slog.String("error", err.Error()))
		return &httpx.Error{Status: http.StatusServiceUnavailable, Code: "unavailable", Title: "Temporarily unavailable",
			Detail: "A part of the service is away. Try again.", RetryAfter: time.Second}
	}
	problem := httpx.AsError(err)
	if problem.Status == http.StatusInternalServerError {
		h.cfg.Log.ErrorContext(ctx, "request failed", slog.String("error", err.Error()))
	}
	return problem
}

func unknownSKU(unknown *orders.UnknownSKUError) *httpx.Error {
	fields := make([]httpx.FieldError, len(unknown.Items))
	for i, index := range unknown.Items {
		fields[i] = httpx.FieldError{Field: fmt.Sprintf("/items/%d/sku", index), Message: "names no item of the catalogue"}
	}
	return &httpx.Error{Status: http.StatusUnprocessableEntity, Code: "unknown_sku", Title: "Unknown SKU",
		Detail: "Nothing was ordered.", Fields: fields}
}

func (r *rejection) problem() *ordersapi.ProblemStatusCodeWithHeaders {
	known, ok := rejections[orders.Reason(r.order.Reason)]
	if !ok {
		known = httpx.Error{Status: http.StatusConflict, Title: "Order rejected"}
	}
	known.Code = r.order.Reason
	problem := problemBody(&known)
	problem.Response.OrderID = ordersapi.NewOptUUID(uuid.UUID(r.order.ID))
	problem.Response.OrderURL = ordersapi.NewOptString(orderURL(r.order.ID))
	for _, s := range r.order.Shortages {
		problem.Response.Shortages = append(problem.Response.Shortages, ordersapi.Shortage{Sku: s.SKU, Requested: s.Requested, Available: s.Available})
	}
	return problem
}

func problemBody(problem *httpx.Error) *ordersapi.ProblemStatusCodeWithHeaders {
	body := ordersapi.Problem{Type: problem.Type(), Title: problem.Title, Status: problem.Status, Code: problem.Code}
	if problem.Detail != "" {
		body.Detail = ordersapi.NewOptString(problem.Detail)
	}
	for _, field := range problem.Fields {
		body.Errors = append(body.Errors, ordersapi.FieldError{Field: field.Field, Message: field.Message})
	}
	return &ordersapi.ProblemStatusCodeWithHeaders{StatusCode: problem.Status, RetryAfter: retryAfter(problem), Response: body}
}

func retryAfter(problem *httpx.Error) ordersapi.OptString {
	if problem.RetryAfter == 0 {
		return ordersapi.OptString{}
	}
	return ordersapi.NewOptString(httpx.RetryAfter(problem.RetryAfter))
}
