package httpapi

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
)

const (
	// auditPage is the contract's default limit, for a caller within the process.
	auditPage     = 1000
	maxImbalances = 1000
)

// AuditHolds implements GET /v1/audit/holds. A page ends with an order's last round: the smallest page has room for more
// rounds than an order may have.
func (h *Handler) AuditHolds(ctx context.Context, params inventoryapi.AuditHoldsParams) (*inventoryapi.AuditHoldPage, error) {
	limit := params.Limit.Or(auditPage)
	rounds, err := h.service.Rounds(ctx, inventory.Range{From: inventory.OrderID(params.From.Or(uuid.Nil)),
		Before: inventory.OrderID(params.Before.Or(uuid.Nil)), Limit: limit + 1})
	if err != nil {
		return nil, err
	}
	page := &inventoryapi.AuditHoldPage{}
	if len(rounds) > limit {
		cut := rounds[limit].OrderID
		if rounds[0].OrderID == cut {
			return nil, fmt.Errorf("order %s has more than %d rounds", cut, limit)
		}
		page.NextFrom = inventoryapi.NewOptUUID(uuid.UUID(cut))
		for rounds[len(rounds)-1].OrderID == cut {
			rounds = rounds[:len(rounds)-1]
		}
	}
	page.Data = make([]inventoryapi.AuditHold, len(rounds))
	for i := range rounds {
		page.Data[i] = auditBody(&rounds[i])
	}
	return page, nil
}

func auditBody(s *inventory.HoldState) inventoryapi.AuditHold {
	total, _ := inventory.Total(s.Lines) // it was checked when it was held
	body := inventoryapi.AuditHold{OrderID: uuid.UUID(s.OrderID), Round: s.Round, Released: s.Released,
		Lines: make([]inventoryapi.AuditLine, len(s.Lines)), TotalCents: int64(total)}
	for i, line := range s.Lines {
		body.Lines[i] = inventoryapi.AuditLine{Sku: string(line.SKU), Quantity: line.Quantity}
	}
	return body
}

// AuditStock implements GET /v1/audit/stock.
func (h *Handler) AuditStock(ctx context.Context) (*inventoryapi.AuditStock, error) {
	found, err := h.service.Imbalances(ctx, maxImbalances)
	if err != nil {
		return nil, err
	}
	body := &inventoryapi.AuditStock{Imbalances: make([]inventoryapi.AuditImbalance, len(found))}
	for i, f := range found {
		body.Imbalances[i] = inventoryapi.AuditImbalance{Sku: string(f.SKU), OnHand: f.OnHand, Held: f.Held,
			MovedOnHand: f.MovedOnHand, MovedHeld: f.MovedHeld, OrdersHold: f.OrdersHold}
	}
	return body, nil
}
