//go:build linux

// Command run breaks running systems, from the module's root, and exits with 1 when a promise was broken. See internal/crash.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"

	"github.com/pedidos-veloz/pedidos-veloz/internal/crash"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/lifecycle"
)

func main() {
	ctx := lifecycle.UntilInterrupted()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	cfg := crash.Config{Root: ".", Out: os.Stdout}
	flag.Uint64Var(&cfg.Seed, "seed", 1+rand.Uint64N(1_000_000), "of the schedule of faults")
	flag.BoolVar(&cfg.Quick, "quick", false, "a few faults of each kind")
	flag.StringVar(&cfg.Shapes, "shapes", "", "only the systems whose names contain this")
	flag.BoolVar(&cfg.WithoutDisk, "without-disk", false, "leave the full disk out, which takes root")
	flag.IntVar(&cfg.Parallel, "parallel", 2, "systems at once")
	flag.IntVar(&cfg.Rate, "rate", 50, "orders a second in each system")
	file := flag.String("json", "", "write the report to this file")
	flag.Parse()
	if cfg.Parallel < 1 || cfg.Rate < 1 {
		return errors.New("--parallel and --rate must be positive")
	}
	fmt.Fprintf(cfg.Out, "seed %d\n", cfg.Seed)
	report, err := crash.Run(ctx, cfg)
	if report == nil {
		return err
	}
	report.Write(os.Stdout)
	if *file != "" {
		err = errors.Join(err, write(*file, report))
	}
	if err == nil && !report.Passed {
		err = fmt.Errorf("a promise was broken: replay with --seed %d", cfg.Seed)
	}
	return err
}

func write(file string, report *crash.Report) error {
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
