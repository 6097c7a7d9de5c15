package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/load"
)

// measurement is one closed loop.
type measurement struct {
	rate     float64 // acknowledged orders a second
	orders   float64
	p50, p99 time.Duration
	// cpu is in seconds for 1,000 orders, by process; "generator" is this one.
	cpu map[string]float64
	wal float64 // bytes an order
}

func newMeasurement(r load.Report) (measurement, error) {
	if r.OrdersPerSecond == 0 || r.Failures() > 0 {
		return measurement{}, fmt.Errorf("%.0f orders/s and %d failures: %+v", r.OrdersPerSecond, r.Failures(), r.Kinds)
	}
	return measurement{rate: r.OrdersPerSecond, orders: r.OrdersPerSecond * r.Seconds, p50: r.Percentile(load.Place, 50),
		p99: r.Percentile(load.Place, 99)}, nil
}

// charge notes what a measurement cost.
func (m *measurement) charge(before, after costs) {
	m.cpu = map[string]float64{}
	for name, cpu := range after.cpu {
		m.cpu[name] = (cpu - before.cpu[name]).Seconds() / m.orders * 1000
	}
	m.wal = float64(after.wal-before.wal) / m.orders
}

// startCost is what a shape costs before its first order.
type startCost struct {
	healthy time.Duration
	memory  int64
}

// results is everything that was measured.
type results struct {
	postgres     string
	measurements map[string]map[string][]measurement // by shape and workload
	pools        map[string]int
	starts       map[string]startCost
	sizes        map[string]int64
	images       map[string]int64
	omitted      []string // what was not measured, and why
	began        time.Time
}

func newResults() results {
	return results{measurements: map[string]map[string][]measurement{}, pools: map[string]int{}, starts: map[string]startCost{},
		sizes: map[string]int64{}, began: time.Now()}
}

func (r *results) add(shape, workload string, m measurement) {
	if r.measurements[shape] == nil {
		r.measurements[shape] = map[string][]measurement{}
	}
	r.measurements[shape][workload] = append(r.measurements[shape][workload], m)
}

// median is of one figure over a shape's rounds; 0 when it was not measured.
func (r *results) median(shape, workload string, figure func(measurement) float64) float64 {
	all := r.measurements[shape][workload]
	if len(all) == 0 {
		return 0
	}
	values := make([]float64, len(all))
	for i, m := range all {
		values[i] = figure(m)
	}
	return middle(values)
}

// middle is the median, and sorts the values.
func middle(values []float64) float64 {
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

func (r *results) rate(shape, workload string) float64 {
	return r.median(shape, workload, ratePerSecond)
}

func ratePerSecond(m measurement) float64 { return m.rate }

func p50Milliseconds(m measurement) float64 { return m.p50.Seconds() * 1000 }

func p99Milliseconds(m measurement) float64 { return m.p99.Seconds() * 1000 }

// allShapes is the order of the table.
func allShapes() []string {
	names := make([]string, 0, len(plans)+2)
	for _, p := range plans {
		names = append(names, p.name)
	}
	return append(names, floorTransaction, floorFunction)
}

func (r *results) text(o options) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Benchmarks\n\nBy `go run ./bench -rounds %d -length %s -skus %d -clients %d` on %s.\n%s; %s; PostgreSQL %s with its own defaults"+
		" (fsync and synchronous_commit on, shared_buffers 128 MB), SQLite with synchronous=FULL. The generator shares the cores.\n\n",
		o.rounds, o.length, o.skus, o.clients, r.began.UTC().Format("2006-01-02"), machine(), runtime.Version(), r.postgres)
	b.WriteString("Closed loops, medians over rounds in which the shapes take turns.\n\n")
	r.writeRatios(&b)
	for _, part := range o.parts {
		parts[part].write(r, &b)
	}
	r.writeSizes(&b)
	for _, what := range r.omitted {
		fmt.Fprintf(&b, "\nNot measured: %s.\n", what)
	}
	return b.String()
}

func (r *results) writeOrders(b *strings.Builder) {
	for _, w := range workloads {
		r.writeTable(b, w.name)
	}
	r.writeLatency(b)
	r.writeCPU(b)
	r.writeStarts(b)
}

func (r *results) writeTable(b *strings.Builder, workload string) {
	fmt.Fprintf(b, "## Orders, %s\n\nOne item, paid by card; CPU is in seconds for 1,000 orders.\n\n", workload)
	b.WriteString("| shape | orders/s | p50 | p99 | CPU services | CPU PostgreSQL | CPU generator | WAL bytes an order |\n|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, shape := range allShapes() {
		if len(r.measurements[shape][workload]) == 0 {
			continue
		}
		of := func(figure func(measurement) float64) float64 { return r.median(shape, workload, figure) }
		services := func(m measurement) (sum float64) {
			for name, cpu := range m.cpu {
				if name != "postgres" && name != generatorName {
					sum += cpu
				}
			}
			return sum
		}
		fmt.Fprintf(b, "| %s | %.0f | %.1f ms | %s | %s | %s | %s | %s |\n", shape, r.rate(shape, workload),
			of(p50Milliseconds), figure("%.1f ms", of(p99Milliseconds)),
			figure("%.2f", of(services)), figure("%.2f", of(func(m measurement) float64 { return m.cpu["postgres"] })),
			figure("%.2f", of(func(m measurement) float64 { return m.cpu[generatorName] })), figure("%.0f", of(func(m measurement) float64 { return m.wal })))
	}
	b.WriteString("\n")
}

func (r *results) writeLatency(b *strings.Builder) {
	b.WriteString("## Latency, uniform\n\nIdle is one client; half of peak is an open loop, warmed up before, in which latency counts from when an order was due.\n\n" +
		"| shape | idle p50 | idle p99 | half of peak | p50 | p99 |\n|---|--:|--:|--:|--:|--:|\n")
	for _, p := range plans {
		if len(r.measurements[p.name][latencyHalf]) == 0 {
			continue
		}
		fmt.Fprintf(b, "| %s | %.1f ms | %.1f ms | %.0f orders/s | %.1f ms | %.1f ms |\n", p.name, r.median(p.name, latencyIdle, p50Milliseconds),
			r.median(p.name, latencyIdle, p99Milliseconds), r.rate(p.name, latencyHalf), r.median(p.name, latencyHalf, p50Milliseconds), r.median(p.name, latencyHalf, p99Milliseconds))
	}
	b.WriteString("\n")
}

func (r *results) writeStock(b *strings.Builder) {
	b.WriteString("## Inventory alone, one SKU\n\n| | units held/s | p50 |\n|---|--:|--:|\n")
	for _, name := range []string{stockPostgres, stockSQLite, stockUpdates, stockBest} {
		if len(r.measurements[name]["one SKU"]) > 0 {
			fmt.Fprintf(b, "| %s | %.0f | %.1f ms |\n", name, r.rate(name, "one SKU"), r.median(name, "one SKU", p50Milliseconds))
		}
	}
	b.WriteString("\n")
}

func (r *results) writeHops(b *strings.Builder) {
	b.WriteString("## A proxy's hop\n\nCPU-seconds of the proxy for 10,000 small requests, and requests/s. The backend does nothing but answer.\n\n| |")
	for _, step := range hopSteps {
		fmt.Fprintf(b, " %s: CPU | requests/s |", step.name)
	}
	b.WriteString("\n|---|" + strings.Repeat("--:|--:|", len(hopSteps)) + "\n")
	for _, h := range hops {
		if len(r.measurements[h.name]) == 0 {
			continue
		}
		fmt.Fprintf(b, "| %s |", h.name)
		for _, step := range hopSteps {
			fmt.Fprintf(b, " %s | %.0f |", figure("%.2f", r.median(h.name, step.name, measurement.proxyCPU)), r.rate(h.name, step.name))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}

func figure(format string, value float64) string {
	if value == 0 {
		return "–"
	}
	return fmt.Sprintf(format, value)
}

func (r *results) writeCPU(b *strings.Builder) {
	b.WriteString("## CPU by process\n\nSeconds for 1,000 orders.\n\n| shape | workload | |\n|---|---|---|\n")
	for _, shape := range allShapes() {
		for _, w := range workloads {
			all := r.measurements[shape][w.name]
			if len(all) == 0 || len(all[0].cpu) == 0 {
				continue
			}
			var words []string
			for _, name := range sortedKeys(all[0].cpu) {
				words = append(words, fmt.Sprintf("%s %.2f", name, r.median(shape, w.name, func(m measurement) float64 { return m.cpu[name] })))
			}
			fmt.Fprintf(b, "| %s | %s | %s |\n", shape, w.name, strings.Join(words, ", "))
		}
	}
	b.WriteString("\n")
}

func (r *results) writeStarts(b *strings.Builder) {
	b.WriteString("## Before the first order\n\n| shape | start to ready, schema included | resident memory |\n|---|--:|--:|\n")
	for _, name := range sortedKeys(r.starts) {
		fmt.Fprintf(b, "| %s | %d ms | %.0f MB |\n", name, r.starts[name].healthy.Milliseconds(), float64(r.starts[name].memory)/1e6)
	}
	b.WriteString("\nBest numbers of connections, of those that were tried: ")
	var words []string
	for _, name := range sortedKeys(r.pools) {
		words = append(words, fmt.Sprintf("%s: %d", name, r.pools[name]))
	}
	b.WriteString(strings.Join(words, "; ") + ".\n\n")
}

func (r *results) writeSizes(b *strings.Builder) {
	b.WriteString("## Sizes\n\n| binary, stripped | size |\n|---|--:|\n")
	for _, name := range sortedKeys(r.sizes) {
		fmt.Fprintf(b, "| %s | %.1f MB |\n", name, float64(r.sizes[name])/1e6)
	}
	b.WriteString("\n| image | size |\n|---|--:|\n")
	if len(r.images) == 0 {
		b.WriteString("| not built (`make images`) | – |\n")
	}
	for _, name := range sortedKeys(r.images) {
		fmt.Fprintf(b, "| %s | %.1f MB |\n", name, float64(r.images[name])/1e6)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// machine tells cores and memory, and no names.
func machine() string {
	text := fmt.Sprintf("%d cores (%s)", runtime.NumCPU(), runtime.GOARCH)
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return text
	}
	defer func() { _ = file.Close() }()
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		var kib int64
		if _, err := fmt.Sscanf(scanner.Text(), "MemTotal: %d kB", &kib); err == nil {
			return fmt.Sprintf("%s, %.0f GB of memory", text, float64(kib)/1e6)
		}
	}
	return text
}
