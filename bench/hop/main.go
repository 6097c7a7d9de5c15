// Command hop is what stands around the proxies that are compared: a backend that does nothing but answer, so that what is
// measured is the way to it, and a proxy of Go's standard library for reference.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/frames"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to serve on")
	to := flag.String("to", "", "URL to forward to; empty serves the backend")
	flag.Parse()
	debug.SetGCPercent(200) // as our gateway does
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen, *to); err != nil {
		fmt.Fprintf(os.Stderr, "hop: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen, to string) error {
	handler := backend()
	if to != "" {
		base, err := url.Parse(to)
		if err != nil {
			return err
		}
		handler = proxy(base)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	server := httpx.New(httpx.ServerConfig{Name: "hop", Address: listen, Logger: log}, handler)
	if err := server.Start(); err != nil {
		return err
	}
	<-ctx.Done()
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return server.Shutdown(deadline)
}

// order is as long as the answer to an order of one line.
const order = `{"id":"01930000-0000-7000-8000-000000000000","status":"confirmed","payment_status":"paid","fulfillment_status":"unfulfilled",` +
	`"customer":{"name":"Ana Souza","email":"buyer@example.com"},"items":[{"sku":"BENCH-0000000","name":"Load","quantity":1,` +
	`"unit_price_cents":100,"total_cents":100}],"total_cents":100,"currency":"BRL","payment":{"id":"01930000-0000-7000-8000-000000000001",` +
	`"method":"card","status":"paid"},"version":3,"created_at":"2026-11-23T12:00:00Z","updated_at":"2026-11-23T12:00:00Z"}`

// backend answers the order path's requests, alone or in frames, as the orders service does.
func backend() http.Handler {
	answer := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // a body that breaks off is the client's affair
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, order)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health/ready", answer(http.StatusOK))
	mux.HandleFunc("GET /v1/orders/{id}", answer(http.StatusOK))
	mux.HandleFunc("POST /v1/orders", answer(http.StatusCreated))
	mux.Handle("POST "+frames.Path, frames.Handler(mux))
	return mux
}

// proxy is the standard library's, with what it needs to be quick: connections that are kept, and buffers that are lent.
func proxy(to *url.URL) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite:    func(p *httputil.ProxyRequest) { p.SetURL(to) },
		Transport:  httpx.Transport(httpx.TransportConfig{MaxConnsPerHost: 1024, MaxIdlePerHost: 1024, DialTimeout: 30 * time.Second}),
		BufferPool: &buffers{},
	}
}

type buffers struct{ pool sync.Pool }

// Get implements httputil.BufferPool.
func (b *buffers) Get() []byte {
	if buffer, ok := b.pool.Get().(*[]byte); ok {
		return *buffer
	}
	return make([]byte, 32<<10)
}

// Put implements httputil.BufferPool.
func (b *buffers) Put(buffer []byte) { b.pool.Put(&buffer) }
