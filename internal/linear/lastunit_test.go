package linear_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/inventoryapp"
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/ordersapp"
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/paymentsapp"
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	inventoryapi "github.com/pedidos-veloz/pedidos-veloz/internal/inventory/httpapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/peers"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	paymentsapi "github.com/pedidos-veloz/pedidos-veloz/internal/payments/httpapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/providers/sandbox"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
	db "github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

var lastUnitRounds = flag.Int("last-unit-rounds", 12, "rounds of the last unit, on each engine")

// buyers want the one unit of a round.
const buyers = 1000

// TestLastUnit: one unit and a thousand buyers at once, round after round, over the whole way of an order: exactly one
// of them gets it, and it is the one that inventory says.
func TestLastUnit(t *testing.T) {
	for _, engine := range []struct {
		name string
		urls func(t *testing.T) [3]string
	}{{"SQLite", sqliteURLs}, {"PostgreSQL", postgresURLs}} {
		t.Run(engine.name, func(t *testing.T) {
			p := newPlatform(t, engine.urls(t))
			for round := range *lastUnitRounds {
				if problem := p.sell(t, round).problem(); problem != nil {
					t.Fatalf("round %d: %v", round, problem)
				}
			}
			t.Logf("%d rounds of %d buyers had one winner each", *lastUnitRounds, buyers)
		})
	}
}

// round is what became of one.
type round struct {
	statuses map[string]int // of orders, with the reason of a rejection
	errs     []error
	left     inventory.Item
}

// problem tells what is wrong.
func (r round) problem() error {
	switch {
	case len(r.errs) > 0:
		return errors.Join(r.errs...)
	case r.statuses["confirmed"] != 1 || r.statuses["rejected out_of_stock"] != buyers-1:
		return fmt.Errorf("the buyers' orders ended as %v", r.statuses)
	case r.left.OnHand != 1 || r.left.Held != 1:
		return fmt.Errorf("%d units on hand, %d held", r.left.OnHand, r.left.Held)
	}
	return nil
}

// TestRoundsAreJudged is the positive control of the judge.
func TestRoundsAreJudged(t *testing.T) {
	t.Parallel()
	unit := inventory.Item{OnHand: 1, Held: 1}
	for name, wrong := range map[string]round{
		"two winners": {statuses: map[string]int{"confirmed": 2, "rejected out_of_stock": buyers - 2}, left: unit},
		"no winner":   {statuses: map[string]int{"rejected out_of_stock": buyers}, left: unit},
		"one is lost": {statuses: map[string]int{"confirmed": 1, "rejected out_of_stock": buyers - 2}, left: unit},
		"still there": {statuses: map[string]int{"confirmed": 1, "rejected out_of_stock": buyers - 1}, left: inventory.Item{OnHand: 1}},
		"oversold":    {statuses: map[string]int{"confirmed": 1, "rejected out_of_stock": buyers - 1}, left: inventory.Item{OnHand: 1, Held: 2}},
		"a failure":   {statuses: map[string]int{"confirmed": 1, "rejected out_of_stock": buyers - 1}, left: unit, errs: []error{errors.New("no")}},
	} {
		if wrong.problem() == nil {
			t.Errorf("%s: nobody noticed", name)
		}
	}
	if err := (round{statuses: map[string]int{"confirmed": 1, "rejected out_of_stock": buyers - 1}, left: unit}).problem(); err != nil {
		t.Errorf("a good round: %v", err)
	}
}

// platform is the three services in this process, wired as `veloz up` wires them, without HTTP.
type platform struct {
	inventory *inventory.Service
	orders    *orders.Service
}

func sqliteURLs(t *testing.T) (urls [3]string) {
	dir := t.TempDir()
	for i, name := range []string{"inventory", "payments", "orders"} {
		urls[i] = "sqlite://" + filepath.Join(dir, name+".db")
	}
	return urls
}

func postgresURLs(t *testing.T) [3]string {
	return [3]string{pgtest.URL(t), pgtest.URL(t), pgtest.URL(t)}
}

func newPlatform(t *testing.T, urls [3]string) *platform {
	t.Helper()
	log, system, ids := slog.New(slog.DiscardHandler), clock.System{}, id.SystemSource()
	p := &platform{inventory: inventory.New(openStore(t, urls[0], inventoryapp.Engine), system, ids)}
	provider, err := sandbox.New(sandbox.Config{MerchantName: "Pedidos Veloz", MerchantCity: "Sao Paulo", Clock: system})
	if err != nil {
		t.Fatal(err)
	}
	charges, err := payments.New(payments.Config{Patience: 50 * time.Millisecond, ProviderTimeout: 10 * time.Second, MaxCalls: 512},
		openStore(t, urls[1], paymentsapp.Engine), provider, system, log)
	if err != nil {
		t.Fatal(err)
	}
	chargesPeer, err := paymentsapi.NewHandler(charges, paymentsapi.Config{Log: log, Sandbox: true, Clock: system, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	p.orders, err = orders.New(orders.Config{MaxInFlight: 8192, Queue: 4096, MaxBatch: 512, ChargeWorkers: 4, Lease: time.Minute},
		openStore(t, urls[2], ordersapp.Engine), peers.NewInventory(inventoryapi.NewHandler(p.inventory, log)), peers.NewPayments(chargesPeer), system, ids, log)
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(context.Background())
	var stages sync.WaitGroup
	stages.Go(func() { p.orders.Run(running) })
	t.Cleanup(func() { stop(); stages.Wait() })
	return p
}

func openStore[S interface{ Close() error }](t *testing.T, url string, engine process.Engine[S]) (opened S) {
	t.Helper()
	_, err := process.MigrateStore(t.Context(), url, engine)
	if err != nil {
		t.Fatal(err)
	}
	const scheme = "sqlite://"
	if len(url) > len(scheme) && url[:len(scheme)] == scheme {
		opened, err = engine.Embedded.Open(t.Context(), url[len(scheme):])
	} else {
		opened, err = engine.PostgreSQL(t.Context(), url, db.Config{})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	return opened
}

// sell puts one unit up and lets everybody want it.
func (p *platform) sell(t *testing.T, number int) round {
	t.Helper()
	sku := inventory.SKU(fmt.Sprintf("LAST-%d", number))
	if _, err := p.inventory.PutItem(t.Context(), inventory.Item{SKU: sku, Name: "Last unit", Price: 100}); err != nil {
		t.Fatal(err)
	}
	key := sha256.Sum256([]byte(sku))
	if _, err := p.inventory.Adjust(t.Context(), inventory.NewAdjustment{Key: key, Fingerprint: key,
		Adjustment: inventory.Adjustment{SKU: sku, Delta: 1, Reason: "found"}}); err != nil {
		t.Fatal(err)
	}
	r := round{statuses: map[string]int{}}
	var mu sync.Mutex
	start := make(chan struct{})
	var wg sync.WaitGroup
	for buyer := range buyers {
		wg.Go(func() {
			<-start
			order, err := p.buy(t.Context(), sku, buyer)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				r.errs = append(r.errs, err)
				return
			}
			status := string(order.Status)
			if order.Status == orders.Rejected {
				status += " " + string(order.Reason)
			}
			r.statuses[status]++
		})
	}
	close(start)
	wg.Wait()
	left, err := p.inventory.Item(t.Context(), sku)
	if err != nil {
		t.Fatal(err)
	}
	r.left = left
	return r
}

func (p *platform) buy(ctx context.Context, sku inventory.SKU, buyer int) (orders.Order, error) {
	key := sha256.Sum256(fmt.Appendf(nil, "%s/%d", sku, buyer))
	return p.orders.Place(ctx, orders.PlaceRequest{
		Caller: "last unit", Key: key, Fingerprint: key, WaitUntil: time.Now().Add(time.Minute),
		Request: orders.Request{Customer: orders.Customer{Name: "Ana Souza", Email: fmt.Sprintf("buyer-%d@example.com", buyer)},
			Items: []orders.Item{{SKU: string(sku), Quantity: 1}}, Method: orders.Card, Token: sandbox.Approved},
	})
}
