// Command conventional is the yardstick of the benchmarks: the order service that a good team writes first. One order is
// one transaction; there is no batch, no saga and no second service. It decodes, validates and encodes with the product's
// generated types behind the product's HTTP server, with its loop for plain requests and its garbage collector's setting, so
// that what differs is the design.
//
// It does less than the product: no API keys, no limits, no metrics, no stock movements, no ledger, no recovery.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/go-faster/jx"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to serve on")
	database := flag.String("database", "", "PostgreSQL address")
	connections := flag.Int("connections", 16, "connections to PostgreSQL")
	function := flag.Bool("function", false, "one stored function an order instead of a transaction of statements")
	prefix := flag.String("prefix", "BENCH", "of the SKUs")
	skus := flag.Int("skus", 10_000, "how many SKUs there are")
	flag.Parse()
	debug.SetGCPercent(200)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen, *database, *connections, *function, *prefix, *skus); err != nil {
		fmt.Fprintf(os.Stderr, "conventional: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen, database string, connections int, function bool, prefix string, skus int) error {
	config, err := pgxpool.ParseConfig(database)
	if err != nil {
		return errors.New("the database's address cannot be read")
	}
	config.MaxConns = int32(connections)
	config.MinConns = int32(connections) // all are there before the first order
	db, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := prepare(ctx, db, prefix, skus); err != nil {
		return err
	}
	place := placeInTransaction
	if function {
		place = placeByFunction
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health/ready", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.Handle("POST /v1/orders", handler{db, place})
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	server := httpx.New(httpx.ServerConfig{Name: "conventional", Address: listen, Logger: log, Plain: true}, mux)
	if err := server.Start(); err != nil {
		return err
	}
	<-ctx.Done()
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return server.Shutdown(deadline)
}

// handler answers POST /v1/orders.
type handler struct {
	db    *pgxpool.Pool
	place placer
}

const maxBody = 256 << 10

// ServeHTTP implements http.Handler.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		problem(w, http.StatusRequestEntityTooLarge, "body_too_large")
		return
	}
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		problem(w, http.StatusBadRequest, "idempotency_key_required")
		return
	}
	var wish ordersapi.NewOrder
	if err := errors.Join(wish.Decode(jx.DecodeBytes(body)), wish.Validate()); err != nil {
		problem(w, http.StatusBadRequest, "invalid_request")
		return
	}
	o, err := newOrder(&wish, key)
	if err == nil {
		err = classify(h.place(r.Context(), h.db, o))
	}
	switch {
	case errors.Is(err, errOutOfStock):
		problem(w, http.StatusConflict, "out_of_stock")
	case errors.Is(err, errKeyUsed):
		problem(w, http.StatusConflict, "idempotency_key_used")
	case err != nil:
		slog.Error("order failed", "error", err)
		problem(w, http.StatusInternalServerError, "internal")
	default:
		answer(w, o, &wish)
	}
}

func newOrder(wish *ordersapi.NewOrder, key string) (*order, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	payment, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	o := &order{id: id, payment: payment, key: key, email: wish.Customer.Email, customer: customerJSON(wish.Customer.Name, wish.Customer.Email),
		method: string(wish.Payment.Method), token: wish.Payment.Token.Or(""), at: time.Now()}
	for _, item := range wish.Items {
		o.lines = append(o.lines, line{SKU: string(item.Sku), Quantity: int64(item.Quantity)})
	}
	sortLines(o.lines)
	return o, nil
}

func answer(w http.ResponseWriter, o *order, wish *ordersapi.NewOrder) {
	body := ordersapi.Order{
		ID: o.id, Status: ordersapi.OrderStatusConfirmed, PaymentStatus: ordersapi.PaymentStatusPaid,
		FulfillmentStatus: ordersapi.FulfillmentStatusUnfulfilled, Customer: wish.Customer, TotalCents: o.total, Currency: ordersapi.OrderCurrencyBRL,
		Payment: ordersapi.OrderPayment{ID: o.payment, Method: wish.Payment.Method, Status: ordersapi.PaymentStatusPaid},
		Version: 1, CreatedAt: o.at, UpdatedAt: o.at,
	}
	for _, l := range o.lines {
		body.Items = append(body.Items, ordersapi.OrderItem{Sku: l.SKU, Name: l.Name, Quantity: int(l.Quantity), UnitPriceCents: l.Price,
			TotalCents: l.Price * l.Quantity})
	}
	e := jx.GetEncoder()
	defer jx.PutEncoder(e)
	body.Encode(e)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Location", "/v1/orders/"+o.id.String())
	w.WriteHeader(http.StatusCreated)
	_, _ = e.WriteTo(w) // the client may be gone
}

func problem(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"type":"about:blank","title":%q,"status":%d,"code":%q}`, http.StatusText(status), status, code)
}
