package httpapi

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
)

// auditPage is the contract's default limit, for a caller within the process.
const auditPage = 1000

// AuditCharges implements GET /v1/audit/charges. A page ends with an order's last charge: the smallest page has room for
// more charges than an order ever gets.
func (h *Handler) AuditCharges(ctx context.Context, params paymentsapi.AuditChargesParams) (*paymentsapi.AuditChargePage, error) {
	limit := params.Limit.Or(auditPage)
	books, err := h.service.Books(ctx, payments.Range{From: payments.OrderID(params.From.Or(uuid.Nil)),
		Before: payments.OrderID(params.Before.Or(uuid.Nil)), Limit: limit + 1})
	if err != nil {
		return nil, err
	}
	page := &paymentsapi.AuditChargePage{}
	if len(books) > limit {
		cut := books[limit].OrderID
		if books[0].OrderID == cut {
			return nil, fmt.Errorf("order %s has more than %d charges", cut, limit)
		}
		page.NextFrom = paymentsapi.NewOptUUID(uuid.UUID(cut))
		for books[len(books)-1].OrderID == cut {
			books = books[:len(books)-1]
		}
	}
	page.Data = make([]paymentsapi.AuditCharge, len(books))
	for i := range books {
		b := &books[i]
		page.Data[i] = paymentsapi.AuditCharge{ID: uuid.UUID(b.ID), OrderID: uuid.UUID(b.OrderID), Status: paymentsapi.ChargeStatus(b.Status),
			AmountCents: int64(b.Amount), ReceivedCents: int64(b.Received), RefundedCents: int64(b.Refunded), Ledger: accountsBody(b.Ledger)}
		if since := b.EndingSince(); !since.IsZero() {
			page.Data[i].EndingSince = paymentsapi.NewOptDateTime(since)
		}
	}
	return page, nil
}

// AuditLedger implements GET /v1/audit/ledger.
func (h *Handler) AuditLedger(ctx context.Context) (*paymentsapi.AuditLedger, error) {
	b, err := h.service.Balance(ctx)
	if err != nil {
		return nil, err
	}
	return &paymentsapi.AuditLedger{Accounts: accountsBody(b.Ledger), CapturedCents: int64(b.Totals.Captured), RefundedCents: int64(b.Totals.Refunded),
		SurplusCents: int64(b.Totals.Surplus), ChargesReceivedCents: int64(b.Received), ChargesRefundedCents: int64(b.Refunded)}, nil
}

func accountsBody(b payments.Balances) paymentsapi.AuditAccounts {
	return paymentsapi.AuditAccounts{ProviderCents: int64(b.AtProvider), SalesCents: int64(b.Sales), SurplusCents: int64(b.CustomerSurplus)}
}
