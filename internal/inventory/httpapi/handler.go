// Package httpapi serves the inventory contract (api/inventoryapi) over inventory.Service.
package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// Handler implements inventoryapi.Handler. In one process it also stands in for the generated client, whose methods have
// the same signatures: its errors are then those of inventory.Service, and requests are trusted to follow the contract.
type Handler struct {
	service *inventory.Service
	log     *slog.Logger
}

var _ inventoryapi.Handler = (*Handler)(nil)

// NewHandler makes the operations without HTTP around them.
func NewHandler(service *inventory.Service, log *slog.Logger) *Handler { return &Handler{service, log} }

// New makes the service's HTTP handler: identity and strict bodies, then the generated server, whose refusals the contract explains.
func New(service *inventory.Service, bodies httpx.BodyLimits, log *slog.Logger) (http.Handler, error) {
	contract := httpx.NewContract(inventoryapi.Spec)
	server, err := inventoryapi.NewServer(NewHandler(service, log),
		inventoryapi.WithErrorHandler(contract.ErrorHandler),
		inventoryapi.WithMiddleware(httpx.KnownQuery),
		inventoryapi.WithNotFound(httpx.NotFound),
		inventoryapi.WithMethodNotAllowed(httpx.MethodNotAllowed))
	if err != nil {
		return nil, fmt.Errorf("make inventory server: %w", err)
	}
	return httpx.Identify(httpx.StrictBody(bodies)(server)), nil
}

// PutItem implements PUT /v1/items/{sku}.
func (h *Handler) PutItem(ctx context.Context, body *inventoryapi.ItemInput, params inventoryapi.PutItemParams) (*inventoryapi.Item, error) {
	if err := checkText("/name", body.Name); err != nil {
		return nil, err
	}
	item, err := h.service.PutItem(ctx, inventory.Item{
		SKU: inventory.SKU(params.Sku), Name: body.Name, Price: money.Cents(body.PriceCents), LowStockThreshold: body.LowStockThreshold.Or(0),
	})
	if err != nil {
		return nil, err
	}
	return itemBody(item), nil
}

// GetItem implements GET /v1/items/{sku}.
func (h *Handler) GetItem(ctx context.Context, params inventoryapi.GetItemParams) (*inventoryapi.Item, error) {
	item, err := h.service.Item(ctx, inventory.SKU(params.Sku))
	if err != nil {
		return nil, err
	}
	return itemBody(item), nil
}

// ListItems implements GET /v1/items.
func (h *Handler) ListItems(ctx context.Context, params inventoryapi.ListItemsParams) (*inventoryapi.ItemPage, error) {
	after, err := decodeItemCursor(params.Cursor)
	if err != nil {
		return nil, err
	}
	items, next, err := h.service.ListItems(ctx, inventory.ItemFilter{After: after, LowStock: params.LowStock.Or(false), Limit: params.Limit.Or(defaultLimit)})
	if err != nil {
		return nil, err
	}
	page := &inventoryapi.ItemPage{Data: make([]inventoryapi.Item, len(items))}
	for i, item := range items {
		page.Data[i] = *itemBody(item)
	}
	if next != "" {
		page.NextCursor = encodeCursor([]byte(next))
	}
	return page, nil
}

// ListMovements implements GET /v1/items/{sku}/movements.
func (h *Handler) ListMovements(ctx context.Context, params inventoryapi.ListMovementsParams) (*inventoryapi.MovementPage, error) {
	before, err := decodeMovementCursor(params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := params.Limit.Or(defaultLimit)
	movements, err := h.service.ListMovements(ctx, inventory.MovementFilter{SKU: inventory.SKU(params.Sku), Before: before, Limit: limit + 1})
	if err != nil {
		return nil, err
	}
	page := &inventoryapi.MovementPage{Data: make([]inventoryapi.Movement, 0, min(limit, len(movements)))}
	for _, m := range movements[:min(limit, len(movements))] {
		page.Data = append(page.Data, movementBody(m))
	}
	if len(movements) > limit {
		page.NextCursor = encodeCursor(movements[limit-1].ID[:])
	}
	return page, nil
}

// AdjustStock implements POST /v1/stock-adjustments.
func (h *Handler) AdjustStock(ctx context.Context, body *inventoryapi.NewStockAdjustment, params inventoryapi.AdjustStockParams) (*inventoryapi.StockAdjustment, error) {
	if body.Delta == 0 {
		return nil, invalid("/delta", "must not be 0")
	}
	if err := checkText("/reason", body.Reason); err != nil {
		return nil, err
	}
	made, err := h.service.Adjust(ctx, inventory.NewAdjustment{
		Adjustment:  inventory.Adjustment{SKU: inventory.SKU(body.Sku), Delta: body.Delta, Reason: body.Reason},
		Key:         idempotencyKey(httpx.Caller(ctx), params.IdempotencyKey),
		Fingerprint: fingerprint(body),
	})
	if err != nil {
		return nil, err
	}
	return adjustmentBody(made), nil
}

// HoldStock implements POST /internal/v1/holds.
func (h *Handler) HoldStock(ctx context.Context, body *inventoryapi.HoldBatch) (*inventoryapi.HoldResults, error) {
	holds, err := newHolds(body.Holds)
	if err != nil {
		return nil, err
	}
	results, err := h.service.Hold(ctx, holds)
	if err != nil {
		return nil, err
	}
	return &inventoryapi.HoldResults{Results: holdResults(results)}, nil
}

// ReleaseStock implements POST /internal/v1/releases.
func (h *Handler) ReleaseStock(ctx context.Context, body *inventoryapi.ReleaseBatch) error {
	releases := make([]inventory.Release, len(body.Releases))
	for i, r := range body.Releases {
		if err := checkOrder("releases", i, r.OrderID); err != nil {
			return err
		}
		releases[i] = inventory.Release{OrderID: inventory.OrderID(r.OrderID), Round: r.Round, Reason: r.Reason}
	}
	return h.service.Release(ctx, releases)
}

// LookupItems implements POST /internal/v1/item-lookups.
func (h *Handler) LookupItems(ctx context.Context, body *inventoryapi.SKUBatch) (*inventoryapi.SKUBatch, error) {
	skus := make([]inventory.SKU, len(body.Skus))
	for i, sku := range body.Skus {
		skus[i] = inventory.SKU(sku)
	}
	known, err := h.service.Known(ctx, skus)
	if err != nil {
		return nil, err
	}
	found := &inventoryapi.SKUBatch{Skus: make([]string, len(known))}
	for i, sku := range known {
		found.Skus[i] = string(sku)
	}
	return found, nil
}
