package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/load"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/providers/sandbox"
)

// What grows.
const (
	growItems    = "SKUs an order"
	growReplicas = "replicas of orders and inventory"
	growOrders   = "orders in the tables"
)

var (
	itemCounts    = []int{1, 5, 20, 100}
	replicaCounts = []int{1, 2, 4}
)

// itemClients are fewer than elsewhere: a thousand orders of a hundred lines are more than the platform lets wait.
const itemClients = 256

// growth is what was measured, all of it on PostgreSQL.
type growth struct {
	results results // shapes are what grows, workloads are how much
	idle    results // the same with one client
	orders  []int   // how many there were, as was asked for
	bytes   map[int]int64
	pages   map[int]map[string]float64 // milliseconds
}

// grow measures how cost grows.
func (b *bench) grow(ctx context.Context) error {
	g := &growth{results: newResults(), idle: newResults(), bytes: map[int]int64{}, pages: map[int]map[string]float64{}}
	g.results.postgres = b.results.postgres
	var broken []error
	measure := map[string]func(context.Context, *growth) error{"items": b.growItems, "replicas": b.growReplicas, "orders": b.growOrders}
	for _, part := range b.parts {
		if err := measure[part](ctx, g); err != nil {
			g.results.omitted = append(g.results.omitted, fmt.Sprintf("%s, all or in part: %v", part, err))
			broken = append(broken, err)
		}
	}
	if b.options.results != "" && ctx.Err() == nil {
		broken = append(broken, g.draw(filepath.Join(filepath.Dir(b.options.results), "charts")))
	}
	return errors.Join(append(broken, b.tell(ctx, g.text(b.options)))...)
}

// begin starts one shape.
func (b *bench) begin(ctx context.Context, p plan) (*shape, error) {
	say("starting %s", p.name)
	s := &shape{plan: p, bench: b}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", p.name, err), s.stop())
	}
	return s, s.freeze()
}

// growItems measures orders of more and more SKUs, in turns.
func (b *bench) growItems(ctx context.Context, g *growth) error {
	s, err := b.begin(ctx, plan{name: growItems, postgres: true, ours: true, start: startOne})
	if err != nil {
		return err
	}
	defer func() { _ = s.stop() }() // it was frozen, and nothing is asked of it any more
	for range b.rounds {
		for _, items := range itemCounts {
			if err := b.growBy(ctx, g, s, growItems, strconv.Itoa(items), workload{scenario: load.Uniform, items: items, clients: itemClients}); err != nil {
				return err
			}
		}
	}
	return nil
}

// growReplicas measures more and more processes on one PostgreSQL and the same cores: what they cost each other.
func (b *bench) growReplicas(ctx context.Context, g *growth) (err error) {
	var shapes []*shape
	defer func() {
		for _, s := range shapes {
			err = errors.Join(err, s.stop())
		}
	}()
	for _, replicas := range replicaCounts {
		s, err := b.begin(ctx, plan{name: strconv.Itoa(replicas), postgres: true, ours: true, start: startReplicas(replicas)})
		if err != nil {
			return err
		}
		shapes = append(shapes, s)
	}
	for range b.rounds {
		for _, s := range shapes {
			if err := b.growBy(ctx, g, s, growReplicas, s.plan.name, workload{scenario: load.Uniform}); err != nil {
				return err
			}
		}
	}
	return nil
}

// growBy measures one step of what grows, with all clients and with one.
func (b *bench) growBy(ctx context.Context, g *growth, s *shape, what, step string, w workload) error {
	m, err := s.measure(ctx, w, b.length)
	if err != nil {
		return fmt.Errorf("%s %s: %w", step, what, err)
	}
	g.results.add(what, step, m)
	w.clients = 1
	alone, err := s.measure(ctx, w, b.brief())
	if err != nil {
		return fmt.Errorf("%s %s, one client: %w", step, what, err)
	}
	g.idle.add(what, step, alone)
	say("%s %s: %.0f orders/s, p99 %s; alone p50 %s", step, what, m.rate, m.p99, alone.p50)
	return nil
}

// growOrders measures larger and larger tables.
func (b *bench) growOrders(ctx context.Context, g *growth) error {
	s, err := b.begin(ctx, plan{name: growOrders, postgres: true, ours: true, start: startOne})
	if err != nil {
		return err
	}
	defer func() { _ = s.stop() }() // it was frozen, and nothing is asked of it any more
	at := s.instance(workloads[0])
	if err := errors.Join(at.thaw(), b.everyKind(ctx, at)); err != nil {
		return err
	}
	a, err := openArchive(ctx, at.database)
	if err := errors.Join(err, at.freeze()); err != nil {
		return err
	}
	defer func() { _ = a.conn.Close(context.WithoutCancel(ctx)) }() // its server stops next
	for _, size := range b.sizes {
		say("filling up to %d orders", size)
		if err := a.fill(ctx, size); err != nil {
			return fmt.Errorf("fill up to %d orders: %w", size, err)
		}
		if g.bytes[size], err = a.bytes(ctx); err != nil {
			return err
		}
		if err := b.growTo(ctx, g, s, a, size); err != nil {
			return fmt.Errorf("%d orders: %w", size, err)
		}
	}
	return nil
}

func (b *bench) growTo(ctx context.Context, g *growth, s *shape, a *archive, size int) (err error) {
	at := s.instance(workloads[0])
	if err := at.thaw(); err != nil {
		return err
	}
	if g.pages[size], err = measurePages(ctx, at, a.conn); err != nil {
		return err
	}
	if err := at.freeze(); err != nil {
		return err
	}
	for range b.rounds {
		if err := b.growBy(ctx, g, s, growOrders, thousands(size), workload{scenario: load.Uniform}); err != nil {
			return err
		}
	}
	g.orders = append(g.orders, size)
	return nil
}

// everyKind has orders of each kind that comes to rest placed, in a shop's mixture: one in nine is declined.
func (b *bench) everyKind(ctx context.Context, at *instance) error {
	kinds := []struct {
		token   string
		clients int
	}{{sandbox.Approved, 16}, {sandbox.Declined, 2}}
	errs := make([]error, len(kinds))
	var placing sync.WaitGroup
	for i, kind := range kinds {
		placing.Go(func() {
			cfg := b.load(at, workload{scenario: load.Mixed, items: 2, clients: kind.clients}, time.Second)
			cfg.Ready, cfg.Prefix, cfg.CardToken = true, skuPrefix, kind.token
			_, errs[i] = load.Run(ctx, cfg)
		})
	}
	placing.Wait()
	return errors.Join(errs...)
}

func (g *growth) text(o options) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# How cost grows\n\nBy `go run ./bench -growth -parts %s -orders %s -rounds %d -length %s -skus %d -clients %d` on %s.\n%s; %s; PostgreSQL %s with its own defaults"+
		" (shared_buffers 128 MB). The generator shares the cores.\n\nMedians of closed loops; alone is one client.\n\n",
		strings.Join(o.parts, ","), strings.Trim(strings.ReplaceAll(fmt.Sprint(o.sizes), " ", ","), "[]"), o.rounds, o.length, o.skus, o.clients, g.results.began.UTC().Format("2006-01-02"), machine(), runtime.Version(), g.results.postgres)
	for _, what := range g.whats() {
		fmt.Fprintf(&b, "## By %s\n\n![](charts/%s.svg) ![](charts/%[2]s-latency.svg)\n\n%s| | orders/s | p50 | p99 | alone p50 | alone p99 | database |\n|--:|--:|--:|--:|--:|--:|--:|\n", what, fileName(what), map[string]string{growItems: fmt.Sprintf("From %d clients.\n\n", itemClients)}[what])
		for i, step := range g.steps(what) {
			size := "–"
			if what == growOrders {
				size = fmt.Sprintf("%.1f GB", float64(g.bytes[g.orders[i]])/1e9)
			}
			fmt.Fprintf(&b, "| %s | %.0f | %.1f ms | %.1f ms | %.1f ms | %.1f ms | %s |\n", step, g.results.rate(what, step), g.results.median(what, step, p50Milliseconds),
				g.results.median(what, step, p99Milliseconds), g.idle.median(what, step, p50Milliseconds), g.idle.median(what, step, p99Milliseconds), size)
		}
		b.WriteString("\n")
	}
	if len(g.orders) > 0 {
		g.writePages(&b)
	}
	for _, what := range g.results.omitted {
		fmt.Fprintf(&b, "Not measured: %s.\n\n", what)
	}
	return b.String()
}

// pageBound is what a page may take at any size, in milliseconds.
const pageBound = 10

func (g *growth) writePages(b *strings.Builder) {
	fmt.Fprintf(b, "## Lists and timelines\n\nMilliseconds within which 49 of %d askings were answered, one after another; the bound is %d.\n\n|", askings, pageBound)
	for _, size := range g.orders {
		fmt.Fprintf(b, " | %s orders", thousands(size))
	}
	b.WriteString(" |\n|---|" + strings.Repeat("--:|", len(g.orders)) + "\n")
	for _, p := range pages {
		fmt.Fprintf(b, "| %s |", p.name)
		for _, size := range g.orders {
			missed := ""
			if g.pages[size][p.name] >= pageBound {
				missed = ", **missed**"
			}
			fmt.Fprintf(b, " %.1f%s |", g.pages[size][p.name], missed)
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}

// whats are what was measured of what grows.
func (g *growth) whats() (found []string) {
	for _, what := range []string{growOrders, growItems, growReplicas} {
		if len(g.results.measurements[what]) > 0 {
			found = append(found, what)
		}
	}
	return found
}

// steps are how much of it was measured, in order.
func (g *growth) steps(what string) (names []string) {
	all := map[string][]int{growItems: itemCounts, growReplicas: replicaCounts, growOrders: g.orders}[what]
	for _, n := range all {
		name := strconv.Itoa(n)
		if what == growOrders {
			name = thousands(n)
		}
		if len(g.results.measurements[what][name]) > 0 {
			names = append(names, name)
		}
	}
	return names
}

// draw writes a chart of rates and one of latencies for each thing that grows.
func (g *growth) draw(folder string) error {
	for _, what := range g.whats() {
		steps := g.steps(what)
		rates := chart{title: "By " + what, unit: "orders/s", places: steps, lines: []line{{name: "orders/s"}}}
		latencies := chart{title: "By " + what, unit: "ms", places: steps, lines: []line{{name: "p50"}, {name: "p99"}, {name: "alone, p50"}}}
		for _, step := range steps {
			rates.lines[0].values = append(rates.lines[0].values, g.results.rate(what, step))
			for i, value := range []float64{g.results.median(what, step, p50Milliseconds), g.results.median(what, step, p99Milliseconds), g.idle.median(what, step, p50Milliseconds)} {
				latencies.lines[i].values = append(latencies.lines[i].values, value)
			}
		}
		if err := errors.Join(rates.write(folder, fileName(what)), latencies.write(folder, fileName(what)+"-latency")); err != nil {
			return err
		}
	}
	return nil
}

func fileName(what string) string { return strings.ToLower(strings.ReplaceAll(what, " ", "-")) }

// thousands is a number of orders as people say it.
func thousands(n int) string {
	switch {
	case n >= 1_000_000:
		return fmt.Sprintf("%g million", float64(n)/1e6)
	case n >= 1000:
		return fmt.Sprintf("%g thousand", float64(n)/1e3)
	}
	return strconv.Itoa(n)
}
