// Package gatewayapp composes the API gateway.
package gatewayapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/lifecycle"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/telemetry"
)

var program = process.Program{Name: "api-gateway", Listen: ":8000", Edge: true, Description: "The API gateway: routing, identity and limits in front of the services."}

// Config are the settings of the gateway.
type Config struct {
	RateLimit          int           `name:"rate-limit" env:"VELOZ_RATE_LIMIT" default:"50000" help:"Requests a second of a key that has no limit of its own."`
	AnonymousRateLimit int           `name:"anonymous-rate-limit" env:"VELOZ_ANONYMOUS_RATE_LIMIT" default:"100" help:"Requests a second of an address without a valid key."`
	MaxRequests        int           `name:"max-requests" env:"VELOZ_MAX_REQUESTS" default:"4096" help:"Requests that are answered at once; new orders are refused at 80 % of it."`
	OrderWait          time.Duration `name:"order-wait" env:"VELOZ_ORDER_WAIT" default:"5s" help:"New orders are refused while those under way would keep them waiting longer than this."`
	RequestTimeout     time.Duration `name:"request-timeout" env:"VELOZ_REQUEST_TIMEOUT" default:"30s" help:"Deadline of a forwarded request."`
	TrustedProxies     []string      `name:"trusted-proxies" env:"VELOZ_TRUSTED_PROXIES" help:"Networks, such as 10.0.0.0/8, whose X-Forwarded-For is believed."`
	CORSOrigins        []string      `name:"cors-origins" env:"VELOZ_CORS_ORIGINS" help:"Origins whose pages may call the API, such as https://shop.example."`
	HSTS               bool          `name:"hsts" env:"VELOZ_HSTS" help:"Tell browsers to insist on TLS."`
}

// Validate is called when the settings are read, so that --check-config and a start refuse the same ones. A 0 is refused where
// it would stand for a default: what is printed is what is in force.
func (c Config) Validate() error {
	_, err := c.trustedProxies()
	return errors.Join(
		err,
		config.AtLeast("rate-limit", c.RateLimit, 1),
		config.AtLeast("anonymous-rate-limit", c.AnonymousRateLimit, 1),
		config.AtLeast("max-requests", c.MaxRequests, 1),
		config.AtLeast("order-wait", c.OrderWait, time.Millisecond),
		config.AtLeast("request-timeout", c.RequestTimeout, time.Millisecond),
		c.checkOrigins(),
	)
}

func (c Config) checkOrigins() error {
	if err := gateway.CheckOrigins(c.CORSOrigins); err != nil {
		return fmt.Errorf("--cors-origins must be origins such as https://shop.example: %w", err)
	}
	return nil
}

func (c Config) trustedProxies() (prefixes []netip.Prefix, err error) {
	for _, text := range c.TrustedProxies {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("--trusted-proxies: %q is not a network such as 10.0.0.0/8", text)
		}
		prefixes = append(prefixes, prefix)
	}
	return prefixes, nil
}

type settings struct {
	config.Service
	config.OrdersPeer
	config.PaymentsPeer
	config.InventoryPeer
	Config
	KeysFile string        `name:"api-keys-file" env:"VELOZ_API_KEYS_FILE" placeholder:"FILE" help:"File of the API keys' hashes, reread when it changes; made by veloz keys."`
	Keys     config.Secret `name:"api-keys" env:"VELOZ_API_KEYS" placeholder:"JSON" help:"The same document in a variable."`
}

// Validate is called when the settings are read.
func (s *settings) Validate() error {
	if (s.KeysFile == "") == (s.Keys == "") {
		return errors.New("exactly one of --api-keys-file and --api-keys must be given")
	}
	return nil
}

// Main runs api-gateway.
func Main(args []string) int {
	var s settings
	return process.Main(program, args, &s, &s.Service, func(_ context.Context, stack *lifecycle.Stack, rt *process.Runtime) error {
		backend := func(peer string, url config.PeerURL) gateway.Backend {
			return gateway.Backend{URL: string(url), Transport: rt.Tracing.Transport(peer, httpx.Transport(httpx.TransportConfig{MaxConnsPerHost: gateway.BackendConns}))}
		}
		orders := backend("pedidos", s.OrdersURL)
		orders.Frames, orders.Propagate = true, telemetry.Propagate
		_, err := Serve(stack, rt, s.Service, s.Config, Keys{File: s.KeysFile, JSON: s.Keys.Reveal()}, Backends{
			Orders: orders, Payments: backend("pagamentos", s.PaymentsURL), Inventory: backend("estoque", s.InventoryURL),
		})
		return err
	})
}

// Backends are the services behind the gateway.
type Backends struct{ Orders, Payments, Inventory gateway.Backend }

// Keys is where the API keys' hashes are: exactly one of the two.
type Keys struct{ File, JSON string }

// Serve makes the gateway and serves it.
func Serve(stack *lifecycle.Stack, rt *process.Runtime, common config.Service, cfg Config, keys Keys, backends Backends) (*httpx.Server, error) {
	proxies, err := cfg.trustedProxies()
	if err != nil {
		return nil, err
	}
	return rt.ServeEdge(stack, common, func(draining func() bool) (process.Component, error) {
		g, err := gateway.New(gateway.Config{
			Orders: backends.Orders, Payments: backends.Payments, Inventory: backends.Inventory,
			KeysFile: keys.File, KeysJSON: keys.JSON,
			RateLimit: cfg.RateLimit, AnonymousRateLimit: cfg.AnonymousRateLimit, MaxInFlight: cfg.MaxRequests, OrderWait: cfg.OrderWait,
			MaxBodyBytes: int64(common.MaxBody), RequestTimeout: cfg.RequestTimeout, TrustedProxies: proxies, CORSOrigins: cfg.CORSOrigins, HSTS: cfg.HSTS,
			Version: process.VersionText(), Draining: draining, Clock: rt.Clock, Logger: rt.Log,
		})
		if err != nil {
			return process.Component{}, fmt.Errorf("make gateway: %w", err)
		}
		if err := measure(g, rt.Metrics.Registry()); err != nil {
			return process.Component{}, err
		}
		stack.Go("reload API keys", func(ctx context.Context) {
			if err := g.Run(ctx); err != nil && ctx.Err() == nil {
				stack.Fail(err)
			}
		})
		return process.Component{Handler: g.Handler(), Route: route}, nil
	})
}

// route is the request's collection, such as /v1/items: the gateway's own measure is one of services, and each service
// measures its operations. What is asked of one order is apart, so that POST /v1/orders is the placing of orders and nothing
// else; and so are probes of health, which are no buyers' requests.
func route(r *http.Request) string {
	rest, found := strings.CutPrefix(r.URL.Path, "/v1/")
	if !found {
		if r.URL.Path == "/health" || strings.HasPrefix(r.URL.Path, "/health/") {
			return "/health"
		}
		return ""
	}
	collection, _, below := strings.Cut(rest, "/")
	switch collection {
	case "orders": // constants, for most requests are these
		if below {
			return "/v1/orders/{order_id}"
		}
		return "/v1/orders"
	case "items", "stock-adjustments", "payments", "pix", "sandbox", "audit":
		return "/v1/" + collection
	}
	return ""
}
