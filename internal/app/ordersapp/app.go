// Package ordersapp composes the orders service.
package ordersapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/audit/services"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/httpapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/peers"
	orderspostgres "github.com/pedidos-veloz/pedidos-veloz/internal/orders/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/lifecycle"
)

var program = process.Program{Name: "servico-pedidos", Listen: ":8001", Description: "The orders service: takes orders and drives each one to a terminal state."}

// Engine is how the service's store is opened.
var Engine = process.Engine[orders.Store]{
	Embedded: embedded,
	PostgreSQL: func(ctx context.Context, url string, cfg postgres.Config) (orders.Store, error) {
		return orderspostgres.Open(ctx, url, cfg)
	},
	PostgresMigrations: orderspostgres.Migrations,
}

// Config are the settings of the service.
type Config struct {
	MaxInFlight int           `name:"max-in-flight-orders" env:"VELOZ_MAX_IN_FLIGHT_ORDERS" default:"8192" help:"Orders under way in this process; more are answered 503."`
	Queue       int           `name:"order-queue" env:"VELOZ_ORDER_QUEUE" default:"4096" help:"Orders that may wait to be stored; more are answered 503."`
	MaxBatch    int           `name:"max-batch" env:"VELOZ_MAX_BATCH" default:"512" help:"Orders in one transaction, at most 1000."`
	Workers     int           `name:"charge-workers" env:"VELOZ_CHARGE_WORKERS" default:"4" help:"Batches of expiries, of undone orders and, when a payment provider is slow, of charges under way at once."`
	Lease       time.Duration `name:"order-lease" env:"VELOZ_ORDER_LEASE" default:"10s" help:"How long a crashed process's orders wait for another one."`
	AuditEvery  time.Duration `name:"audit-every" env:"VELOZ_AUDIT_EVERY" default:"15m" help:"Time between two comparisons of orders, stock and money in the background; 0s: never."`
	MaxWait     time.Duration `name:"max-wait" env:"VELOZ_MAX_WAIT" default:"10s" help:"How long a caller waits for its order to be decided; then the answer is 202."`
}

// Validate is called when the settings are read, so that --check-config and a start refuse the same ones.
func (c Config) Validate() error {
	if c.AuditEvery != 0 && c.AuditEvery < time.Second {
		return errors.New("--audit-every must be at least 1s, or 0s for never")
	}
	return errors.Join(
		config.AtLeast("max-in-flight-orders", c.MaxInFlight, 1),
		config.AtLeast("order-queue", c.Queue, 1),
		config.Between("max-batch", c.MaxBatch, 1, 1000),
		config.AtLeast("charge-workers", c.Workers, 1),
		config.AtLeast("order-lease", c.Lease, time.Second),
		config.AtLeast("max-wait", c.MaxWait, 0),
	)
}

// InventoryPeer is the inventory service, as orders and as an audit use it.
type InventoryPeer interface {
	peers.InventoryPeer
	services.InventoryService
}

// PaymentsPeer is the payments service, as orders and as an audit use it.
type PaymentsPeer interface {
	peers.PaymentsPeer
	services.PaymentsService
}

type settings struct {
	config.Service
	config.Database
	config.InventoryPeer
	config.PaymentsPeer
	process.Storage
	Config
}

// Main runs servico-pedidos.
func Main(args []string) int {
	var s settings
	return process.Main(program, args, &s, &s.Service, func(ctx context.Context, stack *lifecycle.Stack, rt *process.Runtime) error {
		inventory, payments, err := remotePeers(rt, string(s.InventoryURL), string(s.PaymentsURL))
		if err != nil {
			return err
		}
		component, err := Compose(ctx, stack, rt, s.Storage, s.Config, s.DatabaseURL.Reveal(), inventory, payments)
		if err != nil {
			return err
		}
		_, err = rt.Serve(stack, s.Service, component)
		return err
	})
}

func remotePeers(rt *process.Runtime, inventoryURL, paymentsURL string) (InventoryPeer, PaymentsPeer, error) {
	client := func(peer string) *http.Client {
		return &http.Client{
			Transport: rt.Tracing.Transport(peer, httpx.Forward(httpx.Transport(httpx.TransportConfig{}))),
			// No peer redirects. Who stands in for one must not be able to send orders on to somewhere else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	inventory, err := inventoryapi.NewClient(inventoryURL, inventoryapi.WithClient(client("estoque")))
	if err != nil {
		return nil, nil, fmt.Errorf("make client of inventory: %w", err)
	}
	payments, err := paymentsapi.NewClient(paymentsURL, paymentsapi.WithClient(client("pagamentos")))
	if err != nil {
		return nil, nil, fmt.Errorf("make client of payments: %w", err)
	}
	return inventory, payments, nil
}

// Compose makes the service over the database at url and its two peers.
func Compose(ctx context.Context, stack *lifecycle.Stack, rt *process.Runtime, db process.Storage, cfg Config, url string,
	inventory InventoryPeer, payments PaymentsPeer,
) (process.Component, error) {
	store, err := process.OpenStore(ctx, rt, db, url, Engine)
	if err != nil {
		return process.Component{}, fmt.Errorf("open orders' database: %w", err)
	}
	return ComposeOver(stack, rt, cfg, store, inventory, payments)
}

// ComposeOver makes the service over a store that is open, and is the stack's from now on.
func ComposeOver(stack *lifecycle.Stack, rt *process.Runtime, cfg Config, store orders.Store,
	inventory InventoryPeer, payments PaymentsPeer,
) (process.Component, error) {
	stack.Defer("orders' database", func(context.Context) error { return store.Close() })
	metrics := newMetrics(rt.Metrics.Registry())
	var traces orders.Traces
	if rt.Tracing.Enabled() {
		traces = rt.Tracing
	}
	service, err := orders.New(orders.Config{
		MaxInFlight: cfg.MaxInFlight, Queue: cfg.Queue, MaxBatch: cfg.MaxBatch, ChargeWorkers: cfg.Workers, Lease: cfg.Lease,
		Observer: rt.Metrics, OnEvents: metrics.count, Traces: traces,
	}, underFaults(store), peers.GatherLookups(peers.NewInventory(inventory)), peers.NewPayments(payments), rt.Clock, rt.IDs, rt.Log)
	if err != nil {
		return process.Component{}, err
	}
	if err := rt.Metrics.Registry().Register(newCollector(service)); err != nil {
		return process.Component{}, fmt.Errorf("register orders' metrics: %w", err)
	}
	startLoops(stack, rt, service)
	api := httpapi.Config{MaxWait: cfg.MaxWait, Bodies: rt.Bodies, Clock: rt.Clock, Log: rt.Log}
	source := services.New(httpapi.NewHandler(api, service), inventory, payments, rt.Clock)
	if err := startAudits(stack, rt, cfg.AuditEvery, source); err != nil {
		return process.Component{}, err
	}
	handler, err := httpapi.New(api, service)
	if err != nil {
		return process.Component{}, err
	}
	return process.Component{Handler: handler, Route: route(), Frames: true, Checks: []httpx.Check{{Name: "orders_database", Probe: service.Ready}}}, nil
}

// startLoops registers on the stack so that it undoes in this order: the loops that take orders up, what is under way, the stages.
func startLoops(stack *lifecycle.Stack, rt *process.Runtime, service *orders.Service) {
	stack.Go("order stages", service.Run)
	stack.Defer("orders under way", service.Drain)
	for _, loop := range []*lifecycle.Loop{
		{Name: "recover orders", Interval: 250 * time.Millisecond, Step: service.Recover, Logger: rt.Log},
		{Name: "follow payments", Interval: 250 * time.Millisecond, Step: service.FollowPayments, Logger: rt.Log},
	} {
		stack.Go(loop.Name, loop.Run)
	}
}

func route() func(*http.Request) string {
	server := &ordersapi.Server{}
	return func(r *http.Request) string {
		found, ok := server.FindPath(r.Method, r.URL)
		if !ok {
			return ""
		}
		return found.PathPattern()
	}
}
