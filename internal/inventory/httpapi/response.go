package httpapi

import (
	"github.com/google/uuid"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
)

func itemBody(item inventory.Item) *inventoryapi.Item {
	return &inventoryapi.Item{
		Sku: string(item.SKU), Name: item.Name, PriceCents: int64(item.Price), LowStockThreshold: item.LowStockThreshold,
		OnHand: item.OnHand, Held: item.Held, Available: item.Available(), CreatedAt: item.CreatedAt, UpdatedAt: item.UpdatedAt,
	}
}

func movementBody(m inventory.Movement) inventoryapi.Movement {
	body := inventoryapi.Movement{
		ID: uuid.UUID(m.ID), Kind: inventoryapi.MovementKind(m.Kind), OnHandDelta: m.OnHandDelta, HeldDelta: m.HeldDelta,
		OnHandAfter: m.OnHandAfter, HeldAfter: m.HeldAfter, At: m.At,
	}
	if !m.OrderID.IsZero() {
		body.OrderID = inventoryapi.NewOptUUID(uuid.UUID(m.OrderID))
	}
	if m.Reason != "" {
		body.Reason = inventoryapi.NewOptString(m.Reason)
	}
	return body
}

func adjustmentBody(a inventory.Adjustment) *inventoryapi.StockAdjustment {
	return &inventoryapi.StockAdjustment{
		ID: uuid.UUID(a.ID), Sku: string(a.SKU), Delta: a.Delta, Reason: a.Reason, OnHand: a.OnHand, CreatedAt: a.CreatedAt,
	}
}

// holdResults translates a batch with two allocations, besides the shortages of those that were refused.
func holdResults(results []inventory.HoldResult) []inventoryapi.HoldResult {
	n := 0
	for i := range results {
		n += len(results[i].Lines)
	}
	bodies, lines := make([]inventoryapi.HoldResult, len(results)), make([]inventoryapi.PricedLine, 0, n)
	for i := range results {
		r := &results[i]
		first := len(lines)
		for _, line := range r.Lines {
			lines = append(lines, inventoryapi.PricedLine{
				Sku: string(line.SKU), Name: line.Name, Quantity: line.Quantity, UnitPriceCents: int64(line.UnitPrice),
			})
		}
		bodies[i] = inventoryapi.HoldResult{Verdict: inventoryapi.HoldResultVerdict(r.Verdict), Shortages: shortages(r.Shortages)}
		if len(r.Lines) > 0 {
			bodies[i].Lines = lines[first:len(lines):len(lines)]
			bodies[i].TotalCents = inventoryapi.NewOptInt64(int64(r.Total))
		}
	}
	return bodies
}

func shortages(missing []inventory.Shortage) []inventoryapi.Shortage {
	if len(missing) == 0 {
		return nil
	}
	bodies := make([]inventoryapi.Shortage, len(missing))
	for i, s := range missing {
		bodies[i] = inventoryapi.Shortage{Sku: string(s.SKU), Requested: s.Requested, Available: s.Available}
	}
	return bodies
}
