// Command run runs every mutant, or those whose names contain its first argument, from the module's root, prints what became
// of each, and exits with 1 when one survives. After a run of all it writes docs/mutants.md.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/mutants"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/lifecycle"
)

func main() {
	ctx := lifecycle.UntilInterrupted()
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
	var chosen []*mutants.Mutant
	for i := range mutants.All {
		if m := &mutants.All[i]; strings.Contains(m.Name, pattern) {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 {
		return fmt.Errorf("no mutant has %q in its name", pattern)
	}
	verdicts, err := judge(ctx, root, chosen)
	if err != nil {
		return err
	}
	survivors := 0
	for _, v := range verdicts {
		if !v.Killed {
			survivors++
		}
	}
	if pattern == "" {
		if err := os.WriteFile("docs/mutants.md", []byte(mutants.Table(verdicts)), 0o644); err != nil {
			return fmt.Errorf("write the table: %w", err)
		}
	}
	fmt.Fprintf(os.Stdout, "%d of %d mutants killed\n", len(verdicts)-survivors, len(verdicts))
	if survivors > 0 {
		return fmt.Errorf("%d of %d mutants survive: a test is missing for each", survivors, len(verdicts))
	}
	return nil
}

// outcome is what became of a mutant.
type outcome struct {
	killed bool
	output string
	err    error
	took   time.Duration
}

// judge runs the mutants, two at once, for a link has one thread and a short test ends soon, and tells of each in their order.
func judge(ctx context.Context, root string, chosen []*mutants.Mutant) ([]mutants.Verdict, error) {
	const atOnce = 2
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	places := make(chan struct{}, atOnce)
	outcomes := make([]chan outcome, len(chosen))
	for i := range chosen {
		outcomes[i] = make(chan outcome, 1)
	}
	var working sync.WaitGroup
	defer working.Wait()
	working.Go(func() {
		for i, m := range chosen {
			places <- struct{}{}
			working.Go(func() {
				began := time.Now()
				killed, output, err := m.Kill(ctx, root)
				outcomes[i] <- outcome{killed, output, err, time.Since(began)}
				<-places
			})
		}
	})
	verdicts := make([]mutants.Verdict, len(chosen))
	for i, m := range chosen {
		o := <-outcomes[i]
		if o.err != nil {
			stop()
			return nil, fmt.Errorf("%w\n%s", o.err, o.output)
		}
		verdict := "killed"
		if !o.killed {
			verdict = "SURVIVES"
		}
		fmt.Fprintf(os.Stdout, "%-50s %-9s %5.1fs  %s\n", m.Name, verdict, o.took.Seconds(), m.Killer)
		verdicts[i] = mutants.Verdict{Mutant: m, Killed: o.killed}
	}
	return verdicts, nil
}
