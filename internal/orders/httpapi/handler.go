// Package httpapi serves the orders contract (api/ordersapi) over orders.Service.
package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/cardnumber"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// Config shapes the handler. Every field but Bodies is required.
type Config struct {
	// MaxWait bounds how long a caller waits for its order to be decided; then it gets 202.
	MaxWait time.Duration
	// Bodies bounds requests; zero fields stand for httpx's defaults.
	Bodies httpx.BodyLimits
	Clock  clock.Clock
	Log    *slog.Logger
}

// Service is what the handler needs of orders.Service.
type Service interface {
	Place(ctx context.Context, request orders.PlaceRequest) (orders.Order, error)
	Cancel(ctx context.Context, order orders.ID, reason string, until time.Time) (orders.Order, error)
	Get(ctx context.Context, order orders.ID) (orders.Order, error)
	List(ctx context.Context, filter orders.Filter) ([]orders.Order, error)
	Events(ctx context.Context, order orders.ID) ([]orders.Event, error)
	States(ctx context.Context, in orders.Range) ([]orders.State, error)
}

// Handler implements ordersapi.Handler.
type Handler struct {
	cfg     Config
	service Service
}

var _ ordersapi.Handler = (*Handler)(nil)

// NewHandler makes the operations without HTTP around them.
func NewHandler(cfg Config, service Service) *Handler { return &Handler{cfg, service} }

// New makes the service's HTTP handler: identity and strict bodies, then the generated server, whose refusals the contract explains.
func New(cfg Config, service Service) (http.Handler, error) {
	contract := httpx.NewContract(ordersapi.Spec)
	h := NewHandler(cfg, service)
	server, err := ordersapi.NewServer(h,
		ordersapi.WithErrorHandler(contract.ErrorHandler),
		ordersapi.WithMiddleware(httpx.KnownQuery),
		ordersapi.WithNotFound(httpx.NotFound),
		ordersapi.WithMethodNotAllowed(httpx.MethodNotAllowed))
	if err != nil {
		return nil, fmt.Errorf("make orders server: %w", err)
	}
	return httpx.Identify(httpx.StrictBody(cfg.Bodies)(lane{h, server})), nil
}

// PlaceOrder implements POST /v1/orders.
func (h *Handler) PlaceOrder(ctx context.Context, body *ordersapi.NewOrder, params ordersapi.PlaceOrderParams) (ordersapi.PlaceOrderRes, error) {
	request, err := newRequest(body)
	if err != nil {
		return nil, err
	}
	caller := httpx.Caller(ctx)
	preference := parsePrefer(params.Prefer.Or(""), h.cfg.MaxWait)
	order, err := h.service.Place(ctx, orders.PlaceRequest{
		Caller: caller, Key: idempotencyKey(caller, params.IdempotencyKey), Fingerprint: fingerprintOf(request),
		Request: request, Async: preference.async, WaitUntil: h.cfg.Clock.Now().Add(preference.wait),
	})
	if err != nil {
		return nil, err
	}
	if preference.async {
		return accepted(order), nil
	}
	return placed(order)
}

// accepted is the answer of an order that is durable, whatever becomes of it: read it at Location.
func accepted(order orders.Order) *ordersapi.PlaceOrderAccepted {
	return &ordersapi.PlaceOrderAccepted{Location: ordersapi.NewOptString(orderURL(order.ID)), Response: orderBody(&order)}
}

// placed chooses the answer by how the order stands. A repeated request comes here too, so it gets the same answer.
func placed(order orders.Order) (ordersapi.PlaceOrderRes, error) {
	switch order.Status {
	case orders.Rejected:
		return nil, &rejection{order}
	case orders.Placed, orders.Held:
		return accepted(order), nil
	default:
		return &ordersapi.PlaceOrderCreated{Location: ordersapi.NewOptString(orderURL(order.ID)), Response: orderBody(&order)}, nil
	}
}

// CancelOrder implements POST /v1/orders/{order_id}/cancel.
func (h *Handler) CancelOrder(ctx context.Context, body *ordersapi.Cancellation, params ordersapi.CancelOrderParams) (ordersapi.CancelOrderRes, error) {
	if cardnumber.In(body.Reason) {
		return nil, invalid(looksLikeCard("/reason"))
	}
	if message := httpx.CheckText(body.Reason); message != "" {
		return nil, invalid(httpx.FieldError{Field: "/reason", Message: message})
	}
	order, err := h.service.Cancel(ctx, orders.ID(params.OrderID), body.Reason, h.cfg.Clock.Now().Add(h.cfg.MaxWait))
	if err != nil {
		return nil, err
	}
	if !order.Terminal() {
		return &ordersapi.OrderHeaders{Location: ordersapi.NewOptString(orderURL(order.ID)), Response: orderBody(&order)}, nil
	}
	found := orderBody(&order)
	return &found, nil
}

// GetOrder implements GET /v1/orders/{order_id}.
func (h *Handler) GetOrder(ctx context.Context, params ordersapi.GetOrderParams) (*ordersapi.Order, error) {
	order, err := h.service.Get(ctx, orders.ID(params.OrderID))
	if err != nil {
		return nil, err
	}
	found := orderBody(&order)
	return &found, nil
}

// ListOrders implements GET /v1/orders.
func (h *Handler) ListOrders(ctx context.Context, params ordersapi.ListOrdersParams) (*ordersapi.OrderPage, error) {
	filter, err := newFilter(params)
	if err != nil {
		return nil, err
	}
	limit := filter.Limit
	filter.Limit++ // one more tells whether there is a next page
	found, err := h.service.List(ctx, filter)
	if err != nil {
		return nil, err
	}
	page := &ordersapi.OrderPage{Data: make([]ordersapi.Order, 0, min(limit, len(found)))}
	for _, order := range found[:min(limit, len(found))] {
		page.Data = append(page.Data, orderBody(&order))
	}
	if len(found) > limit {
		page.NextCursor = ordersapi.NewOptString(encodeCursor(found[limit-1].ID))
	}
	return page, nil
}

// ListOrderEvents implements GET /v1/orders/{order_id}/events.
func (h *Handler) ListOrderEvents(ctx context.Context, params ordersapi.ListOrderEventsParams) (*ordersapi.OrderEvents, error) {
	events, err := h.service.Events(ctx, orders.ID(params.OrderID))
	if err != nil {
		return nil, err
	}
	timeline := &ordersapi.OrderEvents{Data: make([]ordersapi.OrderEvent, len(events))}
	for i, event := range events {
		timeline.Data[i] = eventBody(event)
	}
	return timeline, nil
}
