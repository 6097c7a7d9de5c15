package httpapi_test

import (
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
)

// TestAuditPagesEndWithAnOrder: 60 orders of two charges do not fit into pages of 101 rows.
func TestAuditPagesEndWithAnOrder(t *testing.T) {
	t.Parallel()
	a := serve(t, true)
	var wishes []paymentsapi.Charge
	for range 60 {
		first, second := wish("card", "tok_approved", 100), wish("card", "tok_declined", 100)
		second.OrderID = first.OrderID
		wishes = append(wishes, first, second)
	}
	a.charge(wishes...)

	params := paymentsapi.AuditChargesParams{Limit: paymentsapi.NewOptInt(101)}
	seen := make(map[string]int)
	for page := range 2 {
		got, err := a.client.AuditCharges(t.Context(), params)
		must(t, err)
		if want := []int{100, 20}[page]; len(got.Data) != want || got.NextFrom.Set != (page == 0) {
			t.Fatalf("page %d has %d rows, want %d; next %+v", page, len(got.Data), want, got.NextFrom)
		}
		for _, c := range got.Data {
			seen[c.OrderID.String()]++
			paid := map[paymentsapi.ChargeStatus]int64{"paid": 100, "declined": 0}[c.Status]
			if c.ReceivedCents != paid || c.Ledger != (paymentsapi.AuditAccounts{ProviderCents: paid, SalesCents: -paid}) {
				t.Errorf("charge %+v", c)
			}
		}
		params.From = got.NextFrom
	}
	for order, n := range seen {
		if n != 2 {
			t.Errorf("order %s came %d times", order, n)
		}
	}
	ledger, err := a.client.AuditLedger(t.Context())
	must(t, err)
	want := paymentsapi.AuditLedger{Accounts: paymentsapi.AuditAccounts{ProviderCents: 6000, SalesCents: -6000}, CapturedCents: 6000, ChargesReceivedCents: 6000}
	if *ledger != want {
		t.Errorf("ledger %+v, want %+v", *ledger, want)
	}
}
