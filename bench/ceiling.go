package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/inventoryapp"
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/ordersapp"
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/paymentsapp"
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	inventoryapi "github.com/pedidos-veloz/pedidos-veloz/internal/inventory/httpapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/load"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/peers"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	paymentsapi "github.com/pedidos-veloz/pedidos-veloz/internal/payments/httpapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/providers/sandbox"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// pipeline is the three services in this process, without HTTP and without the loops that only recovery needs.
type pipeline struct {
	inventory *inventory.Service
	orders    *orders.Service
	skus      int
	undo      []func()
	placed    atomic.Uint64
}

// startPipeline starts a ceiling, over SQLite or PostgreSQL.
func startPipeline(ctx context.Context, s *shape, _ workload) (*instance, error) {
	p := &pipeline{skus: s.bench.skus}
	at := &instance{pipeline: p}
	urls := map[string]string{}
	for _, service := range []string{"inventory", "payments", "orders"} {
		urls[service] = "sqlite://" + filepath.Join(s.bench.dir, "ceiling-"+service+".db")
		if s.plan.postgres {
			url, err := s.bench.postgres.CreateDatabase(ctx, "ceiling_"+service)
			if err != nil {
				return at, err
			}
			urls[service] = url
		}
	}
	if err := p.compose(ctx, urls); err != nil {
		return at, err
	}
	return at, p.stockUp(ctx)
}

func (p *pipeline) compose(ctx context.Context, urls map[string]string) error {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	system, ids := clock.System{}, id.SystemSource()
	inventoryStore, err := openStore(ctx, p, urls["inventory"], inventoryapp.Engine)
	if err != nil {
		return err
	}
	paymentsStore, err := openStore(ctx, p, urls["payments"], paymentsapp.Engine)
	if err != nil {
		return err
	}
	ordersStore, err := openStore(ctx, p, urls["orders"], ordersapp.Engine)
	if err != nil {
		return err
	}
	p.inventory = inventory.New(inventoryStore, system, ids)
	provider, err := sandbox.New(sandbox.Config{MerchantName: "Pedidos Veloz", MerchantCity: "Sao Paulo", Clock: system})
	if err != nil {
		return err
	}
	// The settings are the programs' defaults.
	charges, err := payments.New(payments.Config{Patience: 50 * time.Millisecond, ProviderTimeout: 10 * time.Second, MaxCalls: 512}, paymentsStore, provider, system, log)
	if err != nil {
		return err
	}
	chargesPeer, err := paymentsapi.NewHandler(charges, paymentsapi.Config{Log: log, Sandbox: true, Clock: system, Rand: rand.Reader})
	if err != nil {
		return err
	}
	p.orders, err = orders.New(orders.Config{MaxInFlight: 8192, Queue: 4096, MaxBatch: 512, ChargeWorkers: 4, Lease: 10 * time.Second},
		ordersStore, peers.NewInventory(inventoryapi.NewHandler(p.inventory, log)), peers.NewPayments(chargesPeer), system, ids, log)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	var stages sync.WaitGroup
	stages.Go(func() { p.orders.Run(running) })
	p.undo = append(p.undo, func() { stop(); stages.Wait() })
	return nil
}

// store is what all three services' stores have in common.
type store interface{ Close() error }

func openStore[S store](ctx context.Context, p *pipeline, url string, engine process.Engine[S]) (opened S, err error) {
	if _, err := process.MigrateStore(ctx, url, engine); err != nil {
		return opened, err
	}
	const scheme = "sqlite://"
	if len(url) > len(scheme) && url[:len(scheme)] == scheme {
		opened, err = engine.Embedded.Open(ctx, url[len(scheme):])
	} else {
		opened, err = engine.PostgreSQL(ctx, url, postgres.Config{})
	}
	if err == nil {
		p.undo = append(p.undo, func() { _ = opened.Close() })
	}
	return opened, err
}

func (p *pipeline) close() {
	for i := len(p.undo) - 1; i >= 0; i-- {
		p.undo[i]()
	}
}

func skuName(i int) string { return fmt.Sprintf("%s-%07d", skuPrefix, i) }

func (p *pipeline) stockUp(ctx context.Context) error {
	return p.each(p.skus, func(i int) error {
		sku := inventory.SKU(skuName(i))
		if _, err := p.inventory.PutItem(ctx, inventory.Item{SKU: sku, Name: "Load", Price: 100}); err != nil {
			return err
		}
		key := sha256.Sum256([]byte(sku))
		_, err := p.inventory.Adjust(ctx, inventory.NewAdjustment{Key: key, Fingerprint: key,
			Adjustment: inventory.Adjustment{SKU: sku, Delta: 100_000_000, Reason: "load"}})
		return err
	})
}

func (p *pipeline) each(n int, do func(i int) error) error {
	const workers = 16
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for i := worker; i < n && errs[worker] == nil; i += workers {
				errs[worker] = do(i)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// measure places orders from as many goroutines as a closed loop over HTTP has clients.
func (p *pipeline) measure(ctx context.Context, b *bench, w workload, length time.Duration) (m measurement, err error) {
	return closedLoop(b.clients, length, func() error { return p.place(ctx, w) })
}

func (p *pipeline) place(ctx context.Context, w workload) error {
	n := p.placed.Add(1)
	sku := 0
	if w.scenario != load.Hot {
		sku = int(n * 2654435761 % uint64(p.skus))
	}
	var key [32]byte
	binary.BigEndian.PutUint64(key[:], n)
	hashed := sha256.Sum256(key[:]) // keys are hashes: their order is random
	order, err := p.orders.Place(ctx, orders.PlaceRequest{
		Caller: "bench", Key: hashed, Fingerprint: hashed, WaitUntil: time.Now().Add(10 * time.Second),
		Request: orders.Request{Customer: orders.Customer{Name: "Ana Souza", Email: fmt.Sprintf("buyer-%d@example.com", n)},
			Items: []orders.Item{{SKU: skuName(sku), Quantity: 1}}, Method: orders.Card, Token: sandbox.Approved},
	})
	if err == nil && order.Status != orders.Confirmed {
		err = fmt.Errorf("order %s is %s", order.ID, order.Status)
	}
	return err
}
