//go:build linux

// Command run runs the proofs, or those whose names contain its first argument, from the module's root, and exits with 1
// when a promise was broken. A run of all keeps its verdict among the documents; with -resume it goes on where one was broken
// off or failed: what held is not proved again, as long as nothing but documents and other proofs have changed since.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/lifecycle"
	"github.com/pedidos-veloz/pedidos-veloz/internal/prove"
)

func main() {
	ctx := lifecycle.UntilInterrupted()
	resume := flag.Bool("resume", false, "take what held from the runs before, where nothing has changed since that it depends on")
	flag.Parse()
	if err := run(ctx, flag.Arg(0), *resume); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, resume bool) error {
	proved := commit(ctx)
	lines, err := prove.Run(ctx, prove.Config{Proofs: prove.All, Only: only, Commit: proved, Resume: resume, Changed: changedSince(ctx), Progress: os.Stderr})
	if err != nil {
		return err
	}
	where := prove.Circumstances{At: time.Now(), Commit: proved, Machine: fmt.Sprintf("%d cores (%s, %s)", runtime.NumCPU(), runtime.GOARCH, runtime.Version())}
	if err := prove.Write(os.Stdout, lines, where); err != nil {
		return fmt.Errorf("print the verdict: %w", err)
	}
	if only == "" {
		if err := keep("docs/verdict.md", lines, where); err != nil {
			return err
		}
	}
	if !prove.Held(lines) {
		return fmt.Errorf("a promise was broken: what the proofs printed is in %s", prove.Dir)
	}
	return nil
}

func keep(path string, lines []prove.Line, where prove.Circumstances) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the verdict: %w", err)
	}
	return errors.Join(prove.Write(file, lines, where), file.Close())
}

// changedSince tells the files that differ from an earlier commit's.
func changedSince(ctx context.Context) func(string) ([]string, error) {
	return func(since string) ([]string, error) {
		out, err := exec.CommandContext(ctx, "git", "diff", "--name-only", since, "HEAD").Output()
		return strings.Fields(string(out)), err
	}
}

// commit names what was proved; without a history it is unknown.
func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return prove.Unknown
	}
	return strings.TrimSpace(string(out))
}
