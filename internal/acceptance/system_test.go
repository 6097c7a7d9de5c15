package acceptance_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
)

// The names of the keys that every system has.
const (
	admin   = "admin"
	revoked = "revoked"
	expired = "expired"
	other   = "other"   // another caller that may do everything with orders
	limited = "limited" // may do everything, slowly
	bot     = "bot"     // the same
)

// limitedRate is how many requests a second those two may send.
const limitedRate = 5

// system is a running platform.
type system struct {
	gateway  *program
	programs []*program // the gateway last
	tokens   map[string]string
	ids      map[string]string // of the keys
	keysFile string
	client   *http.Client
}

// owners are the services that know a setting; what is not here is known to all. An unknown one stops a program.
var owners = map[string]string{"VELOZ_ORDER_LEASE": "servico-pedidos", "VELOZ_PIX_EXPIRY": "servico-pagamentos", "VELOZ_MAX_WAIT": "servico-pedidos",
	"VELOZ_ANONYMOUS_RATE_LIMIT": "api-gateway"}

// start runs the platform in a shape, with more settings for the processes that know them, and stops it after the test.
func start(t *testing.T, shape shape, settings ...string) *system {
	t.Helper()
	s := assemble(t, shape, settings...)
	s.launch(t)
	return s
}

// assemble is a platform that was not started yet.
func assemble(t *testing.T, shape shape, settings ...string) *system {
	t.Helper()
	dir := t.TempDir()
	s := &system{tokens: map[string]string{}, ids: map[string]string{}, client: newClient(64)}
	s.keysFile = filepath.Join(dir, "api-keys.json")
	s.makeKeys(t, s.keysFile)
	s.programs = programs(t, shape, dir)
	s.gateway = s.programs[len(s.programs)-1]
	for _, p := range s.programs {
		for _, setting := range settings {
			name, _, _ := strings.Cut(setting, "=")
			if owner := owners[name]; owner == "" || owner == p.Name || p.Name == "veloz" {
				p.Env = append(p.Env, setting)
			}
		}
	}
	return s
}

func (s *system) launch(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		s.stop(t)
		for _, p := range s.programs {
			p.check(t)
		}
	})
	for _, p := range s.programs {
		p.start(t)
	}
	s.awaitReady(t)
}

// stop ends the gateway first, then what it calls. What has ended is left alone.
func (s *system) stop(t *testing.T) {
	t.Helper()
	s.client.CloseIdleConnections()
	for i := range s.programs {
		s.programs[len(s.programs)-1-i].stop(t)
	}
}

func (s *system) awaitReady(t *testing.T) {
	t.Helper()
	for _, p := range s.programs {
		p.awaitReady(t, "/health/ready")
	}
	s.gateway.awaitReady(t, "/health/backends")
}

func programs(t *testing.T, shape shape, dir string) []*program {
	t.Helper()
	if !shape.split {
		args := []string{"up", "--data", dir}
		if shape.postgres {
			args = append(args, "--database", pgtest.URL(t))
		}
		return []*program{newProgram(t, "veloz", args, nil)}
	}
	database := func(name string) string {
		if shape.postgres {
			return "DATABASE_URL=" + pgtest.URL(t)
		}
		return "DATABASE_URL=sqlite://" + filepath.Join(dir, name+".db")
	}
	inventory := newProgram(t, "servico-estoque", nil, []string{database("inventory")})
	payments := newProgram(t, "servico-pagamentos", nil, []string{database("payments")})
	peers := []string{"ESTOQUE_SERVICE_URL=" + inventory.URL(), "PAGAMENTOS_SERVICE_URL=" + payments.URL()}
	orders := newProgram(t, "servico-pedidos", nil, append([]string{database("orders")}, peers...))
	gateway := newProgram(t, "api-gateway", nil, append([]string{
		"PEDIDOS_SERVICE_URL=" + orders.URL(), "VELOZ_API_KEYS_FILE=" + filepath.Join(dir, "api-keys.json")}, peers...))
	return []*program{inventory, payments, orders, gateway}
}

// makeKeys makes a key for each scope, by the scope's name, and those that are no good any more.
func (s *system) makeKeys(t *testing.T, file string) {
	t.Helper()
	create := func(now time.Time, o keys.Options) {
		token, key, err := keys.Create(file, o, now)
		if err != nil {
			t.Fatal(err)
		}
		s.tokens[o.Name], s.ids[o.Name] = token, key.ID
	}
	now, all := time.Now(), []keys.Scope{keys.Admin}
	for _, scope := range keys.AllScopes() {
		create(now, keys.Options{Name: scope.String(), Scopes: []keys.Scope{scope}})
	}
	create(now.Add(-2*time.Hour), keys.Options{Name: expired, Scopes: all, ExpiresAt: now.Add(-time.Hour)})
	create(now, keys.Options{Name: revoked, Scopes: all})
	create(now, keys.Options{Name: other, Scopes: []keys.Scope{keys.OrdersRead, keys.OrdersWrite}})
	create(now, keys.Options{Name: limited, Scopes: all, RateLimit: limitedRate})
	create(now, keys.Options{Name: bot, Scopes: all, RateLimit: limitedRate})
	if _, err := keys.Revoke(file, s.ids[revoked], now); err != nil {
		t.Fatal(err)
	}
}

// newClient keeps its connections: a thousand handshakes would measure the kernel.
func newClient(connections int) *http.Client {
	return &http.Client{Timeout: 45 * time.Second, Transport: &http.Transport{
		MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections, IdleConnTimeout: 30 * time.Second}}
}

// TestFirstStart is what a newcomer sees: a key that nobody else can read, a catalogue, and a curl that works.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	p := newProgram(t, "veloz", []string{"up", "--demo", "--data", dir}, nil)
	for _, stock := range []float64{5000, 4998} { // the second start finds everything again, and loads nothing twice
		began := time.Now()
		p.start(t)
		p.awaitReady(t, "/health")
		t.Logf("ready after %s", time.Since(began))
		s := &system{gateway: p, tokens: map[string]string{admin: adminKey(t, dir)}, client: newClient(1)}
		a := s.api(t, admin)
		if got := a.get("/v1/items/CAFE-500G").want(http.StatusOK).object()["available"]; got != stock {
			t.Errorf("%v units of coffee, want %v", got, stock)
		}
		if o := a.place(card("tok_approved", line{"CAFE-500G", 2})).want(http.StatusCreated).order(); o.Status != "confirmed" {
			t.Errorf("the first order is %s", o.Status)
		}
		p.stop(t)
	}
	if out := p.Log.String(); !strings.Contains(out, "curl -s") || !strings.Contains(out, "/docs") {
		t.Errorf("the welcome lacks the curl or the documentation: %s", out)
	}
	p.check(t)
}

func adminKey(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(dir, "admin-key")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the administrator's key has mode %o", info.Mode().Perm())
	}
	key, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(key))
}
