package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/load"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
)

// bench is a run under way.
type bench struct {
	options
	dir      string // of all data; removed at the end
	postgres *pgtest.Server
	admin    *pgx.Conn
	shapes   []*shape
	results  results
	undo     []func() error

	databases int // that were made
}

// programs are built once, as they are shipped: the services' images have no embedded engine.
var (
	services = []string{"./cmd/api-gateway", "./cmd/servico-pedidos", "./cmd/servico-pagamentos", "./cmd/servico-estoque"}
	others   = []string{"./cmd/veloz", "./bench/conventional", "./bench/hop"}
	programs = slices.Concat(services, others)
)

func newBench(ctx context.Context, o options) (b *bench, err error) {
	b = &bench{options: o, results: newResults()}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if b.dir, err = os.MkdirTemp("", "veloz-bench-"); err != nil {
		return b, err
	}
	b.defer_(func() error { return os.RemoveAll(b.dir) })
	if err := os.Chmod(b.dir, 0o755); err != nil { // PostgreSQL runs as another user when this is root
		return b, err
	}
	if b.bin == "" {
		b.bin = filepath.Join(b.dir, "bin")
		if err := b.build(ctx); err != nil {
			return b, err
		}
	}
	say("starting PostgreSQL")
	// PostgreSQL's own default of shared buffers, for all shapes alike; durability is untouched.
	if b.postgres, err = pgtest.Start(ctx, filepath.Join(b.dir, "postgres"), "shared_buffers=128MB"); err != nil {
		return b, err
	}
	b.defer_(func() error { return b.postgres.Stop(context.Background()) })
	if b.admin, err = pgx.Connect(ctx, b.postgres.URL("postgres")); err != nil {
		return b, err
	}
	b.defer_(func() error { return b.admin.Close(context.Background()) })
	return b, b.admin.QueryRow(ctx, `SHOW server_version`).Scan(&b.results.postgres)
}

func (b *bench) build(ctx context.Context) error {
	say("building %d programs", len(programs))
	for tags, some := range map[string][]string{"noembedded": services, "": others} {
		args := append([]string{"build", "-tags", tags, "-trimpath", "-ldflags=-s -w", "-o", b.bin + "/"}, some...)
		build := exec.CommandContext(ctx, "go", args...)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build: %w\n%s", err, out)
		}
	}
	return nil
}

// newDatabase makes a database with a number in its name: a plan may be started more than once.
func (b *bench) newDatabase(ctx context.Context, name string) (string, error) {
	b.databases++
	return b.postgres.CreateDatabase(ctx, fmt.Sprintf("%s_%d", name, b.databases))
}

func (b *bench) defer_(undo func() error) { b.undo = append(b.undo, undo) }

func (b *bench) close() error {
	var errs []error
	for _, undo := range slices.Backward(b.undo) {
		errs = append(errs, undo())
	}
	b.undo = nil
	return errors.Join(errs...)
}

// omit says what is not measured, and why, now and in the results.
func (b *bench) omit(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	say("not measured: %s", line)
	b.results.omitted = append(b.results.omitted, line)
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// workload is what a measurement orders. Zero values take a run's options, and a closed loop.
type workload struct {
	name     string
	scenario load.Scenario
	clients  int
	items    int     // SKUs of an order
	rate     float64 // of an open loop
	warmUp   time.Duration
}

var workloads = []workload{{name: "uniform", scenario: load.Uniform}, {name: "one SKU", scenario: load.Hot}}

// skuPrefix names the SKUs that every shape has.
const skuPrefix = "BENCH"

// measureOrders measures whole orders in every shape.
func (b *bench) measureOrders(ctx context.Context) error {
	if err := b.startShapes(ctx); err != nil {
		return err
	}
	var floors []floor
	if len(b.only) == 0 { // they stand on the conventional designs' databases
		var err error
		if floors, err = b.openFloors(ctx); err != nil {
			return err
		}
	}
	if err := b.measureRounds(ctx, floors); err != nil {
		return err
	}
	return b.measureLatency(ctx)
}

// startShapes starts each shape, tunes those that have something to tune, and puts those that can say so to the truth.
func (b *bench) startShapes(ctx context.Context) error {
	for _, plan := range plans {
		if len(b.only) > 0 && !slices.Contains(b.only, plan.name) {
			continue
		}
		say("starting %s", plan.name)
		s := &shape{plan: plan, bench: b}
		b.defer_(s.stop)
		if err := s.start(ctx); err != nil {
			return fmt.Errorf("%s: %w", plan.name, err)
		}
		b.shapes = append(b.shapes, s)
		if err := s.freeze(); err != nil {
			return err
		}
	}
	return nil
}

// measureRounds measures all shapes in turns. Only one runs at a time: the others are stopped by the kernel.
func (b *bench) measureRounds(ctx context.Context, floors []floor) error {
	for round := range b.rounds {
		for _, w := range workloads {
			for _, s := range b.shapes {
				m, err := s.measure(ctx, w, b.length)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", s.plan.name, w.name, err)
				}
				say("round %d of %d, %-8s %-34s %7.0f orders/s", round+1, b.rounds, w.name, s.plan.name, m.rate)
				b.results.add(s.plan.name, w.name, m)
			}
		}
		if err := b.measureFloors(ctx, floors); err != nil {
			return err
		}
	}
	return nil
}

// measure runs one loop against a shape that is frozen before and after.
func (s *shape) measure(ctx context.Context, w workload, length time.Duration) (m measurement, err error) {
	at := s.instance(w)
	if err := at.thaw(); err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, at.freeze()) }()
	// Connections, pools and caches that were paused.
	awake := w
	awake.warmUp = 0
	if _, err := s.drive(ctx, at, awake, 300*time.Millisecond); err != nil {
		return m, err
	}
	before, err := s.bench.costs(ctx, at)
	if err != nil {
		return m, err
	}
	if m, err = s.drive(ctx, at, w, length); err != nil {
		return m, err
	}
	after, err := s.bench.costs(ctx, at)
	m.charge(before, after)
	return m, err
}

func (s *shape) drive(ctx context.Context, at *instance, w workload, length time.Duration) (measurement, error) {
	if at.pipeline != nil {
		return at.pipeline.measure(ctx, s.bench, w, length)
	}
	cfg := s.bench.load(at, w, length)
	cfg.Ready, cfg.Prefix = true, skuPrefix
	report, err := load.Run(ctx, cfg)
	if err != nil {
		return measurement{}, err
	}
	return newMeasurement(report)
}

func (b *bench) load(at *instance, w workload, length time.Duration) load.Config {
	return load.Config{URL: at.url, Key: at.key, Scenario: w.scenario, SKUs: b.skus, Items: cmp.Or(w.items, 1), Stock: 1_000_000,
		Rate: w.rate, Clients: cmp.Or(w.clients, b.clients), Duration: length, WarmUp: w.warmUp, Timeout: 30 * time.Second, Seed: uint64(time.Now().UnixNano())}
}

// costs are counters at a moment.
type costs struct {
	cpu map[string]time.Duration // by process
	wal int64
}

// generatorName is this process: the generator, and in a ceiling the services besides.
const generatorName = "generator"

func (b *bench) costs(ctx context.Context, at *instance) (c costs, err error) {
	c.cpu = map[string]time.Duration{}
	if c.cpu[generatorName], err = cpuOf(os.Getpid()); err != nil {
		return c, err
	}
	for _, p := range at.processes {
		cpu, err := cpuOfFamily(p.cmd.Process.Pid) // nginx works in children
		if err != nil {
			return c, err
		}
		c.cpu[p.name] += cpu // replicas have one name
	}
	if !at.plan.postgres {
		return c, nil
	}
	if c.cpu["postgres"], err = cpuOfFamily(b.postgres.PID()); err != nil {
		return c, err
	}
	c.wal, err = b.walPosition(ctx)
	return c, err
}
