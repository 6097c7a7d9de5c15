package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/contract"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// Config is what a Gateway is made of. Zero values take the defaults that stand beside them.
type Config struct {
	Orders, Payments, Inventory Backend

	// KeysFile (VELOZ_API_KEYS_FILE) is reread when it changes; KeysJSON (VELOZ_API_KEYS) is the same document inline.
	// Exactly one of them is set.
	KeysFile, KeysJSON string

	// RateLimit is what a key without its own limit may send, in requests a second: 50,000.
	RateLimit int
	// AnonymousRateLimit is what a client address may send without a valid key, in requests a second: 100.
	AnonymousRateLimit int
	// MaxInFlight bounds the requests that are being answered at once: 4,096. New orders are refused at 80 % of it.
	MaxInFlight int
	// OrderWait is how long the orders under way may keep a new one waiting: 5 s, half of what a caller waits. With more of
	// them, by what the platform was measured to get done, new ones are refused.
	OrderWait time.Duration
	// MaxBodyBytes bounds a request's body: 256 KiB.
	MaxBodyBytes int64
	// MaxURLBytes bounds path and query: 8 KiB.
	MaxURLBytes int
	// RequestTimeout is the deadline that every forwarded request carries: 30 s.
	RequestTimeout time.Duration

	// TrustedProxies may name the client in X-Forwarded-For; from anybody else that header is dropped.
	TrustedProxies []netip.Prefix
	// CORSOrigins are the origins whose pages may call the API; none by default.
	CORSOrigins []string
	// HSTS is for deployments where every name is served by TLS.
	HSTS bool

	// Version is what /health says.
	Version string
	// Draining makes the gateway unready, such as httpx.Server.Draining; may be nil.
	Draining func() bool

	// Clock decides about expiry and refills limits: the system's by default.
	Clock clock.Clock
	// Logger is slog.Default by default.
	Logger *slog.Logger
}

// Backend is a service behind the gateway: a Handler in the same process, called directly, or a URL.
type Backend struct {
	Handler http.Handler
	// URL is the service's base, such as http://pedidos:8001.
	URL string
	// Transport reaches the URL; one tuned for few hosts and many connections by default.
	Transport http.RoundTripper
	// Frames gathers requests to place an order into batches: the service at URL serves frames.Path.
	Frames bool
	// Propagate puts the trace of a request that goes into a frame into its headers; nil leaves them as they are.
	Propagate func(ctx context.Context, h http.Header)
}

func (c Config) withDefaults() Config {
	c.RateLimit = cmp.Or(c.RateLimit, 50_000)
	c.AnonymousRateLimit = cmp.Or(c.AnonymousRateLimit, 100)
	c.MaxInFlight = cmp.Or(c.MaxInFlight, 4096)
	c.OrderWait = cmp.Or(c.OrderWait, 5*time.Second)
	c.MaxBodyBytes = cmp.Or(c.MaxBodyBytes, 256<<10)
	c.MaxURLBytes = cmp.Or(c.MaxURLBytes, 8<<10)
	c.RequestTimeout = cmp.Or(c.RequestTimeout, 30*time.Second)
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	for _, b := range []*Backend{&c.Orders, &c.Payments, &c.Inventory} {
		if b.Handler == nil && b.Transport == nil {
			b.Transport = httpx.Transport(httpx.TransportConfig{ResponseTimeout: c.RequestTimeout, MaxConnsPerHost: BackendConns})
		}
	}
	return c
}

func (c Config) validate() error {
	var problems []error
	for _, limit := range []struct {
		name  string // of the setting, where there is one
		value int64
	}{
		{"--rate-limit", int64(c.RateLimit)},
		{"--anonymous-rate-limit", int64(c.AnonymousRateLimit)},
		{"--max-requests", int64(c.MaxInFlight)},
		{"--order-wait", int64(c.OrderWait)},
		{"--max-body", c.MaxBodyBytes},
		{"MaxURLBytes", int64(c.MaxURLBytes)},
		{"--request-timeout", int64(c.RequestTimeout)},
	} {
		if limit.value < 0 {
			problems = append(problems, fmt.Errorf("%s must not be negative", limit.name))
		}
	}
	if (c.KeysFile == "") == (c.KeysJSON == "") {
		problems = append(problems, errors.New("API keys must come either from a file (--api-keys-file) or inline (--api-keys)"))
	}
	for _, service := range contract.Services() {
		if err := c.backend(service).validate(); err != nil {
			problems = append(problems, fmt.Errorf("backend %s: %w", service, err))
		}
	}
	return errors.Join(problems...)
}

func (c Config) backend(s contract.Service) Backend {
	switch s {
	case contract.Orders:
		return c.Orders
	case contract.Payments:
		return c.Payments
	default:
		return c.Inventory
	}
}

func (b Backend) validate() error {
	if b.Handler != nil {
		if b.URL != "" || b.Transport != nil {
			return errors.New("it is either a handler or a URL")
		}
		return nil
	}
	u, err := url.Parse(b.URL)
	if err != nil {
		return fmt.Errorf("parse URL: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("URL %q: expected http://HOST:PORT", u.Redacted())
	}
	return nil
}
