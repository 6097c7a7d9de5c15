// Package inventoryapp composes the inventory service.
package inventoryapp

import (
	"context"
	"fmt"
	"net/http"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory/httpapi"
	inventorypostgres "github.com/pedidos-veloz/pedidos-veloz/internal/inventory/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/lifecycle"
)

var program = process.Program{Name: "servico-estoque", Listen: ":8003", Description: "The inventory service: items, prices, and every unit of stock."}

// Engine is how the service's store is opened.
var Engine = process.Engine[inventory.Store]{
	Embedded: embedded,
	PostgreSQL: func(ctx context.Context, url string, cfg postgres.Config) (inventory.Store, error) {
		return inventorypostgres.Open(ctx, url, cfg)
	},
	PostgresMigrations: inventorypostgres.Migrations,
}

type settings struct {
	config.Service
	config.Database
	process.Storage
}

// Main runs servico-estoque.
func Main(args []string) int {
	var s settings
	return process.Main(program, args, &s, &s.Service, func(ctx context.Context, stack *lifecycle.Stack, rt *process.Runtime) error {
		component, err := Compose(ctx, stack, rt, s.Storage, s.DatabaseURL.Reveal())
		if err != nil {
			return err
		}
		_, err = rt.Serve(stack, s.Service, component.Component)
		return err
	})
}

// Component is the service; Peer is what the orders service calls when both are in one process.
type Component struct {
	process.Component
	Peer    *httpapi.Handler
	Service *inventory.Service
}

// Compose makes the service over the database at url.
func Compose(ctx context.Context, stack *lifecycle.Stack, rt *process.Runtime, cfg process.Storage, url string) (*Component, error) {
	store, err := process.OpenStore(ctx, rt, cfg, url, Engine)
	if err != nil {
		return nil, fmt.Errorf("open inventory's database: %w", err)
	}
	return ComposeOver(stack, rt, store)
}

// ComposeOver makes the service over a store that is open, and is the stack's from now on.
func ComposeOver(stack *lifecycle.Stack, rt *process.Runtime, store inventory.Store) (*Component, error) {
	stack.Defer("inventory's database", func(context.Context) error { return store.Close() })
	service := inventory.New(underFaults(store), rt.Clock, rt.IDs)
	if err := rt.Metrics.Registry().Register(newCollector(service, rt.Clock)); err != nil {
		return nil, fmt.Errorf("register inventory's metrics: %w", err)
	}
	handler, err := httpapi.New(service, rt.Bodies, rt.Log)
	if err != nil {
		return nil, err
	}
	return &Component{
		Component: process.Component{Handler: handler, Route: route(), Checks: []httpx.Check{{Name: "inventory_database", Probe: service.Ready}}},
		Peer:      httpapi.NewHandler(service, rt.Log),
		Service:   service,
	}, nil
}

func route() func(*http.Request) string {
	server := &inventoryapi.Server{}
	return func(r *http.Request) string {
		found, ok := server.FindPath(r.Method, r.URL)
		if !ok {
			return ""
		}
		return found.PathPattern()
	}
}
