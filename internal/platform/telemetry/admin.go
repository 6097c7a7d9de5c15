package telemetry

import (
	"log/slog"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// NewAdminServer serves `/metrics`, `/debug/pprof/`, `/livez` and `/readyz` on an address of its own: profiles and
// metrics tell much, so the address belongs to the cluster and not behind the gateway. health is httpx.Health.
func NewAdminServer(address string, metrics *Metrics, health http.Handler, logger *slog.Logger) *httpx.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics.Handler())
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.Handle("GET /livez", at("/health/live", health))
	mux.Handle("GET /readyz", at("/health/ready", health))
	return httpx.New(httpx.ServerConfig{
		Name: "admin", Address: address, Logger: logger,
		WriteTimeout: 2 * time.Minute, // a profile takes as long as it was asked to
	}, mux)
}

func at(path string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.Clone(r.Context())
		r.URL.Path, r.URL.RawPath = path, ""
		next.ServeHTTP(w, r)
	})
}
