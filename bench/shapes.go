package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/load"
)

// plan is one way to take orders.
type plan struct {
	name     string
	postgres bool
	ours     bool
	start    func(ctx context.Context, s *shape, w workload) (*instance, error)
	tuned    bool // an instance for each workload, with the best pool for it
}

const (
	conventionalName = "conventional (transaction)"
	functionName     = "conventional (stored function)"
	oneSQLite        = "ours, one process, SQLite"
	onePostgres      = "ours, one process, PostgreSQL"
	fourPostgres     = "ours, four processes, PostgreSQL"
)

var plans = []plan{
	{name: conventionalName, postgres: true, tuned: true, start: startConventional(false)},
	{name: functionName, postgres: true, tuned: true, start: startConventional(true)},
	{name: oneSQLite, ours: true, start: startOne},
	{name: onePostgres, postgres: true, ours: true, start: startOne},
	{name: fourPostgres, postgres: true, ours: true, start: startFour},
	{name: ceilingSQLite, start: startPipeline},
	{name: ceilingPostgres, postgres: true, start: startPipeline},
}

// shape is a plan that was started: one instance, or one for each workload.
type shape struct {
	plan      plan
	bench     *bench
	instances map[string]*instance
}

// instance is a set of processes that take orders at a URL.
type instance struct {
	plan      plan
	url, key  string
	processes []program
	database  string // of one process
	balancers []*balancer
	pipeline  *pipeline // of a ceiling, which has no processes and no URL
}

type program struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}
}

func (s *shape) instance(w workload) *instance {
	if !s.plan.tuned {
		w = workloads[0]
	}
	return s.instances[w.name]
}

func (s *shape) start(ctx context.Context) error {
	s.instances = map[string]*instance{}
	for _, w := range workloads {
		if len(s.instances) > 0 && !s.plan.tuned {
			break
		}
		began := time.Now()
		at, err := s.plan.start(ctx, s, w)
		if at != nil {
			at.plan = s.plan
			s.instances[w.name] = at
		}
		if err != nil {
			return err
		}
		if s.plan.ours {
			if err := s.introduce(ctx, at, time.Since(began)); err != nil {
				return err
			}
		}
	}
	return nil
}

// introduce notes what a shape of ours costs before any order, sets up the stock, and checks that it keeps the truth: a
// rate of lies is worth nothing.
func (s *shape) introduce(ctx context.Context, at *instance, healthy time.Duration) error {
	var memory int64
	for _, p := range at.processes {
		resident, err := residentMemory(p.cmd.Process.Pid)
		if err != nil {
			return err
		}
		memory += resident
	}
	s.bench.results.starts[s.plan.name] = startCost{healthy, memory}
	for _, w := range workloads {
		cfg := s.bench.load(at, w, time.Second)
		cfg.Prefix, cfg.Stock, cfg.ReadBack = skuPrefix, 100_000_000, 100_000
		report, err := load.Run(ctx, cfg)
		if err != nil {
			return err
		}
		if !report.Truth.OK() || report.Failures() > 0 {
			return fmt.Errorf("the truth does not hold: %+v, %d failures", *report.Truth, report.Failures())
		}
	}
	return nil
}

func (s *shape) stop() error {
	var errs []error
	for _, at := range s.instances {
		errs = append(errs, at.stop())
	}
	return errors.Join(errs...)
}

func (s *shape) freeze() error {
	for _, at := range s.instances {
		if err := at.freeze(); err != nil {
			return err
		}
	}
	return nil
}

func (at *instance) freeze() error { return at.signal(syscall.SIGSTOP) }

func (at *instance) thaw() error { return at.signal(syscall.SIGCONT) }

func (at *instance) signal(sig syscall.Signal) error {
	for _, p := range at.processes {
		if err := p.cmd.Process.Signal(sig); err != nil {
			return fmt.Errorf("%s to %s: %w", sig, p.name, err)
		}
	}
	return nil
}

func (at *instance) stop() error {
	if at.pipeline != nil {
		at.pipeline.close()
	}
	_ = at.thaw() // one that is gone needs no thaw
	for i := len(at.processes) - 1; i >= 0; i-- {
		p := at.processes[i]
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(30 * time.Second):
			_ = p.cmd.Process.Kill()
			<-p.done
		}
	}
	var errs []error
	for _, balancer := range at.balancers {
		errs = append(errs, balancer.close())
	}
	return errors.Join(errs...)
}

// run starts a program of ours and waits until it is ready.
func (at *instance) run(ctx context.Context, b *bench, name, address string, args ...string) error {
	cmd := exec.Command(filepath.Join(b.bin, name), args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")} // the settings of who runs this are not the program's
	return at.launch(ctx, b, name, address, cmd)
}

// launch starts a program with its output in a file, and waits until it answers at /health/ready.
func (at *instance) launch(ctx context.Context, b *bench, name, address string, cmd *exec.Cmd) error {
	log, err := os.CreateTemp(b.dir, name+"-*.log")
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the program has its own handle
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	p := program{name, cmd, make(chan struct{})}
	go func() {
		_ = cmd.Wait() // its end is seen by ready or by stop
		close(p.done)
	}()
	at.processes = append(at.processes, p)
	if err := ready(ctx, p, "http://"+address+"/health/ready"); err != nil {
		text, readErr := os.ReadFile(log.Name())
		return errors.Join(fmt.Errorf("start %s: %w\n%s", name, err, text), readErr)
	}
	return nil
}

func ready(ctx context.Context, p program, url string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-p.done:
			return errors.New("it ended")
		case <-ctx.Done():
			return errors.New("it did not become ready")
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// startConventional tries pool sizes on this workload and keeps the best.
func startConventional(function bool) func(context.Context, *shape, workload) (*instance, error) {
	return func(ctx context.Context, s *shape, w workload) (*instance, error) {
		name := map[bool]string{false: "transaction", true: "function"}[function] + "_" + strings.ReplaceAll(w.name, " ", "_")
		database, err := s.bench.postgres.CreateDatabase(ctx, name)
		if err != nil {
			return nil, err
		}
		best, most := 0, 0.0
		for _, connections := range slices.Concat(s.bench.tune, []int{0}) {
			last := connections == 0
			if last {
				connections = best
			}
			at, err := s.runConventional(ctx, database, connections, function)
			if err != nil || last {
				s.bench.results.pools[s.plan.name+", "+w.name] = best
				return at, err
			}
			s.instances[w.name] = at
			m, err := s.measure(ctx, w, min(s.bench.length, 3*time.Second))
			if err := errors.Join(err, at.stop()); err != nil {
				return nil, err
			}
			delete(s.instances, w.name)
			say("  %s, %d connections: %.0f orders/s", w.name, connections, m.rate)
			if m.rate > most {
				best, most = connections, m.rate
			}
		}
		return nil, errors.New("no pool size to try")
	}
}

func (s *shape) runConventional(ctx context.Context, database string, connections int, function bool) (*instance, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	at := &instance{plan: s.plan, url: "http://" + address}
	return at, at.run(ctx, s.bench, "conventional", address, "-listen", address, "-database", database, "-connections", strconv.Itoa(connections),
		"-function="+strconv.FormatBool(function), "-prefix", skuPrefix, "-skus", strconv.Itoa(s.bench.skus))
}

func startOne(ctx context.Context, s *shape, _ workload) (*instance, error) {
	data, err := os.MkdirTemp(s.bench.dir, "one-")
	if err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	args := []string{"up", "--data", data, "--listen-address", address, "--log-level", "warn"}
	database := ""
	if s.plan.postgres {
		database, err = s.bench.newDatabase(ctx, "one")
		if err != nil {
			return nil, err
		}
		args = append(args, "--database", database)
	}
	at := &instance{url: "http://" + address, database: database}
	if err := at.run(ctx, s.bench, "veloz", address, args...); err != nil {
		return at, err
	}
	key, err := os.ReadFile(filepath.Join(data, "admin-key"))
	at.key = strings.TrimSpace(string(key))
	return at, err
}
