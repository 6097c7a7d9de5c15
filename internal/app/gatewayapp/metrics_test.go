package gatewayapp

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway"
	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/contract"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
)

// TestRefusalsAreMeasured scrapes a gateway that has refused one stranger, and nothing for the other reasons.
func TestRefusalsAreMeasured(t *testing.T) {
	t.Parallel()
	backend := gateway.Backend{URL: "http://localhost:1"}
	g, err := gateway.New(gateway.Config{Orders: backend, Payments: backend, Inventory: backend, KeysJSON: `{"keys":[]}`, AnonymousRateLimit: 1,
		Clock: clock.NewManual(time.Now())})
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	if err := measure(g, registry); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		g.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/v1/orders", nil))
	}
	families, err := registry.Gather()
	if err != nil || len(families) != 1 || families[0].GetName() != "veloz_gateway_refused_total" {
		t.Fatalf("%v, %v", families, err)
	}
	want := map[string]float64{"max_requests": 0, "order_wait": 0, "rate_limit": 1}
	for _, metric := range families[0].GetMetric() {
		reason := metric.GetLabel()[0].GetValue()
		if value, known := want[reason]; !known || metric.GetCounter().GetValue() != value {
			t.Errorf("%s: %v, want %v", reason, metric.GetCounter().GetValue(), value)
		}
		delete(want, reason)
	}
	if len(want) > 0 {
		t.Errorf("%v are not measured", want)
	}
}

// TestRoutes: objectives count what has a route below /v1, and the placing of orders by its own.
func TestRoutes(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/v1/orders": "/v1/orders", "/v1/orders/a": "/v1/orders/{order_id}", "/v1/orders/a/cancel": "/v1/orders/{order_id}",
		"/v1/items/a": "/v1/items", "/v1/nothing": "", "/": "", "/docs": "", "/v1": "",
		"/health": "/health", "/health/ready": "/health", "/healthy": "",
	} {
		if got := route(httptest.NewRequest("GET", path, nil)); got != want {
			t.Errorf("%s has the route %q, want %q", path, got, want)
		}
	}
	loaded, err := contract.Load([]contract.Source{{Service: contract.Orders, Spec: ordersapi.Spec},
		{Service: contract.Payments, Spec: paymentsapi.Spec}, {Service: contract.Inventory, Spec: inventoryapi.Spec}})
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range loaded.Operations {
		if got := route(httptest.NewRequest(op.Method, op.Path, nil)); !strings.HasPrefix(got, "/v1/") {
			t.Errorf("%s %s has the route %q: no objective counts it", op.Method, op.Path, got)
		}
	}
}
