// Command bench compares the product with the designs that it replaces, on this machine, in one run. It builds and starts
// everything on loopback by itself, measures the shapes in turns (what the machine does beside hits them alike), and
// prints medians and their ratios. Absolute numbers belong to the machine; the ratios are what it is for.
//
//	make bench         all of it, about fifteen minutes
//	make bench-quick   the same in about two minutes, for the daily loop
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// options is what a run does.
type options struct {
	rounds  int
	length  time.Duration // of one measurement
	skus    int
	clients int
	tune    []int // pool sizes that are tried for the conventional designs
	only    []string
	results string // file; empty: none
	bin     string // folder of binaries that are there; empty: they are built
}

func main() {
	o := options{}
	quick := flag.Bool("quick", false, "two minutes: fewer rounds, fewer SKUs, fewer pool sizes")
	flag.IntVar(&o.rounds, "rounds", 5, "measurements of each shape and workload")
	flag.DurationVar(&o.length, "length", 10*time.Second, "of one measurement")
	flag.IntVar(&o.skus, "skus", 10_000, "SKUs of the uniform workload")
	flag.IntVar(&o.clients, "clients", 256, "connections of the closed loop")
	flag.StringVar(&o.results, "results", "bench/RESULTS.md", "file for the results; empty writes none")
	flag.StringVar(&o.bin, "bin", "", "folder with the binaries; empty builds them")
	only := flag.String("only", "", "shapes by their names, separated by commas; empty runs all")
	flag.Parse()
	o.tune = []int{2, 4, 8, 16, 32, 64}
	if *quick {
		o.quicken()
	}
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// quicken shortens what no flag has set.
func (o *options) quicken() {
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if !given["rounds"] {
		o.rounds = 3
	}
	if !given["length"] {
		o.length = 1500 * time.Millisecond
	}
	if !given["skus"] {
		o.skus = 2_000
	}
	o.tune = []int{4, 16, 32}
}

func run(ctx context.Context, o options) (err error) {
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.startShapes(ctx); err != nil {
		return err
	}
	if err := b.measureRounds(ctx); err != nil {
		return err
	}
	if err := b.measureEdges(ctx); err != nil {
		return err
	}
	text := b.results.text(o)
	fmt.Println(text)
	if o.results == "" {
		return nil
	}
	return os.WriteFile(filepath.Clean(o.results), []byte(text), 0o644)
}
