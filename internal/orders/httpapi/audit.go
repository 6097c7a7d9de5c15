package httpapi

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

// auditPage is the contract's default limit, for a caller within the process.
const auditPage = 1000

// AuditOrders implements GET /v1/audit/orders.
func (h *Handler) AuditOrders(ctx context.Context, params ordersapi.AuditOrdersParams) (*ordersapi.AuditOrderPage, error) {
	limit := params.Limit.Or(auditPage)
	// One more than asked for tells where the next page begins.
	states, err := h.service.States(ctx, orders.Range{From: orders.ID(params.From.Or(uuid.Nil)), Before: orders.ID(params.Before.Or(uuid.Nil)), Limit: limit + 1})
	if err != nil {
		return nil, err
	}
	page := &ordersapi.AuditOrderPage{}
	if len(states) > limit {
		page.NextFrom = ordersapi.NewOptUUID(uuid.UUID(states[limit].ID))
		states = states[:limit]
	}
	page.Data = make([]ordersapi.AuditOrder, len(states))
	now := h.cfg.Clock.Now()
	for i := range states {
		page.Data[i] = auditBody(&states[i], now)
	}
	return page, nil
}

func auditBody(s *orders.State, now time.Time) ordersapi.AuditOrder {
	body := ordersapi.AuditOrder{
		ID: uuid.UUID(s.ID), Status: ordersapi.OrderStatus(s.Status), PaymentStatus: ordersapi.PaymentStatus(s.PaymentStatus),
		TotalCents: int64(s.Total), HoldRound: s.HoldRound, Resting: s.Resting(now), Version: s.Version, UpdatedAt: s.UpdatedAt,
		Lines: make([]ordersapi.AuditLine, len(s.Progress.Lines)),
	}
	for i, line := range s.Progress.Lines {
		body.Lines[i] = ordersapi.AuditLine{Sku: line.SKU, Quantity: line.Quantity}
	}
	body.ReleaseDue, body.RefundDue, body.PaidLate = optTrue(s.ReleaseDue), optTrue(s.RefundDue), optTrue(s.PaidLate)
	if !s.NextAttemptAt.IsZero() {
		body.NextAttemptAt = ordersapi.NewOptDateTime(s.NextAttemptAt)
	}
	if s.Pix != nil {
		body.PixExpiresAt = ordersapi.NewOptDateTime(s.Pix.ExpiresAt)
	}
	return body
}

// optTrue leaves out what is false, as it is for nearly every order.
func optTrue(b bool) (o ordersapi.OptBool) {
	if b {
		o.SetTo(true)
	}
	return o
}
