// Command bench compares the product with the designs that it replaces, on this machine, in one run. It builds and starts
// everything on loopback by itself, measures the shapes in turns (what the machine does beside hits them alike), and
// prints medians and their ratios. Absolute numbers belong to the machine; the ratios are what it is for.
//
//	make bench         all of it, about twenty minutes
//	make bench-quick   the same in about two minutes, for the daily loop
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/lifecycle"
)

// options is what a run does.
type options struct {
	rounds     int
	length     time.Duration // of one measurement
	skus       int
	clients    int
	hopClients int
	tune       []int // numbers of connections that are tried for the conventional designs and for pgbench
	parts      []string
	growth     bool
	sizes      []int // of the orders' table, for growth
	only       []string
	results    string // file; empty: none
	bin        string // folder of binaries that are there; empty: they are built
}

func main() {
	o := options{}
	quick := flag.Bool("quick", false, "two minutes: fewer rounds, fewer SKUs, fewer pool sizes")
	flag.IntVar(&o.rounds, "rounds", 5, "measurements of each shape and workload")
	flag.DurationVar(&o.length, "length", 7*time.Second, "of one measurement; what is beside the shapes takes half of it")
	flag.IntVar(&o.skus, "skus", 10_000, "SKUs of the uniform workload")
	flag.IntVar(&o.clients, "clients", 1024, "connections of the closed loop: as many as a platform at rest takes at once")
	flag.IntVar(&o.hopClients, "hop-clients", 512, "connections to a proxy")
	chosen := flag.String("parts", "", "parts, separated by commas: orders,stock,hop, or with -growth items,replicas,orders; empty runs all")
	flag.BoolVar(&o.growth, "growth", false, "measure instead how cost grows with tables, with SKUs an order and with replicas")
	sizes := flag.String("orders", "0,1000000,10000000", "orders that are there, separated by commas, for -growth")
	flag.StringVar(&o.results, "results", "", "file for the results; - writes none, empty is bench/RESULTS.md or bench/GROWTH.md")
	flag.StringVar(&o.bin, "bin", "", "folder with the binaries; empty builds them")
	only := flag.String("only", "", "shapes by their names, separated by semicolons; empty runs all")
	flag.Parse()
	debug.SetGCPercent(200) // as our programs do: the ceiling is in this process
	o.tune = []int{2, 4, 8, 16, 32, 64}
	if *quick {
		o.quicken()
	}
	if err := o.parse(*only, *chosen, *sizes); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(2)
	}
	ctx := lifecycle.UntilInterrupted()
	if err := run(ctx, o); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// parse reads the flags that are lists, and decides where the results go.
func (o *options) parse(only, chosen, sizes string) error {
	if only != "" {
		o.only = strings.Split(only, ";")
	}
	known := map[bool][]string{false: {"orders", "stock", "hop"}, true: {"items", "replicas", "orders"}}[o.growth]
	o.parts = known
	if chosen != "" {
		o.parts = strings.Split(chosen, ",")
	}
	for _, name := range o.parts {
		if !slices.Contains(known, name) {
			return fmt.Errorf("there is no part %q, but %v", name, known)
		}
	}
	for size := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil || n < 0 || len(o.sizes) > 0 && n <= o.sizes[len(o.sizes)-1] {
			return fmt.Errorf("the orders that are there: %q is no larger number", size)
		}
		o.sizes = append(o.sizes, n)
	}
	switch {
	case o.results == "-":
		o.results = ""
	case o.results == "":
		o.results = map[bool]string{false: "bench/RESULTS.md", true: "bench/GROWTH.md"}[o.growth]
	}
	return nil
}

// quicken shortens what no flag has set.
func (o *options) quicken() {
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if !given["rounds"] {
		o.rounds = 2
	}
	if !given["length"] {
		o.length = time.Second
	}
	if !given["skus"] {
		o.skus = 2_000
	}
	if !given["hop-clients"] {
		o.hopClients = 128
	}
	o.tune = []int{8, 32}
}

// part is one comparison: how it is measured, and how it is told.
type part struct {
	measure func(*bench, context.Context) error
	write   func(*results, *strings.Builder)
}

var parts = map[string]part{
	"orders": {(*bench).measureOrders, (*results).writeOrders},
	"stock":  {(*bench).measureStock, (*results).writeStock},
	"hop":    {(*bench).measureHops, (*results).writeHops},
}

// brief is how long what stands beside the shapes is measured.
func (o options) brief() time.Duration { return max(o.length/2, time.Second) }

func run(ctx context.Context, o options) (err error) {
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if o.growth {
		return b.grow(ctx)
	}
	// What was measured before something broke is worth being told.
	var broken []error
	for _, name := range o.parts {
		if err := parts[name].measure(b, ctx); err != nil && ctx.Err() == nil {
			b.omit("%s, all or in part: %v", name, err)
			broken = append(broken, err)
		}
	}
	broken = append(broken, b.weigh(), b.tell(ctx, b.results.text(o)))
	return errors.Join(broken...)
}

// tell prints the results and, where there is a file for them and nobody broke the run off, writes them down.
func (b *bench) tell(ctx context.Context, text string) error {
	fmt.Println(text)
	if b.options.results == "" || ctx.Err() != nil {
		return ctx.Err()
	}
	return os.WriteFile(filepath.Clean(b.options.results), []byte(text), 0o644)
}
