// Package peers reaches inventory and payments for the orders service, by their contracts. A peer is the generated client,
// or, in one process, the other service's handler itself: both have the same methods.
package peers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

// callTimeout bounds one call. A batch takes milliseconds; what takes this long has lost its peer.
const callTimeout = 5 * time.Second

// InventoryPeer is what this package needs of inventoryapi.Client or of inventory's handler.
type InventoryPeer interface {
	HoldStock(ctx context.Context, request *inventoryapi.HoldBatch) (*inventoryapi.HoldResults, error)
	ReleaseStock(ctx context.Context, request *inventoryapi.ReleaseBatch) error
	LookupItems(ctx context.Context, request *inventoryapi.SKUBatch) (*inventoryapi.SKUBatch, error)
}

// Inventory implements orders.Inventory.
type Inventory struct{ peer InventoryPeer }

var _ orders.Inventory = (*Inventory)(nil)

// NewInventory reaches inventory through peer.
func NewInventory(peer InventoryPeer) *Inventory { return &Inventory{peer} }

// Hold implements orders.Inventory.
func (i *Inventory) Hold(ctx context.Context, holds []orders.HoldRequest) ([]orders.HoldResult, error) {
	request := &inventoryapi.HoldBatch{Holds: make([]inventoryapi.Hold, len(holds))}
	for k, hold := range holds {
		request.Holds[k] = holdBody(hold)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := i.peer.HoldStock(ctx, request)
	if err != nil {
		return nil, classify(err)
	}
	if len(answer.Results) != len(holds) {
		return nil, fmt.Errorf("inventory answered %d of %d holds", len(answer.Results), len(holds))
	}
	results := make([]orders.HoldResult, len(holds))
	for k := range answer.Results {
		results[k] = holdResult(&answer.Results[k])
	}
	return results, nil
}

func holdBody(hold orders.HoldRequest) inventoryapi.Hold {
	body := inventoryapi.Hold{OrderID: uuid.UUID(hold.OrderID), Round: hold.Round, Lines: make([]inventoryapi.HoldLine, len(hold.Items))}
	for i, item := range hold.Items {
		body.Lines[i] = inventoryapi.HoldLine{Sku: item.SKU, Quantity: item.Quantity}
	}
	if hold.ExpectedTotal != nil {
		body.ExpectedTotalCents = inventoryapi.NewOptInt64(int64(*hold.ExpectedTotal))
	}
	return body
}

// verdicts translates the contract's verdicts. An item that vanished between look-up and hold is out of stock to an order.
var verdicts = map[inventoryapi.HoldResultVerdict]orders.HoldVerdict{
	inventoryapi.HoldResultVerdictHeld:         orders.HoldHeld,
	inventoryapi.HoldResultVerdictOutOfStock:   orders.HoldOutOfStock,
	inventoryapi.HoldResultVerdictUnknownSku:   orders.HoldOutOfStock,
	inventoryapi.HoldResultVerdictPriceChanged: orders.HoldPriceChanged,
	inventoryapi.HoldResultVerdictReleased:     orders.HoldReleased,
}

func holdResult(body *inventoryapi.HoldResult) orders.HoldResult {
	result := orders.HoldResult{Verdict: verdicts[body.Verdict], Total: money.Cents(body.TotalCents.Or(0))}
	for _, line := range body.Lines {
		result.Items = append(result.Items, orders.Item{SKU: line.Sku, Name: line.Name, Quantity: line.Quantity, UnitPrice: money.Cents(line.UnitPriceCents)})
	}
	for _, s := range body.Shortages {
		result.Shortages = append(result.Shortages, orders.Shortage{SKU: s.Sku, Requested: s.Requested, Available: s.Available})
	}
	return result
}

// Release implements orders.Inventory.
func (i *Inventory) Release(ctx context.Context, releases []orders.ReleaseRequest) error {
	request := &inventoryapi.ReleaseBatch{Releases: make([]inventoryapi.Release, len(releases))}
	for k, release := range releases {
		request.Releases[k] = inventoryapi.Release{OrderID: uuid.UUID(release.OrderID), Round: release.Round, Reason: release.Reason}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return classify(i.peer.ReleaseStock(ctx, request))
}

// Known implements orders.Inventory.
func (i *Inventory) Known(ctx context.Context, skus []string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := i.peer.LookupItems(ctx, &inventoryapi.SKUBatch{Skus: skus})
	if err != nil {
		return nil, classify(err)
	}
	return answer.Skus, nil
}

// statusError is how both generated clients say that the peer answered with a problem.
type statusError interface{ GetStatusCode() int }

// classify tells a peer that refused this batch, which isolating a poisonous order can help, from one that is away or
// overloaded, which only time can.
func classify(err error) error {
	if err == nil {
		return nil
	}
	var answered statusError
	if errors.As(err, &answered) {
		switch answered.GetStatusCode() {
		case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests:
			return fault.Transient(err)
		}
		return err
	}
	var refused interface{ Timeout() bool } // *url.Error and *net.OpError: the network
	if errors.As(err, &refused) {
		return fault.Transient(err)
	}
	return err
}
