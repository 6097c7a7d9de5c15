package httpx

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// A readiness probe is cheap to send and must be cheap to answer: at most one look at the dependencies in readyFor,
// and none that takes longer than checkTimeout.
const (
	readyFor     = 500 * time.Millisecond
	checkTimeout = time.Second
)

// Check looks at one thing that a service needs, such as its database.
type Check struct {
	Name  string // public: it is in the answer
	Probe func(ctx context.Context) error
}

// HealthConfig shapes Health.
type HealthConfig struct {
	Service  string
	Version  string
	Draining func() bool // may be nil
	Checks   []Check
	Logger   *slog.Logger
}

// Health answers `GET /health`, `GET /health/live` and `GET /health/ready`, and 404 below that.
// The first two never look at a dependency: restarting a service does not heal its database. Readiness does, and fails
// first when the service drains: 503 with the failing checks' names.
func Health(cfg HealthConfig) http.Handler {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	h := &health{cfg: cfg}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", h.live)
	mux.HandleFunc("GET /health/live", h.live)
	mux.HandleFunc("GET /health/ready", h.ready)
	mux.HandleFunc("/health", notGet)
	mux.HandleFunc("/health/live", notGet)
	mux.HandleFunc("/health/ready", notGet)
	mux.HandleFunc("/", NotFound)
	return mux
}

func notGet(w http.ResponseWriter, r *http.Request) { MethodNotAllowed(w, r, "GET,HEAD") }

type health struct {
	cfg HealthConfig

	mu      sync.Mutex
	looked  time.Time
	failing []string
}

type healthBody struct {
	Status  string   `json:"status"`
	Service string   `json:"service"`
	Version string   `json:"version"`
	Failing []string `json:"failing,omitempty"`
}

func (h *health) live(w http.ResponseWriter, _ *http.Request) { h.write(w, "ok", nil) }

func (h *health) ready(w http.ResponseWriter, _ *http.Request) {
	if h.cfg.Draining != nil && h.cfg.Draining() {
		h.write(w, "draining", []string{"draining"})
		return
	}
	if failing := h.look(); len(failing) > 0 {
		h.write(w, "unavailable", failing)
		return
	}
	h.write(w, "ok", nil)
}

func (h *health) write(w http.ResponseWriter, status string, failing []string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if len(failing) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(healthBody{status, h.cfg.Service, h.cfg.Version, failing})
}

// look runs the checks, one run at a time; who waits for it shares its result. The checks do not run under the request's
// context: a probe that gives up must not spoil the answer that others share.
func (h *health) look() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.looked.IsZero() && time.Since(h.looked) < readyFor {
		return h.failing
	}
	failing := h.run()
	if len(failing) != len(h.failing) {
		h.cfg.Logger.Warn("readiness changed", "failing", failing)
	}
	h.failing, h.looked = failing, time.Now()
	return failing
}

func (h *health) run() []string {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	errs := make([]error, len(h.cfg.Checks))
	var wg sync.WaitGroup
	for i, check := range h.cfg.Checks {
		wg.Go(func() { errs[i] = probe(ctx, check) })
	}
	wg.Wait()
	var failing []string
	for i, err := range errs {
		if err != nil {
			failing = append(failing, h.cfg.Checks[i].Name)
			h.cfg.Logger.Debug("check failed", "check", h.cfg.Checks[i].Name, "error", err)
		}
	}
	return failing
}

// probe returns when ctx ends even if the check does not.
func probe(ctx context.Context, check Check) error {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- fmt.Errorf("check %s panicked: %s", check.Name, panicText(v))
			}
		}()
		done <- check.Probe(ctx)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
