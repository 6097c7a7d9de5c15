// Command run drives the real programs beyond what they can do, prints what came of it, and exits with 1 when a target is missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/pedidos-veloz/pedidos-veloz/internal/overload"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/lifecycle"
)

func main() {
	quick := flag.Bool("quick", false, "the form for CI, in about two minutes, with lenient limits")
	file := flag.String("json", "", "write the verdict to this file, too")
	bin := flag.String("bin", "", "the folder of the programs, built with -tags=failpoints; empty builds them")
	only := flag.String("only", "", "run only what has this in its name")
	flag.Parse()
	ctx := lifecycle.UntilInterrupted()
	if err := run(ctx, overload.Config{Bin: *bin, Quick: *quick, Only: *only, Log: os.Stderr}, *file); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, cfg overload.Config, file string) error {
	if cfg.Bin == "" {
		bin, err := os.MkdirTemp("", "overload-bin-")
		if err != nil {
			return fmt.Errorf("make a folder: %w", err)
		}
		defer func() { _ = os.RemoveAll(bin) }() // a temporary folder that stays behind breaks nothing
		build := exec.CommandContext(ctx, "go", "build", "-tags=failpoints", "-o", bin+string(filepath.Separator), "./cmd/...")
		build.Stdout, build.Stderr = os.Stderr, os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build the programs: %w", err)
		}
		cfg.Bin = bin
	}
	verdict, err := overload.Run(ctx, cfg)
	if len(verdict.Checks) > 0 {
		err = errors.Join(err, verdict.WriteText(os.Stdout), write(file, verdict))
	}
	if err == nil && !verdict.OK() {
		err = fmt.Errorf("%d of %d checks fail", verdict.Failed(), len(verdict.Checks))
	}
	return err
}

func write(name string, verdict overload.Verdict) error {
	if name == "" {
		return nil
	}
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("write the verdict: %w", err)
	}
	return errors.Join(verdict.WriteJSON(file), file.Close())
}
