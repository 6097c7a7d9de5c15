// Package paymentsapp composes the payments service.
package paymentsapp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/brcode"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/httpapi"
	paymentspostgres "github.com/pedidos-veloz/pedidos-veloz/internal/payments/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/providers/sandbox"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/lifecycle"
)

var program = process.Program{Name: "servico-pagamentos", Listen: ":8002", Description: "The payments service: charges, refunds, and the ledger of every cent."}

// Engine is how the service's store is opened.
var Engine = process.Engine[payments.Store]{
	Embedded: embedded,
	PostgreSQL: func(ctx context.Context, url string, cfg postgres.Config) (payments.Store, error) {
		return paymentspostgres.Open(ctx, url, cfg)
	},
	PostgresMigrations: paymentspostgres.Migrations,
}

// Config are the settings of the service.
type Config struct {
	PixExpiry       time.Duration `name:"pix-expiry" env:"VELOZ_PIX_EXPIRY" default:"15m" help:"How long a Pix charge can be paid."`
	MerchantName    string        `name:"merchant-name" env:"VELOZ_MERCHANT_NAME" default:"Pedidos Veloz" help:"The merchant's name in Pix codes."`
	MerchantCity    string        `name:"merchant-city" env:"VELOZ_MERCHANT_CITY" default:"Sao Paulo" help:"The merchant's city in Pix codes."`
	ChargePatience  time.Duration `name:"charge-patience" env:"VELOZ_CHARGE_PATIENCE" default:"50ms" help:"How long a batch of charges waits for its slowest; that one goes on behind."`
	ProviderTimeout time.Duration `name:"provider-timeout" env:"VELOZ_PROVIDER_TIMEOUT" default:"10s" help:"Bound of one call to the payment provider."`
	ProviderCalls   int           `name:"provider-calls" env:"VELOZ_PROVIDER_CALLS" default:"512" help:"Calls to the payment provider that may be under way."`
}

// Validate is called when the settings are read.
func (c Config) Validate() error {
	if c.PixExpiry < time.Second || c.ChargePatience <= 0 || c.ProviderTimeout <= 0 || c.ProviderCalls < 1 {
		return errors.New("--pix-expiry (at least 1s), --charge-patience, --provider-timeout and --provider-calls must be positive")
	}
	return errors.Join(checkMerchant("name", c.MerchantName, brcode.MaxName), checkMerchant("city", c.MerchantCity, brcode.MaxCity))
}

// checkMerchant wants what is left of a text in a Pix code.
func checkMerchant(what, text string, most int) error {
	if brcode.Fold(text, most) == "" {
		return fmt.Errorf("--merchant-%s must have a letter or a digit of ASCII, as Pix codes want it", what)
	}
	return nil
}

type settings struct {
	config.Service
	config.Database
	process.Storage
	Config
}

// Main runs servico-pagamentos.
func Main(args []string) int {
	var s settings
	return process.Main(program, args, &s, &s.Service, func(ctx context.Context, stack *lifecycle.Stack, rt *process.Runtime) error {
		component, err := Compose(ctx, stack, rt, s.Storage, s.Config, s.DatabaseURL.Reveal())
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
	Peer *httpapi.Handler
}

// Compose makes the service over the database at url.
func Compose(ctx context.Context, stack *lifecycle.Stack, rt *process.Runtime, db process.Storage, cfg Config, url string) (*Component, error) {
	store, err := process.OpenStore(ctx, rt, db, url, Engine)
	if err != nil {
		return nil, fmt.Errorf("open payments' database: %w", err)
	}
	return ComposeOver(stack, rt, cfg, store)
}

// ComposeOver makes the service over a store that is open, and is the stack's from now on.
func ComposeOver(stack *lifecycle.Stack, rt *process.Runtime, cfg Config, store payments.Store) (*Component, error) {
	stack.Defer("payments' database", func(context.Context) error { return store.Close() })
	provider, err := sandbox.New(sandbox.Config{PixExpiry: cfg.PixExpiry, MerchantName: cfg.MerchantName, MerchantCity: cfg.MerchantCity, Clock: rt.Clock})
	if err != nil {
		return nil, err
	}
	service, err := payments.New(payments.Config{Patience: cfg.ChargePatience, ProviderTimeout: cfg.ProviderTimeout, MaxCalls: cfg.ProviderCalls, Observer: rt.Metrics},
		underFaults(store), providerUnderFaults(provider), rt.Clock, rt.Log)
	if err != nil {
		return nil, err
	}
	stack.Defer("calls to the payment provider", func(context.Context) error { service.Wait(); return nil })
	for _, loop := range []*lifecycle.Loop{
		{Name: "reconcile payments", Interval: 250 * time.Millisecond, Step: service.Reconcile, Logger: rt.Log},
		// Whether or not anybody reads the sums: what they have grown to would be more than one reading has time for.
		{Name: "fold the ledger's sums", Interval: time.Minute, Step: store.Fold, Logger: rt.Log},
	} {
		stack.Go(loop.Name, loop.Run)
	}
	if err := rt.Metrics.Registry().Register(newCollector(service, rt.Clock)); err != nil {
		return nil, fmt.Errorf("register payments' metrics: %w", err)
	}
	return newComponent(rt, service)
}

func newComponent(rt *process.Runtime, service *payments.Service) (*Component, error) {
	cfg := httpapi.Config{Log: rt.Log, Bodies: rt.Bodies, Sandbox: true, Clock: rt.Clock, Rand: rand.Reader}
	handler, err := httpapi.New(service, cfg)
	if err != nil {
		return nil, err
	}
	peer, err := httpapi.NewHandler(service, cfg)
	if err != nil {
		return nil, err
	}
	return &Component{
		Component: process.Component{Handler: handler, Route: route(), Checks: []httpx.Check{{Name: "payments_database", Probe: service.Ready}}},
		Peer:      peer,
	}, nil
}

func route() func(*http.Request) string {
	server := &paymentsapi.Server{}
	return func(r *http.Request) string {
		found, ok := server.FindPath(r.Method, r.URL)
		if !ok {
			return ""
		}
		return found.PathPattern()
	}
}
