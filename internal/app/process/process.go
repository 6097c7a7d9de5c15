// Package process is what every program of the product has in common: settings, logs, metrics, traces, a server, an admin
// server, and an orderly end. The packages beside it compose one service each; veloz composes them all.
package process

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/frames"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/lifecycle"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/telemetry"
)

// Version and Commit are stamped in by the linker: -ldflags "-X …/internal/app/process.Version=…".
var (
	Version = "dev"
	Commit  = ""
)

// Program is one of the product's programs.
type Program struct {
	Name        string
	Description string
	Listen      string // default address
	Edge        bool   // whether requests come from outside
}

// Runtime is what a program gives the services that run in it.
type Runtime struct {
	Program Program
	Log     *slog.Logger
	Metrics *telemetry.Metrics
	Tracing *telemetry.Tracing
	Clock   clock.Clock
	IDs     *id.Source
	Bodies  httpx.BodyLimits
}

// Component is a service that was composed and can be served.
type Component struct {
	Handler http.Handler
	// Route names the operation of a request, for metrics and traces.
	Route  func(*http.Request) string
	Checks []httpx.Check
	// Frames says that the gateway may send requests in batches.
	Frames bool
}

// exitUsage is the exit code of settings that cannot be; a start that fails, and what fails later, have 1.
const exitUsage = 2

// Main runs a program until it is told to stop, and returns its exit code. settings is a pointer to a struct with kong's
// tags; start composes and serves. `PROGRAM healthcheck` asks the running program whether it is ready.
func Main(program Program, args []string, settings any, common *config.Service, start func(ctx context.Context, stack *lifecycle.Stack, rt *Runtime) error) int {
	if len(args) > 0 && args[0] == "healthcheck" {
		return healthcheck(program, args[1:], settings, common)
	}
	parsed, err := config.Parse(settings, config.Program{
		Name: program.Name, Description: program.Description, Version: VersionText(), Args: args, Env: os.Environ(),
		Vars: map[string]string{"listen_address": program.Listen},
	})
	if err != nil {
		fail(os.Stderr, program.Name, err)
		return exitUsage
	}
	if parsed == nil {
		return 0
	}
	if err := Run(context.Background(), program, *common, start); err != nil {
		return fail(os.Stderr, program.Name, err)
	}
	return 0
}

// Run is Main after the settings were read.
func Run(ctx context.Context, program Program, common config.Service, start func(ctx context.Context, stack *lifecycle.Stack, rt *Runtime) error) error {
	relaxCollector()
	log, err := telemetry.NewLogger(telemetry.LogConfig{Level: common.LogLevel, Format: common.LogFormat, Output: os.Stdout})
	if err != nil {
		return fmt.Errorf("make logger: %w", err)
	}
	log = log.With(slog.String("service", program.Name))
	slog.SetDefault(log)
	runner := lifecycle.Runner{ShutdownTimeout: common.ShutdownTimeout, Logger: log}
	return runner.Run(ctx, func(ctx context.Context, stack *lifecycle.Stack) error {
		rt, err := newRuntime(program, log, stack)
		if err != nil {
			return err
		}
		rt.Bodies = httpx.BodyLimits{Public: int64(common.MaxBody), Internal: int64(common.MaxInternalBody)}
		return start(ctx, stack, rt)
	})
}

// relaxCollector lets the heap grow to three times of what lives before it is collected, where Go's default is twice: a
// service keeps few megabytes and makes kilobytes of garbage a request, so collections are frequent and cheap to avoid.
// `go test -bench InProcess ./internal/app/orderpath` with GOGC=100, 200 and 400: 200 saves a fifth of the request path's
// CPU, and 400 no more than noise while the heap doubles once again. GOGC decides where it is set, GOMEMLIMIT in any case.
func relaxCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
}

func newRuntime(program Program, log *slog.Logger, stack *lifecycle.Stack) (*Runtime, error) {
	tracing, err := telemetry.NewTracing(telemetry.TraceConfig{Service: program.Name, Version: VersionText(), Edge: program.Edge, Getenv: os.Getenv, Logger: log})
	if err != nil {
		return nil, fmt.Errorf("set up traces: %w", err)
	}
	stack.Defer("traces", tracing.Shutdown)
	return &Runtime{Program: program, Log: log, Metrics: telemetry.NewMetrics(program.Name, VersionText()), Tracing: tracing,
		Clock: clock.System{}, IDs: id.SystemSource()}, nil
}

// Serve puts a component onto the network, with health beside it, and the admin server when there is an address for it.
// It returns the server, whose Addr tells the port that was picked.
func (rt *Runtime) Serve(stack *lifecycle.Stack, common config.Service, component Component) (*httpx.Server, error) {
	var server *httpx.Server
	health := rt.health(component, func() bool { return server.Draining() })
	component.Handler = rt.Metrics.HTTP(component.Route)(rt.Tracing.HTTP(component.Route)(component.Handler))
	handler := withHealth(component.Handler, health)
	if component.Frames {
		one := httpx.RequestID(httpx.Recover(rt.Log)(component.Handler))
		handler = at(frames.Path, frames.Handler(one), handler)
	}
	server = rt.newServer(stack, common, handler)
	return server, rt.listen(stack, common, server, health)
}

// Backend is a component's handler with its health beside it, for a gateway in the same process.
func (rt *Runtime) Backend(component Component) http.Handler {
	return withHealth(component.Handler, rt.health(component, nil))
}

func withHealth(handler, health http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path := r.URL.Path; path == "/health" || strings.HasPrefix(path, "/health/") {
			health.ServeHTTP(w, r)
			return
		}
		handler.ServeHTTP(w, r)
	})
}

// at serves one path apart from the others. Every request comes by here, so this compares strings where http.ServeMux
// matches patterns, for three allocations.
func at(path string, special, others http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			special.ServeHTTP(w, r)
			return
		}
		others.ServeHTTP(w, r)
	})
}

func (rt *Runtime) health(component Component, draining func() bool) http.Handler {
	return httpx.Health(httpx.HealthConfig{Service: rt.Program.Name, Version: VersionText(), Draining: draining, Checks: component.Checks, Logger: rt.Log})
}

func (rt *Runtime) newServer(stack *lifecycle.Stack, common config.Service, handler http.Handler) *httpx.Server {
	return httpx.New(httpx.ServerConfig{Name: rt.Program.Name, Address: common.ListenAddress, Logger: rt.Log,
		Plain: true, DrainLag: common.DrainLag, OnFailure: stack.Fail}, handler)
}

// ServeEdge is Serve for a handler that answers for its health itself, as the gateway does: it is made when the server is
// there, so that it can tell whether that drains.
func (rt *Runtime) ServeEdge(stack *lifecycle.Stack, common config.Service, compose func(draining func() bool) (Component, error)) (*httpx.Server, error) {
	var server *httpx.Server
	draining := func() bool { return server.Draining() }
	component, err := compose(draining)
	if err != nil {
		return nil, err
	}
	server = rt.newServer(stack, common, rt.Metrics.HTTP(component.Route)(rt.Tracing.HTTP(component.Route)(component.Handler)))
	return server, rt.listen(stack, common, server, rt.health(component, draining))
}

// ListenError is a server that got no port. Flag is what picks another one.
type ListenError struct {
	Flag string
	Err  error
}

// Error implements error.
func (e *ListenError) Error() string {
	return fmt.Sprintf("%v (is another program using the port? %s picks another)", e.Err, e.Flag)
}

// Unwrap gives the reason.
func (e *ListenError) Unwrap() error { return e.Err }

func (rt *Runtime) listen(stack *lifecycle.Stack, common config.Service, server *httpx.Server, health http.Handler) error {
	if common.AdminAddress != "" {
		admin := telemetry.NewAdminServer(common.AdminAddress, rt.Metrics, health, rt.Log)
		if err := admin.Start(); err != nil {
			return &ListenError{"--admin-address", err}
		}
		stack.Defer("admin server", admin.Shutdown)
	}
	if err := server.Start(); err != nil {
		return &ListenError{"--listen-address", err}
	}
	stack.Defer("server", server.Shutdown)
	rt.Log.Info("serving", slog.String("address", server.Addr()), slog.String("version", VersionText()))
	return nil
}

// VersionText is the version and, where it is known, the commit.
func VersionText() string {
	commit := Commit
	if commit == "" {
		commit = vcsRevision()
	}
	if commit == "" {
		return Version
	}
	return Version + "+" + commit[:min(12, len(commit))]
}

func vcsRevision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value
		}
	}
	return ""
}

func fail(w io.Writer, name string, err error) int {
	fmt.Fprintf(w, "%s: %v\n", name, err)
	return 1
}

// healthcheckTimeout is below the usual time-out of a container's health check.
const healthcheckTimeout = 2 * time.Second
