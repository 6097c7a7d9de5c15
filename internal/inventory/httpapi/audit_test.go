package httpapi_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
)

// TestAuditPagesEndWithAnOrder: 60 orders of two rounds do not fit into pages of 101 rows.
func TestAuditPagesEndWithAnOrder(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.put("a", 1000)
	var batch inventoryapi.HoldBatch
	for range 60 {
		order, err := uuid.NewV7()
		if err != nil {
			t.Fatal(err)
		}
		for round := 1; round <= 2; round++ {
			batch.Holds = append(batch.Holds, inventoryapi.Hold{OrderID: order, Round: round, Lines: []inventoryapi.HoldLine{{Sku: "a", Quantity: int64(round)}}})
		}
	}
	if _, err := a.client.HoldStock(t.Context(), &batch); err != nil {
		t.Fatal(err)
	}
	release := inventoryapi.Release{OrderID: batch.Holds[0].OrderID, Round: 1}
	if err := a.client.ReleaseStock(t.Context(), &inventoryapi.ReleaseBatch{Releases: []inventoryapi.Release{release}}); err != nil {
		t.Fatal(err)
	}

	params := inventoryapi.AuditHoldsParams{Limit: inventoryapi.NewOptInt(101), Before: inventoryapi.NewOptUUID(batch.Holds[118].OrderID)}
	first, err := a.client.AuditHolds(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, len(first.Data), 100)
	wantEqual(t, first.NextFrom, inventoryapi.NewOptUUID(batch.Holds[100].OrderID))
	wantEqual(t, first.Data[:2], []inventoryapi.AuditHold{
		{OrderID: batch.Holds[0].OrderID, Round: 1, Released: true, Lines: []inventoryapi.AuditLine{{Sku: "a", Quantity: 1}}, TotalCents: 1000},
		{OrderID: batch.Holds[0].OrderID, Round: 2, Lines: []inventoryapi.AuditLine{{Sku: "a", Quantity: 2}}, TotalCents: 2000},
	})
	params.From = first.NextFrom
	last, err := a.direct.AuditHolds(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, len(last.Data), 18)
	wantEqual(t, last.NextFrom, inventoryapi.OptUUID{})
	stock, err := a.client.AuditStock(t.Context())
	if err != nil || len(stock.Imbalances) != 0 {
		t.Errorf("imbalances %+v, %v", stock, err)
	}
	a.want(a.send("GET", "/v1/audit/holds?limit=100", ""), 400, "invalid_request")
	a.want(a.send("GET", "/v1/audit/holds?from=x", ""), 400, "invalid_request")
}
