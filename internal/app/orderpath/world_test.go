package orderpath

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/gatewayapp"
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/inventoryapp"
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/ordersapp"
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/paymentsapp"
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway"
	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	inventorymemory "github.com/pedidos-veloz/pedidos-veloz/internal/inventory/memory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/httpapi"
	ordersmemory "github.com/pedidos-veloz/pedidos-veloz/internal/orders/memory"
	paymentsmemory "github.com/pedidos-veloz/pedidos-veloz/internal/payments/memory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/lifecycle"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/telemetry"
)

const (
	sku  = "CAFE-500G"
	body = `{"customer":{"name":"Ana Souza","email":"ana.souza@example.com"},"items":[{"sku":"` + sku + `","quantity":1}],` +
		`"payment":{"method":"card","token":"tok_approved"}}`
)

// edge is the platform in one process, as `veloz up` composes it, over stores in memory.
type edge struct {
	server *httpx.Server
	token  string
	keys   atomic.Uint64
}

// startEdge starts the edge in front of an orders service that answers at once, or of the whole platform.
func startEdge(t testing.TB, whole bool) *edge {
	t.Helper()
	stack, rt := newRuntime(t, "veloz")
	backends := gatewayapp.Backends{Orders: nowhere, Payments: nowhere, Inventory: nowhere}
	if whole {
		backends.Orders = gateway.Backend{Handler: rt.Backend(composeOrders(t, stack, rt))}
	} else {
		backends.Orders = gateway.Backend{Handler: rt.Backend(process.Component{Handler: instantOrders(t, rt)})}
	}
	return serveEdge(t, stack, rt, backends)
}

var nowhere = gateway.Backend{Handler: http.NotFoundHandler()}

func newRuntime(t testing.TB, name string) (*lifecycle.Stack, *process.Runtime) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	tracing, err := telemetry.NewTracing(telemetry.TraceConfig{Service: name, Edge: true, Logger: log, Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	stack := lifecycle.NewStack(log)
	t.Cleanup(func() {
		if err := stack.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return stack, &process.Runtime{Program: process.Program{Name: name}, Log: log, Metrics: telemetry.NewMetrics(name, "test"),
		Tracing: tracing, Clock: clock.System{}, IDs: id.SystemSource()}
}

var common = config.Service{ListenAddress: "127.0.0.1:0"}

func serveEdge(t testing.TB, stack *lifecycle.Stack, rt *process.Runtime, backends gatewayapp.Backends) *edge {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keys.json")
	token, _, err := keys.Create(file, keys.Options{Name: "buyer", Scopes: []keys.Scope{keys.Admin}}, rt.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	server, err := gatewayapp.Serve(stack, rt, common, gatewayapp.Config{RateLimit: 1 << 30}, gatewayapp.Keys{File: file}, backends)
	if err != nil {
		t.Fatal(err)
	}
	return &edge{server: server, token: token}
}

// composeOrders makes the three services over stores in memory, with one item that never runs out.
func composeOrders(t testing.TB, stack *lifecycle.Stack, rt *process.Runtime) process.Component {
	t.Helper()
	stock, err := inventoryapp.ComposeOver(stack, rt, inventorymemory.New())
	if err != nil {
		t.Fatal(err)
	}
	if _, err = stock.Service.PutItem(t.Context(), inventory.Item{SKU: sku, Name: "Café torrado em grãos, 500 g", Price: 3990}); err != nil {
		t.Fatal(err)
	}
	key := sha256.Sum256([]byte(sku))
	if _, err = stock.Service.Adjust(t.Context(), inventory.NewAdjustment{Key: key, Fingerprint: key,
		Adjustment: inventory.Adjustment{SKU: sku, Delta: 1_000_000_000, Reason: "test"}}); err != nil {
		t.Fatal(err)
	}
	charges, err := paymentsapp.ComposeOver(stack, rt, paymentsapp.Config{PixExpiry: time.Hour, MerchantName: "Pedidos Veloz",
		MerchantCity: "Sao Paulo", ChargePatience: time.Second, ProviderTimeout: 10 * time.Second, ProviderCalls: 512}, paymentsmemory.New())
	if err != nil {
		t.Fatal(err)
	}
	component, err := ordersapp.ComposeOver(stack, rt, ordersConfig, ordersmemory.New(), stock.Peer, charges.Peer)
	if err != nil {
		t.Fatal(err)
	}
	return component
}

// ordersConfig is what the program takes by default, but for a lease that outlives any benchmark.
var ordersConfig = ordersapp.Config{MaxInFlight: 8192, Queue: 4096, MaxBatch: 512, Workers: 4, Lease: time.Hour, MaxWait: 10 * time.Second}

// instantOrders is the orders service's HTTP side alone.
func instantOrders(t testing.TB, rt *process.Runtime) http.Handler {
	t.Helper()
	handler, err := httpapi.New(httpapi.Config{MaxWait: 10 * time.Second, Clock: rt.Clock, Log: rt.Log}, instant{ids: rt.IDs, now: rt.Clock.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

// instant answers a placement as if it had been decided.
type instant struct {
	httpapi.Service
	ids *id.Source
	now time.Time
}

// Place implements httpapi.Service.
func (i instant) Place(_ context.Context, request orders.PlaceRequest) (orders.Order, error) {
	order := orders.NewOrder(id.New[orders.Order](i.ids), orders.PaymentID{}, request.Caller, request.Request, i.now)
	order.Status, order.PaymentStatus, order.Total = orders.Confirmed, orders.PaymentPaid, 3990
	return order, nil
}

// request is a placement with a new key, as bytes. The key's place in it is returned for the next ones.
func (e *edge) request() (bytesOf []byte, key []byte) {
	const mark = "00000000000000000000"
	raw := fmt.Appendf(nil, "POST /v1/orders HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nIdempotency-Key: bench-%s\r\n"+
		"User-Agent: bench\r\nAccept: */*\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		e.server.Addr(), e.token, mark, len(body), body)
	at := bytes.Index(raw, []byte(mark))
	return raw, raw[at : at+len(mark)]
}
