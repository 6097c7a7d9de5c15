package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

var (
	notFound = &httpx.Error{Status: http.StatusNotFound, Code: "payment_not_found", Title: "Payment not found",
		Detail: "There is no such payment, or it has no Pix code that can be paid."}
	unavailable = &httpx.Error{Status: http.StatusServiceUnavailable, Code: "unavailable", Title: "Temporarily unavailable",
		Detail: "The outcome may be unknown. Send the same request again; what was done is not done twice.", RetryAfter: time.Second}
	// Without Retry-After, which a client may take for leave to repeat by itself.
	transferUnknown = &httpx.Error{Status: http.StatusServiceUnavailable, Code: unavailable.Code, Title: unavailable.Title,
		Detail: "Whether the transfer came in is unknown. Read the payment before you send it again: each request is a transfer of its own, and a second one is given back."}
)

// errTransfer marks the failure of what is not idempotent.
var errTransfer = errors.New("take in a sandbox transfer")

// NewError implements paymentsapi.Handler: it translates whatever an operation returned, and is the only place that does.
func (h *Handler) NewError(ctx context.Context, err error) *paymentsapi.ProblemStatusCodeWithHeaders {
	problem := h.translate(ctx, err)
	body := paymentsapi.Problem{Type: problem.Type(), Title: problem.Title, Status: problem.Status, Code: problem.Code}
	if problem.Detail != "" {
		body.Detail = paymentsapi.NewOptString(problem.Detail)
	}
	for _, field := range problem.Fields {
		body.Errors = append(body.Errors, paymentsapi.FieldError{Field: field.Field, Message: field.Message})
	}
	answer := &paymentsapi.ProblemStatusCodeWithHeaders{StatusCode: problem.Status, Response: body}
	if problem.RetryAfter > 0 {
		answer.RetryAfter = paymentsapi.NewOptString(httpx.RetryAfter(problem.RetryAfter))
	}
	return answer
}

// translate logs what is not the client's. Neither the service's errors nor the engines' hold tokens or personal data.
func (h *Handler) translate(ctx context.Context, err error) *httpx.Error {
	switch {
	case errors.Is(err, payments.ErrNotFound):
		return notFound
	case httpx.ClientGone(ctx, err):
		if httpx.Caller(ctx) == "" { // a peer, whose patience this was too slow for
			h.cfg.Log.WarnContext(ctx, "request could not be served now", slog.String("error", err.Error()))
		}
		return httpx.ErrClientGone
	case fault.IsTransient(err):
		h.cfg.Log.WarnContext(ctx, "request could not be served now", slog.String("error", err.Error()))
		if errors.Is(err, errTransfer) {
			return transferUnknown
		}
		return unavailable
	}
	problem := httpx.AsError(err)
	if problem.Status == http.StatusInternalServerError {
		h.cfg.Log.ErrorContext(ctx, "request failed", slog.String("error", err.Error()))
	}
	return problem
}

func invalid(fields []httpx.FieldError) error {
	return &httpx.Error{Status: http.StatusBadRequest, Code: httpx.CodeInvalidRequest, Title: "Invalid request",
		Detail: fields[0].Field + " " + fields[0].Message, Fields: fields}
}
