package audit_test

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/audit"
	"github.com/pedidos-veloz/pedidos-veloz/internal/audit/services"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	inventoryapi "github.com/pedidos-veloz/pedidos-veloz/internal/inventory/httpapi"
	inventorysqlite "github.com/pedidos-veloz/pedidos-veloz/internal/inventory/sqlite"
	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	ordersapi "github.com/pedidos-veloz/pedidos-veloz/internal/orders/httpapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/peers"
	orderssqlite "github.com/pedidos-veloz/pedidos-veloz/internal/orders/sqlite"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	paymentshttp "github.com/pedidos-veloz/pedidos-veloz/internal/payments/httpapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/providers/sandbox"
	paymentssqlite "github.com/pedidos-veloz/pedidos-veloz/internal/payments/sqlite"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/lifecycle"
)

// shop is the three services as they are in one process, each on a SQLite file that a test can reach into.
type shop struct {
	testing.TB
	folder   string
	orders   *orders.Service
	payments *payments.Service
	payer    *paymentshttp.Handler
	source   *services.Source
	stop     func() // ends the loops of orders and payments; calling it again does nothing
	placed   int
}

const price money.Cents = 1990

// open makes a shop with one item that is never sold out and one that always is.
func open(t testing.TB) *shop {
	t.Helper()
	s := &shop{TB: t, folder: t.TempDir()}
	log := slog.New(slog.DiscardHandler)
	stock := s.inventory()
	provider, err := sandbox.New(sandbox.Config{MerchantName: "Loja", MerchantCity: "Recife", Clock: clock.System{}})
	s.must(err)
	till, err := paymentssqlite.Open(t.Context(), s.migrated("payments", paymentssqlite.Migrations()))
	s.must(err)
	s.payments, err = payments.New(payments.Config{Patience: 50 * time.Millisecond, ProviderTimeout: 10 * time.Second, MaxCalls: 64}, till, provider, clock.System{}, log)
	s.must(err)
	s.payer, err = paymentshttp.NewHandler(s.payments, paymentshttp.Config{Log: log, Sandbox: true, Clock: clock.System{}, Rand: rand.Reader})
	s.must(err)
	book, err := orderssqlite.Open(t.Context(), s.migrated("orders", orderssqlite.Migrations()))
	s.must(err)
	s.orders, err = orders.New(orders.Config{MaxInFlight: 1024, Queue: 1024, MaxBatch: 64, ChargeWorkers: 2, Lease: 10 * time.Second}, book,
		peers.NewInventory(stock), peers.NewPayments(s.payer), clock.System{}, id.SystemSource(), log)
	s.must(err)
	s.source = services.New(ordersapi.NewHandler(ordersapi.Config{MaxWait: time.Minute, Clock: clock.System{}, Log: log}, s.orders), stock, s.payer, clock.System{})
	s.run(log)
	t.Cleanup(func() {
		s.stop()
		s.payments.Wait()
		s.must(book.Close())
		s.must(till.Close())
	})
	return s
}

func (s *shop) inventory() *inventoryapi.Handler {
	store, err := inventorysqlite.Open(s.Context(), s.migrated("inventory", inventorysqlite.Migrations()))
	s.must(err)
	s.Cleanup(func() { s.must(store.Close()) })
	service := inventory.New(store, clock.System{}, id.SystemSource())
	for _, sku := range []inventory.SKU{"PLENTY", "NONE"} {
		_, err := service.PutItem(s.Context(), inventory.Item{SKU: sku, Name: "Item", Price: price})
		s.must(err)
	}
	_, err = service.Adjust(s.Context(), inventory.NewAdjustment{Adjustment: inventory.Adjustment{SKU: "PLENTY", Delta: 1_000_000, Reason: "delivery"}})
	s.must(err)
	return inventoryapi.NewHandler(service, slog.New(slog.DiscardHandler))
}

func (s *shop) run(log *slog.Logger) {
	ctx, cancel := context.WithCancel(context.Background())
	stages, loops := make(chan struct{}), make(chan struct{}, 3)
	go func() { s.orders.Run(ctx); close(stages) }()
	looping, endLoops := context.WithCancel(ctx)
	for _, step := range []func(context.Context) (bool, error){s.orders.Recover, s.orders.FollowPayments, s.payments.Reconcile} {
		loop := &lifecycle.Loop{Name: "test", Interval: 20 * time.Millisecond, Step: step, Logger: log}
		go func() { loop.Run(looping); loops <- struct{}{} }()
	}
	stopped := false
	s.stop = func() {
		if stopped {
			return
		}
		stopped = true
		endLoops()
		for range 3 {
			<-loops
		}
		drain, enough := context.WithTimeout(context.Background(), 10*time.Second)
		defer enough()
		_ = s.orders.Drain(drain) // what is under way is left to nobody: the test is over
		cancel()
		<-stages
	}
}

func (s *shop) migrated(name string, schema fs.FS) string {
	s.Helper()
	_, err := migrate.SQLite(s.Context(), s.file(name), schema)
	s.must(err)
	return s.file(name)
}

func (s *shop) file(name string) string { return filepath.Join(s.folder, name+".db") }

func (s *shop) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// request is one unit of a SKU, by card with a token of the sandbox, or by Pix without.
func request(sku, token string) orders.Request {
	r := orders.Request{Customer: orders.Customer{Name: "Ana", Email: "ana@example.com"}, Items: []orders.Item{{SKU: sku, Quantity: 1}},
		Method: orders.Card, Token: token}
	if token == "" {
		r.Method = orders.Pix
	}
	return r
}

func place(ctx context.Context, service *orders.Service, key int, r orders.Request) (orders.Order, error) {
	var k orders.IdempotencyKey
	binary.BigEndian.PutUint64(k[:], uint64(key))
	return service.Place(ctx, orders.PlaceRequest{Caller: "test", Key: k, Request: r, WaitUntil: time.Now().Add(30 * time.Second)})
}

// buy places an order that must end up in a status.
func (s *shop) buy(sku, token string, want orders.Status) orders.Order {
	s.Helper()
	s.placed++
	order, err := place(s.Context(), s.orders, s.placed, request(sku, token))
	s.must(err)
	if order.Status != want {
		s.Fatalf("order is %s (%s), want %s", order.Status, order.Reason, want)
	}
	return order
}

func (s *shop) cancel(order orders.Order) {
	s.Helper()
	_, err := s.orders.Cancel(s.Context(), order.ID, "test", time.Now().Add(30*time.Second))
	s.must(err)
}

func (s *shop) pay(order orders.Order) {
	s.Helper()
	_, err := s.payer.PaySandboxPix(s.Context(), paymentsapi.OptSandboxPayment{}, paymentsapi.PaySandboxPixParams{Txid: order.Pix.TxID})
	s.must(err)
}

// settled waits until an order is in a status.
func (s *shop) settled(order orders.Order, want orders.Status) {
	s.Helper()
	wait, over := context.WithTimeout(s.Context(), 30*time.Second)
	defer over()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		now, err := s.orders.Get(wait, order.ID)
		s.must(err)
		if now.Status == want {
			return
		}
		select {
		case <-tick.C:
		case <-wait.Done():
			s.Fatalf("order is %s, want %s", now.Status, want)
		}
	}
}

// corrupt changes a service's file behind its back.
func (s *shop) corrupt(service, sql string, args ...[16]byte) {
	s.Helper()
	s.reach(service, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(sql)
		if err != nil {
			return err
		}
		for i := range args {
			stmt.Blob(args[i][:])
		}
		if err := stmt.Exec(); err != nil {
			return err
		}
		if c.Changes() == 0 {
			return fmt.Errorf("%s: nothing was changed", sql)
		}
		return nil
	})
}

func (s *shop) reach(service string, write func(*sqlite.Conn) error) {
	s.Helper()
	db, err := sqlite.Open(s.Context(), s.file(service))
	s.must(err)
	defer db.Close()
	s.must(db.Write(s.Context(), write))
}

// instant lets no time pass where an audit waits.
type instant struct{ clock.System }

func (instant) AfterFunc(_ time.Duration, f func()) { f() }

func (s *shop) audit(cfg audit.Config) *audit.Report {
	s.Helper()
	cfg.Source = s.source
	if cfg.Clock == nil {
		cfg.Clock = instant{}
	}
	report, err := audit.Run(s.Context(), cfg)
	s.must(err)
	return report
}

func newID() [16]byte { return uuid.Must(uuid.NewV7()) }
