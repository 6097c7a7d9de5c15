package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/load"
)

// The ways to one and the same backend, which does nothing but answer.
const (
	hopDirect    = "no proxy"
	hopOurs      = "api-gateway"
	hopNginx     = "nginx"
	hopHAProxy   = "haproxy"
	hopReference = "httputil.ReverseProxy, tuned"
)

// hop is one of them. A proxy starts in front of a backend's address; without a start there is none.
type hop struct {
	name  string
	start func(ctx context.Context, b *bench, backend string) (*instance, error)
}

var hops = []hop{{name: hopDirect}, {hopOurs, startOwnGateway}, {hopNginx, startNginx}, {hopHAProxy, startHAProxy}, {hopReference, startReference}}

// The gateway gathers both into frames.
const (
	hopPost = "POST /v1/orders"
	hopGet  = "GET /v1/orders/{id}"
)

// hopSteps are the requests of a small order path, and the kind under which the load generator reports them.
var hopSteps = []struct {
	workload
	kind load.Kind
}{{workload{name: hopPost, scenario: load.Hot}, load.Place}, {workload{name: hopGet, scenario: load.Reads}, load.Read}}

// errMissing is a program of somebody else that is not installed: what needs it is left out, and that is said.
var errMissing = errors.New("not installed (make bench-prepare installs it)")

// measureHops measures what a proxy costs before an order reaches its service, all in turns.
func (b *bench) measureHops(ctx context.Context) (err error) {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	backend := &instance{}
	b.defer_(backend.stop)
	if err := backend.run(ctx, b, "hop", address, "-listen", address); err != nil {
		return err
	}
	instances := map[string]*instance{}
	for _, h := range hops {
		at := &instance{url: "http://" + address}
		if h.start != nil {
			at, err = h.start(ctx, b, address)
		}
		if at != nil {
			b.defer_(at.stop)
		}
		switch {
		case errors.Is(err, errMissing):
			b.omit("%s: %v", h.name, err)
		case err != nil:
			return fmt.Errorf("start %s: %w", h.name, err)
		default:
			instances[h.name] = at
		}
	}
	return b.measureHopRounds(ctx, instances)
}

func (b *bench) measureHopRounds(ctx context.Context, instances map[string]*instance) error {
	for round := range b.rounds {
		for _, step := range hopSteps {
			for _, h := range hops {
				if instances[h.name] == nil {
					continue
				}
				m, err := b.measureHop(ctx, instances[h.name], step.workload, step.kind)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", h.name, step.name, err)
				}
				say("round %d of %d, %-20s %-30s %7.0f requests/s, %.2f CPU-seconds for 10,000", round+1, b.rounds, step.name, h.name, m.rate, m.proxyCPU())
				b.results.add(h.name, step.name, m)
			}
		}
	}
	return nil
}

func (b *bench) measureHop(ctx context.Context, at *instance, w workload, kind load.Kind) (m measurement, err error) {
	w.clients = b.hopClients
	cfg := b.load(at, w, 200*time.Millisecond)
	cfg.Ready, cfg.Prefix = true, skuPrefix
	if _, err := load.Run(ctx, cfg); err != nil { // to open and warm up connections
		return m, err
	}
	before, err := b.costs(ctx, at)
	if err != nil {
		return m, err
	}
	cfg.Duration = b.brief()
	report, err := load.Run(ctx, cfg)
	if err != nil {
		return m, err
	}
	if report.Failures() > 0 {
		return m, fmt.Errorf("%d failures: %+v", report.Failures(), report.Kinds)
	}
	m = measurement{rate: report.RequestsPerSecond, orders: report.RequestsPerSecond * report.Seconds,
		p50: report.Percentile(kind, 50), p99: report.Percentile(kind, 99)}
	after, err := b.costs(ctx, at)
	m.charge(before, after)
	return m, err
}

// proxyName is the process that a hop's CPU is read of.
const proxyName = "proxy"

// proxyCPU is in CPU-seconds for 10,000 requests.
func (m measurement) proxyCPU() float64 { return m.cpu[proxyName] * 10 }

// startProxy starts a program that forwards from a free address to the backend. command gets the address.
func startProxy(ctx context.Context, b *bench, command func(address string) (*exec.Cmd, error)) (*instance, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	cmd, err := command(address)
	if err != nil {
		return nil, err
	}
	at := &instance{url: "http://" + address}
	return at, at.launch(ctx, b, proxyName, address, cmd)
}

func startReference(ctx context.Context, b *bench, backend string) (*instance, error) {
	return startProxy(ctx, b, func(address string) (*exec.Cmd, error) {
		return exec.Command(filepath.Join(b.bin, "hop"), "-listen", address, "-to", "http://"+backend), nil
	})
}

func startOwnGateway(ctx context.Context, b *bench, backend string) (*instance, error) {
	at := &instance{}
	url := "http://" + backend
	if err := at.runGateway(ctx, b, map[string]string{"pedidos": url, "pagamentos": url, "estoque": url}); err != nil {
		return at, err
	}
	at.processes[0].name = proxyName
	return at, nil
}

// nginxConfig keeps connections on both sides and writes no log: what costs is the hop.
const nginxConfig = `daemon off;
worker_processes auto;
worker_rlimit_nofile 8192;
pid DIR/nginx.pid;
error_log stderr error;
events { worker_connections 4096; }
http {
	access_log off;
	keepalive_requests 100000000;
	client_body_temp_path DIR/nginx-body;
	proxy_temp_path DIR/nginx-proxy;
	fastcgi_temp_path DIR/nginx-fastcgi;
	uwsgi_temp_path DIR/nginx-uwsgi;
	scgi_temp_path DIR/nginx-scgi;
	upstream backend { server BACKEND; keepalive 1024; keepalive_requests 100000000; }
	server {
		listen ADDRESS;
		location / {
			proxy_pass http://backend;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_set_header Host $host;
			proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
		}
	}
}
`

func startNginx(ctx context.Context, b *bench, backend string) (*instance, error) {
	return startConfigured(ctx, b, "nginx", nginxConfig, backend, "-p", b.dir, "-e", "stderr", "-c")
}

const haproxyConfig = `global
	maxconn 8192
defaults
	mode http
	option http-keep-alive
	http-reuse always
	option forwardfor
	timeout connect 5s
	timeout client 60s
	timeout server 60s
frontend front
	bind ADDRESS
	default_backend back
backend back
	server one BACKEND pool-max-conn 1024
`

func startHAProxy(ctx context.Context, b *bench, backend string) (*instance, error) {
	return startConfigured(ctx, b, "haproxy", haproxyConfig, backend, "-db", "-f")
}

// startConfigured starts a proxy of somebody else, whose last argument is its configuration's file.
func startConfigured(ctx context.Context, b *bench, name, config, backend string, args ...string) (*instance, error) {
	return startProxy(ctx, b, func(address string) (*exec.Cmd, error) {
		program, err := findProgram(name, "/usr/sbin/"+name)
		if err != nil {
			return nil, err
		}
		file := filepath.Join(b.dir, name+".conf")
		config := strings.NewReplacer("DIR", b.dir, "ADDRESS", address, "BACKEND", backend).Replace(config)
		return exec.Command(program, append(args, file)...), os.WriteFile(file, []byte(config), 0o644)
	})
}

// findProgram looks in the PATH and then for the last file of a pattern: Debian's PATH has wrappers, or nothing, for some.
func findProgram(name, pattern string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("%s is %w", name, errMissing)
	}
	return found[len(found)-1], nil
}
