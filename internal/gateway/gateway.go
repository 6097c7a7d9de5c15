// Package gateway is the only door to the services: it routes what the contracts list, knows callers by their API keys,
// bounds what they may send, and tells the services who is calling. It owns no data, so it scales by replicas.
package gateway

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/contract"
	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/frames"
)

const (
	// reloadEvery is how soon a new or revoked key is in force.
	reloadEvery = time.Second
	// placeOrder is the operation that overload refuses first: an order that was not taken yet can be sent again, while a
	// payment's news and a buyer's question are about orders that were.
	placeOrder = "placeOrder"
	// getOrder is what buyers ask most.
	getOrder = "getOrder"
)

// Gateway serves the API. Make one with New.
type Gateway struct {
	config     Config
	operations []contract.Operation
	routes     node
	health     map[string]http.Handler
	pages      map[string]http.Handler
	handler    http.Handler

	callers   callers
	watcher   *keys.Watcher // nil with inline keys
	anonymous *addressLimiter
	inFlight  atomic.Int64
	refused   [OverRate + 1]atomic.Int64 // by Refusal
	// gatherers send requests of the order path in batches, by operation; there are none when they are forwarded one by one.
	gatherers map[string]*frames.Forwarder
}

// New reads the contracts and the keys and makes a gateway; a broken one of either is an error.
func New(c Config) (*Gateway, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("configure the gateway: %w", err)
	}
	g := &Gateway{config: c, anonymous: newAddressLimiter(c.AnonymousRateLimit), callers: callers{defaultRate: c.RateLimit}}
	if err := g.loadKeys(); err != nil {
		return nil, fmt.Errorf("configure the gateway: %w", err)
	}
	if err := g.loadContract(); err != nil {
		return nil, fmt.Errorf("configure the gateway: %w", err)
	}
	api, err := g.allowOrigins(http.HandlerFunc(g.serve))
	if err != nil {
		return nil, fmt.Errorf("configure the gateway: %w", err)
	}
	g.handler = g.secure(api)
	return g, nil
}

// Handler answers everything that reaches the gateway. It belongs into an httpx.Server, which gives each request its id,
// recovers from panics and bounds headers and connections.
func (g *Gateway) Handler() http.Handler { return g.handler }

// Run rereads the key file as it changes and sends gathered orders, until the context ends.
func (g *Gateway) Run(ctx context.Context) error {
	var sending sync.WaitGroup
	defer sending.Wait()
	for _, gatherer := range g.gatherers {
		sending.Go(func() { gatherer.Run(ctx) })
	}
	if g.watcher == nil {
		<-ctx.Done()
		return nil
	}
	ticker := time.NewTicker(reloadEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			g.reload(ctx)
		}
	}
}

// reload is one step of Run. A broken file keeps the keys in force: a slip of the pen must not lock everybody out.
func (g *Gateway) reload(ctx context.Context) {
	list, changed, err := g.watcher.Poll()
	switch {
	case err != nil:
		g.config.Logger.ErrorContext(ctx, "API keys were not reloaded; the last good ones stay in force", "error", err)
	case changed:
		g.callers.replace(list)
		g.config.Logger.InfoContext(ctx, "API keys reloaded", "keys", len(list))
	}
}

func (g *Gateway) loadKeys() error {
	if g.config.KeysFile == "" {
		list, err := keys.Parse([]byte(g.config.KeysJSON))
		g.callers.replace(list)
		return err
	}
	watcher, list, err := keys.Open(g.config.KeysFile)
	if err == nil && len(list) == 0 {
		g.config.Logger.Warn("nobody has an API key: the file is missing or holds none; it is reread when it changes", "file", g.config.KeysFile)
	}
	g.watcher = watcher
	g.callers.replace(list)
	return err
}

func (g *Gateway) loadContract() error {
	loaded, err := contract.Load([]contract.Source{
		{Service: contract.Orders, Spec: ordersapi.Spec},
		{Service: contract.Payments, Spec: paymentsapi.Spec},
		{Service: contract.Inventory, Spec: inventoryapi.Spec},
	})
	if err != nil {
		return err
	}
	if g.pages, err = documentation(loaded.OpenAPI); err != nil {
		return err
	}
	g.health = healthPages(g.config)
	g.operations = loaded.Operations
	return g.addRoutes()
}

func (g *Gateway) addRoutes() error {
	forwarders := map[contract.Service]http.Handler{}
	for _, service := range contract.Services() {
		forwarders[service] = forwarder(service, g.config.backend(service), g.config.Logger)
	}
	if err := g.gatherOrders(); err != nil {
		return err
	}
	for _, op := range g.operations {
		r := &route{Operation: op, forward: forwarders[op.Service], admission: int64(g.config.MaxInFlight)}
		if op.ID == placeOrder {
			r.admission = max(1, r.admission*8/10)
			r.newOrders = newAdmission(r.admission, g.config.OrderWait)
		}
		if gatherer := g.gatherers[op.ID]; gatherer != nil {
			r.forward, r.gathered = gatherer, true
		}
		if err := g.routes.add(r); err != nil {
			return err
		}
	}
	return nil
}

// secure sets the headers that every answer carries.
func (g *Gateway) secure(next http.Handler) http.Handler {
	headers := securityHeaders
	if g.config.HSTS {
		headers = strictHeaders
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers.Set(w)
		next.ServeHTTP(w, r)
	})
}
