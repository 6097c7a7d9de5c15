package gateway

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/contract"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

const (
	probeTimeout = time.Second
	// reportAge is how long a report is given out again, so that asking often costs the services nothing.
	reportAge = time.Second
	// probePath asks for readiness: a service that cannot reach its database serves nobody.
	probePath = "/health/ready"
)

// healthPages are what monitors ask. Until it drains, the gateway is ready whenever it answers: were a dead backend to
// make it unready, one broken service would take all gateways out of the balancer, and the healthy services with them.
func healthPages(c Config) map[string]http.Handler {
	own := httpx.Health(httpx.HealthConfig{Service: "api-gateway", Version: c.Version, Draining: c.Draining, Logger: c.Logger})
	return map[string]http.Handler{
		"/health": own, "/health/live": own, "/health/ready": own, "/health/backends": newProber(c),
	}
}

// prober asks the backends how they are.
type prober struct {
	targets []target
	clock   clock.Clock
	last    atomic.Pointer[report]
	flight  singleflight.Group
}

type target struct {
	service   contract.Service
	url       string
	transport http.RoundTripper
}

// report is one look at all backends. It says up or down and how fast, and neither where they are nor what they said.
type report struct {
	Status   string                  `json:"status"`
	Backends map[string]backendState `json:"backends"`

	at   time.Time
	body []byte
}

type backendState struct {
	Status    string  `json:"status"`
	LatencyMS float64 `json:"latency_ms"`
}

func newProber(c Config) *prober {
	p := &prober{clock: c.Clock}
	for _, service := range contract.Services() {
		b := c.backend(service)
		t := target{service: service, url: strings.TrimSuffix(b.URL, "/") + probePath, transport: b.Transport}
		if b.Handler != nil {
			t.url, t.transport = "http://"+service.String()+probePath, httpx.InMemory(b.Handler)
		}
		p.targets = append(p.targets, t)
	}
	return p
}

// ServeHTTP implements http.Handler: 200 when all backends are up, otherwise 503, with the same document.
func (p *prober) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	latest := p.report(r.Context())
	status := http.StatusOK
	if latest.Status != "ok" {
		status = http.StatusServiceUnavailable
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(latest.body) // an error means that the client has gone
}

// report probes at most once at a time and once a second, however many ask; an asker who leaves ends no probe.
func (p *prober) report(ctx context.Context) *report {
	if last := p.last.Load(); last != nil && p.clock.Now().Sub(last.at) < reportAge {
		return last
	}
	fresh, _, _ := p.flight.Do("", func() (any, error) {
		fresh := p.probeAll(context.WithoutCancel(ctx))
		p.last.Store(fresh)
		return fresh, nil
	})
	return fresh.(*report)
}

func (p *prober) probeAll(ctx context.Context) *report {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	states := make([]backendState, len(p.targets))
	var all sync.WaitGroup
	for i, t := range p.targets {
		all.Go(func() { states[i] = t.probe(ctx) })
	}
	all.Wait()
	fresh := &report{Status: "ok", Backends: map[string]backendState{}, at: p.clock.Now()}
	for i, t := range p.targets {
		fresh.Backends[t.service.String()] = states[i]
		if states[i].Status != "up" {
			fresh.Status = "degraded"
		}
	}
	fresh.body, _ = json.Marshal(fresh) // strings and numbers always marshal
	return fresh
}

func (t target) probe(ctx context.Context) backendState {
	began := time.Now() // and not the injected clock: a duration wants the monotonic one
	up := t.answers(ctx)
	state := backendState{Status: "down", LatencyMS: float64(time.Since(began).Microseconds()) / 1000}
	if up {
		state.Status = "up"
	}
	return state
}

func (t target) answers(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.url, nil)
	if err != nil {
		return false
	}
	response, err := t.transport.RoundTrip(request)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // read to the end, so that the connection is kept
	_ = response.Body.Close()
	return err == nil && response.StatusCode == http.StatusOK
}
