package rolling_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
)

const (
	startLimit = 3 * time.Minute
	stopLimit  = 40 * time.Second
	replicas   = 2
)

// instance is one process of a service.
type instance struct {
	address string
	cmd     *exec.Cmd
	log     *os.File
	done    chan error
}

// service is a Deployment: its balancer, its instances, and what each of them is told.
type service struct {
	name      string
	env       []string
	balancer  *balancer
	instances []*instance
}

// platform is the four services and the way in.
type platform struct {
	services []*service // callees first
	token    string
	drain    time.Duration // how long an instance serves on after it was told to go
	lag      time.Duration // how late the balancers hear of it
	logs     string
}

func (p *platform) gateway() *service { return p.services[len(p.services)-1] }

// startPlatform starts two instances of each service over databases of their own.
func startPlatform(t *testing.T, binaries string, drain, lag time.Duration) *platform {
	t.Helper()
	p := &platform{drain: drain, lag: lag, logs: t.TempDir()}
	keysFile := filepath.Join(t.TempDir(), "api-keys.json")
	token, _, err := keys.Create(keysFile, keys.Options{Name: "rolls", Scopes: []keys.Scope{keys.Admin}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	p.token = token
	database := func() []string { return []string{"DATABASE_URL=" + pgtest.URL(t), "VELOZ_DATABASE_MAX_CONNS=4"} }
	inventory := &service{name: "servico-estoque", balancer: newBalancer(t), env: database()}
	payments := &service{name: "servico-pagamentos", balancer: newBalancer(t), env: database()}
	peers := []string{"ESTOQUE_SERVICE_URL=" + inventory.balancer.url(), "PAGAMENTOS_SERVICE_URL=" + payments.balancer.url()}
	const patience = "VELOZ_MAX_WAIT=25s" // an order that is late has failed no request
	orders := &service{name: "servico-pedidos", balancer: newBalancer(t), env: append(append(database(), patience), peers...)}
	gateway := &service{name: "api-gateway", balancer: newBalancer(t),
		env: append([]string{"PEDIDOS_SERVICE_URL=" + orders.balancer.url(), "VELOZ_API_KEYS_FILE=" + keysFile}, peers...)}
	p.services = []*service{inventory, payments, orders, gateway}
	t.Cleanup(func() { p.stop(t) })
	for _, s := range p.services {
		for range replicas {
			p.grow(t, binaries, s)
		}
	}
	return p
}

// grow starts one more instance and gives it to the balancer once it is ready.
func (p *platform) grow(t *testing.T, binaries string, s *service) {
	t.Helper()
	in := &instance{address: freeAddress(t), done: make(chan error, 1)}
	var err error
	if in.log, err = os.CreateTemp(p.logs, s.name); err != nil {
		t.Fatal(err)
	}
	in.cmd = exec.Command(filepath.Join(binaries, s.name))
	in.cmd.Env = append([]string{"VELOZ_LISTEN_ADDRESS=" + in.address, "VELOZ_DRAIN_LAG=" + p.drain.String()}, s.env...)
	in.cmd.Stdout, in.cmd.Stderr = in.log, in.log
	if err := in.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", s.name, err)
	}
	go func() { in.done <- in.cmd.Wait() }()
	s.instances = append(s.instances, in)
	in.awaitReady(t, s.name)
	s.balancer.add(in.address)
}

func (in *instance) awaitReady(t *testing.T, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for tick := time.Tick(20 * time.Millisecond); ; {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+in.address+"/health/ready", nil)
		if err != nil {
			t.Fatal(err)
		}
		if response, err := client.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-tick:
		case err := <-in.done:
			t.Fatalf("%s ended instead of becoming ready: %v\n%s", name, err, in.tail())
		case <-ctx.Done():
			t.Fatalf("%s was not ready after %s\n%s", name, startLimit, in.tail())
		}
	}
}

// shrink tells the oldest instance to go. The balancer hears of it later, as in a cluster: until then it sends on.
func (p *platform) shrink(t *testing.T, s *service) {
	t.Helper()
	oldest := s.instances[0]
	s.instances = s.instances[1:]
	late := time.NewTimer(p.lag)
	defer late.Stop()
	if err := oldest.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("signal %s: %v", s.name, err)
	}
	<-late.C
	s.balancer.remove(oldest.address)
	oldest.awaitEnd(t, s.name)
}

func (in *instance) awaitEnd(t *testing.T, name string) {
	t.Helper()
	select {
	case err := <-in.done:
		if err != nil {
			t.Errorf("%s left with %v\n%s", name, err, in.tail())
		}
	case <-time.After(stopLimit):
		_ = in.cmd.Process.Kill()
		t.Errorf("%s was not gone %s after SIGTERM\n%s", name, stopLimit, in.tail())
	}
}

// stop ends everything, the gateways first.
func (p *platform) stop(t *testing.T) {
	for i := range p.services {
		s := p.services[len(p.services)-1-i]
		var gone sync.WaitGroup
		for _, in := range s.instances {
			_ = in.cmd.Process.Signal(syscall.SIGTERM) // an error says that it is gone, which awaitEnd tells
			gone.Go(func() { in.awaitEnd(t, s.name) })
		}
		gone.Wait()
	}
}

// tail is the end of the instance's log.
func (in *instance) tail() string {
	text, err := os.ReadFile(in.log.Name())
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	return strings.TrimSpace(string(text[max(0, len(text)-4000):]))
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
