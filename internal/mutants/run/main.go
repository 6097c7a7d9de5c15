// Command run runs every mutant, or those whose names contain its first argument, from the module's root, prints what became
// of each, and exits with 1 when one survives. After a run of all it writes docs/mutants.md.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/mutants"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	pattern := ""
	if len(os.Args) > 1 {
		pattern = os.Args[1]
	}
	if err := run(ctx, pattern); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, pattern string) error {
	root, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("find the module's root: %w", err)
	}
	var verdicts []mutants.Verdict
	survivors := 0
	for i := range mutants.All {
		m := &mutants.All[i]
		if !strings.Contains(m.Name, pattern) {
			continue
		}
		began := time.Now()
		killed, output, err := m.Kill(ctx, root)
		if err != nil {
			return fmt.Errorf("%w\n%s", err, output)
		}
		verdict := "killed"
		if !killed {
			verdict = "SURVIVES"
			survivors++
		}
		fmt.Fprintf(os.Stdout, "%-50s %-9s %5.1fs  %s\n", m.Name, verdict, time.Since(began).Seconds(), m.Killer)
		verdicts = append(verdicts, mutants.Verdict{Mutant: m, Killed: killed})
	}
	if len(verdicts) == 0 {
		return fmt.Errorf("no mutant has %q in its name", pattern)
	}
	if pattern == "" {
		if err := os.WriteFile("docs/mutants.md", []byte(mutants.Table(verdicts)), 0o644); err != nil {
			return fmt.Errorf("write the table: %w", err)
		}
	}
	if survivors > 0 {
		return fmt.Errorf("%d of %d mutants survive: a test is missing for each", survivors, len(verdicts))
	}
	return nil
}
