//go:build linux

package crash

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
	"github.com/pedidos-veloz/pedidos-veloz/internal/launch"
)

const (
	orderLease = 2 * time.Second // VELOZ_ORDER_LEASE of the systems under test
	// paymentLease is payments' attemptLease, which is no setting.
	paymentLease = 30 * time.Second

	// startLimit and stopLimit are generous, for machines that work for others too: how soon is measured and judged elsewhere.
	startLimit = 3 * time.Minute
	stopLimit  = time.Minute
)

// shape is one way to run the platform, and what can happen to it.
type shape struct {
	name     string
	split    bool // one process a service
	postgres bool
	standby  bool // PostgreSQL has one, and orders and payments have a second process each
	small    bool // the database's disk is small
	powerCut string
}

// shapes are what is broken. SQLite's disk forgets in the one, and is full in the other; so it is with PostgreSQL's server.
var shapes = []shape{
	{name: "one process, SQLite under power cuts", powerCut: "full"},
	{name: "four processes, SQLite on a small disk", split: true, small: true},
	{name: "one process, PostgreSQL on a small disk", postgres: true, small: true},
	{name: "six processes, PostgreSQL with a standby", split: true, postgres: true, standby: true},
}

// system is a running platform.
type system struct {
	shape    shape
	dir      string
	binaries string
	programs []*launch.Program // the gateway last
	links    []*link           // between the services
	cluster  *cluster
	disk     *disk
	api      *api
}

func (s *system) gateway() *launch.Program { return s.programs[len(s.programs)-1] }

// startSystem starts the platform, makes its items and stock, and leaves it ready. close it also after an error.
func startSystem(ctx context.Context, shape shape, binaries, dir string, settings ...string) (*system, error) {
	s := &system{shape: shape, dir: dir, binaries: binaries}
	token, err := s.prepare(ctx, settings)
	if err != nil {
		return s, err
	}
	for _, p := range s.programs {
		if err := p.Start(); err != nil {
			return s, err
		}
	}
	if err := s.awaitReady(ctx); err != nil {
		return s, err
	}
	s.api = newAPI(s.gateway().URL(), token)
	return s, s.stock(ctx)
}

func (s *system) prepare(ctx context.Context, settings []string) (token string, err error) {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return "", fmt.Errorf("make a folder: %w", err)
	}
	if s.shape.small {
		size := "320m" // three databases, of which each has a log of up to 64 MiB beside it: less is full by itself
		if s.shape.postgres {
			size = "384m"
		}
		if s.disk, err = mount(filepath.Join(s.dir, "disk"), size); err != nil {
			return "", err
		}
	}
	if s.shape.postgres {
		names := []string{"pedidos", "pagamentos", "estoque"}
		if s.cluster, err = newCluster(ctx, s.data("postgres"), s.shape.standby, names, settings...); err != nil {
			return "", err
		}
	}
	file := filepath.Join(s.dir, "api-keys.json")
	token, _, err = keys.Create(file, keys.Options{Name: "crash", Scopes: []keys.Scope{keys.Admin}}, time.Now())
	if err != nil {
		return "", err
	}
	return token, s.compose(file)
}

// data is a place for data: on the small disk, where there is one.
func (s *system) data(name string) string {
	if s.disk != nil {
		return filepath.Join(s.disk.dir, name)
	}
	return filepath.Join(s.dir, name)
}

func (s *system) database(name string) string {
	if s.shape.postgres {
		return "DATABASE_URL=" + s.cluster.url(name)
	}
	return "DATABASE_URL=sqlite://" + s.data(name+".db")
}

func (s *system) compose(keysFile string) error {
	if !s.shape.split {
		env := []string{"VELOZ_ORDER_LEASE=" + orderLease.String(), "SQLITE_POWER_CUT=" + s.shape.powerCut}
		if s.shape.postgres {
			env = append(env, s.database("pedidos"))
		}
		_, err := s.add("veloz", []string{"up", "--data", s.dir}, env...)
		return err
	}
	inventory, err := s.addLinked("servico-estoque", "ESTOQUE_SERVICE_URL", s.database("estoque"))
	if err != nil {
		return err
	}
	payments, err := s.addLinked("servico-pagamentos", "PAGAMENTOS_SERVICE_URL", s.database("pagamentos"))
	if err != nil {
		return err
	}
	orders, err := s.addLinked("servico-pedidos", "PEDIDOS_SERVICE_URL", s.database("pedidos"), "VELOZ_ORDER_LEASE="+orderLease.String(), inventory, payments)
	if err != nil {
		return err
	}
	if s.shape.standby { // nobody calls these: they take up what the others leave when they are killed or paused
		for i := range 2 {
			if _, err := s.add(s.programs[1+i].Name, nil, s.programs[1+i].Env...); err != nil {
				return err
			}
		}
	}
	_, err = s.add("api-gateway", nil, orders, inventory, payments, "VELOZ_API_KEYS_FILE="+keysFile)
	return err
}

func (s *system) add(name string, args []string, env ...string) (*launch.Program, error) {
	address, err := launch.FreeAddress()
	if err != nil {
		return nil, err
	}
	env = append([]string{"VELOZ_LOG_LEVEL=warn", "VELOZ_ALLOW_WEAK_DURABILITY=" + fmt.Sprint(s.weak())}, env...)
	if name == "api-gateway" {
		env = slices.Delete(env, 1, 2) // it has no database
	}
	p := &launch.Program{Name: name, Path: filepath.Join(s.binaries, name), Args: args, Env: env, Address: address}
	s.programs = append(s.programs, p)
	return p, nil
}

// weak tells whether this is a positive control, in which the database may lose what it acknowledged.
func (s *system) weak() bool { return strings.HasPrefix(s.shape.name, "control") }

// addLinked adds a service and the link over which others call it.
func (s *system) addLinked(name, variable string, env ...string) (peer string, err error) {
	p, err := s.add(name, nil, env...)
	if err != nil {
		return "", err
	}
	l, err := newLink(name, p.Address)
	if err != nil {
		return "", err
	}
	s.links = append(s.links, l)
	return variable + "=http://" + l.address(), nil
}

func (s *system) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for _, p := range s.programs {
		if err := p.AwaitReady(ctx, "/health/ready"); err != nil {
			return fmt.Errorf("%w\n%s", err, p.Log.Tail(4<<10))
		}
	}
	return s.gateway().AwaitReady(ctx, "/health/backends")
}

func (s *system) stock(ctx context.Context) error {
	for _, sku := range skus {
		r, err := s.api.send(ctx, http.MethodPut, "/v1/items/"+sku, "", "", map[string]any{"name": sku, "price_cents": 990})
		if err == nil && r.status == http.StatusOK {
			r, err = s.api.send(ctx, http.MethodPost, "/v1/stock-adjustments", "stock-"+sku, "", map[string]any{"sku": sku, "delta": stockOf(sku), "reason": "crash test"})
		}
		if err != nil || r.status != http.StatusCreated {
			return fmt.Errorf("make item %s: %d %s %w", sku, r.status, r.body, err)
		}
	}
	return nil
}

// close stops the platform in order and says what no program may ever have written.
func (s *system) close(ctx context.Context) error {
	var errs []error
	for _, p := range slices.Backward(s.programs) {
		errs = append(errs, p.End(syscall.SIGTERM, stopLimit))
		if accident := p.Log.Accident(); accident != "" {
			errs = append(errs, fmt.Errorf("%s wrote %s", p.Name, accident))
		}
	}
	for _, l := range s.links {
		l.cut()
	}
	if s.cluster != nil {
		errs = append(errs, s.cluster.stop(ctx))
	}
	if s.disk != nil {
		errs = append(errs, s.disk.unmount())
	}
	return errors.Join(errs...)
}
