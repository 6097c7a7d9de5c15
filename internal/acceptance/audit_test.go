package acceptance_test

import (
	"net/http"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/audit"
	"github.com/pedidos-veloz/pedidos-veloz/internal/audit/services"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
)

// Do implements the generated clients' HTTP client, with the key of the test.
func (a *api) Do(r *http.Request) (*http.Response, error) {
	r.Header.Set("Authorization", "Bearer "+a.token)
	return a.system.client.Do(r)
}

// wantAudited says that orders, stock and money agree, of the youngest order too.
func (a *api) wantAudited() {
	a.Helper()
	url := a.system.gateway.URL()
	orders, err := ordersapi.NewClient(url, ordersapi.WithClient(a))
	if err != nil {
		a.Fatal(err)
	}
	inventory, err := inventoryapi.NewClient(url, inventoryapi.WithClient(a))
	if err != nil {
		a.Fatal(err)
	}
	payments, err := paymentsapi.NewClient(url, paymentsapi.WithClient(a))
	if err != nil {
		a.Fatal(err)
	}
	report, err := audit.Run(a.Context(), audit.Config{Source: services.New(orders, inventory, payments, clock.System{}), Clock: clock.System{}, Patience: time.Second})
	if err != nil {
		a.Fatalf("audit: %v", err)
	}
	for _, f := range report.Findings {
		a.Errorf("audit: %s: %s", f.Kind, f.Text)
	}
	if report.Orders == 0 {
		a.Error("the audit saw no order")
	}
	a.Logf("audited %d orders, %d holds and %d charges; %d were read again", report.Orders, report.Holds, report.Charges, report.Reread)
}
