//go:build linux

// Package crash breaks running systems: real processes and a real PostgreSQL, killed, paused, cut off, without a free byte
// on the disk, under orders all the while. A client that writes down what it meant and what it was told, on a disk of its
// own, decides in the end what was lost. `make crash` is the long form, `make crash-quick` the short one.
package crash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config says what is broken, and how much.
type Config struct {
	Root        string // of the module
	Seed        uint64
	Quick       bool
	Shapes      string // only those whose names contain it
	WithoutDisk bool   // leave out what takes root
	Parallel    int    // systems at once
	Rate        int    // orders a second and system
	Out         io.Writer
}

// full and quick are how many faults of each kind meet each shape, by shapes. In full they make 200 kills of services (a
// failpoint takes two) and 25 of databases, at least.
var (
	full = []map[Kind]int{
		{Kill: 28, Failpoint: 26, Pause: 3},
		{Kill: 22, Failpoint: 13, Pause: 4, Cut: 4, Silence: 4, Slow: 3, DiskFull: 5},
		{Kill: 16, Failpoint: 4, DatabaseKill: 12, Cut: 4, Silence: 4, Slow: 3, DiskFull: 5},
		{Kill: 22, Failpoint: 13, DatabaseKill: 9, FailOver: 5, Pause: 4, LongPause: 1, Cut: 4, Silence: 4, Slow: 3},
	}
	quick = []map[Kind]int{
		{Kill: 4, Failpoint: 4},
		{Kill: 3, Failpoint: 1, Pause: 1, Cut: 1, Silence: 1, DiskFull: 1},
		{Kill: 2, Failpoint: 1, DatabaseKill: 2, Silence: 1, DiskFull: 1},
		{Kill: 2, Failpoint: 1, DatabaseKill: 1, FailOver: 1, Pause: 1, Cut: 1},
	}
)

// errNeedsRoot is told before anything is broken: the small disks come last.
var errNeedsRoot = errors.New("a disk that can be full takes root: " +
	`sudo env "PATH=$PATH" "HOME=$HOME" make crash-quick, or CRASH=--without-disk, which leaves it out and says so`)

// Run breaks every shape and then proves by the positive controls that losses would have been seen.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	if cfg.needsRoot() && os.Geteuid() != 0 {
		return nil, errNeedsRoot
	}
	dir, err := os.MkdirTemp("", "crash-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder that stays behind breaks nothing
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open the folder to PostgreSQL's user: %w", err)
	}
	if err := build(ctx, cfg.Root, dir); err != nil {
		return nil, err
	}
	report := &Report{Seed: cfg.Seed, Quick: cfg.Quick, Began: time.Now().UTC()}
	jobs := campaigns(cfg, dir, report)
	jobs = append(jobs, controls(cfg, dir, report)...)
	err = inParallel(ctx, cfg.Parallel, jobs)
	report.Took = time.Since(report.Began).Round(time.Second)
	report.Passed = err == nil && report.clean()
	return report, err
}

// build builds the programs with the places to die at, and with the disk that forgets.
func build(ctx context.Context, root, dir string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-tags=failpoints", "-o", dir+string(filepath.Separator), "./cmd/...")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the programs: %w\n%s", err, out)
	}
	return nil
}

func (c Config) needsRoot() bool {
	return !c.WithoutDisk && slices.ContainsFunc(shapes, func(s shape) bool { return s.small && strings.Contains(s.name, c.Shapes) })
}

// job is one system's story.
type job func(ctx context.Context) error

func campaigns(cfg Config, dir string, report *Report) (jobs []job) {
	counts := full
	if cfg.Quick {
		counts = quick
	}
	progress := progressTo(cfg.Out)
	for i, shape := range shapes {
		if !strings.Contains(shape.name, cfg.Shapes) {
			report.LeftOut = append(report.LeftOut, shape.name)
			continue
		}
		if shape.small && cfg.WithoutDisk {
			shape.small = false
			counts[i] = maps.Clone(counts[i])
			delete(counts[i], DiskFull)
			report.LeftOut = append(report.LeftOut, "full disk: "+shape.name)
		}
		c := &campaign{shape: shape, seed: cfg.Seed + uint64(i), rate: cfg.Rate, binaries: dir, dir: filepath.Join(dir, fmt.Sprintf("shape-%d", i+1)),
			faults: plan(cfg.Seed+uint64(i), counts[i]), patience: settleLimit, progress: progress}
		jobs = append(jobs, func(ctx context.Context) error {
			result, err := c.run(ctx)
			if err != nil {
				return fmt.Errorf("%s (seed %d): %w", c.shape.name, cfg.Seed, err)
			}
			report.add(*result)
			progress("%s: %d acknowledged, settled after %.1f s, %d findings", result.Shape, result.Acknowledged, float64(result.SettledMS)/1000, len(result.Findings))
			return nil
		})
	}
	return jobs
}

func progressTo(out io.Writer) func(string, ...any) {
	var mu sync.Mutex
	began := time.Now()
	return func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(out, "%5.0fs %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
}

// inParallel does the jobs, some at a time, and all of them, whatever fails.
func inParallel(ctx context.Context, limit int, jobs []job) error {
	places := make(chan struct{}, limit)
	errs := make([]error, len(jobs))
	var working sync.WaitGroup
	for i, j := range jobs {
		places <- struct{}{}
		working.Go(func() {
			defer func() { <-places }()
			errs[i] = j(ctx)
		})
	}
	working.Wait()
	return errors.Join(errs...)
}
