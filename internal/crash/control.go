//go:build linux

package crash

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Control is a positive control: a system that is known to lose orders, which the same client and the same judge must see.
type Control struct {
	Name         string `json:"name"`
	Rounds       int    `json:"rounds"`
	Acknowledged int    `json:"acknowledged"`
	Lost         int    `json:"lost"`
}

// weakSystem is a shape that loses acknowledged orders by one fault. Nobody waits for its answers, nor for its orders to end: what
// is lost is lost.
type weakSystem struct {
	shape    shape
	settings []string
	fault    Fault
	crashes  int // in a round
}

// PostgreSQL's WAL writer hands every full page of 8 KiB to the kernel, which outlives SIGKILL: a crash loses a handful of orders
// at most, and now and then none. SQLite's power cut mostly loses everything, and there is nothing to lose by a second one.
var weakSystems = []weakSystem{
	{shape{name: "control: PostgreSQL with synchronous_commit=off", postgres: true}, []string{"synchronous_commit=off"}, Fault{Kind: DatabaseKill}, 5},
	{shape{name: "control: SQLite with synchronous=OFF under power cuts", powerCut: "off"}, nil, Fault{Kind: Kill, Targets: []int{0}}, 1},
}

// controlRounds is how often a control may fail to lose anything: a crash can meet a moment at which all is written.
const controlRounds = 5

// controlRate is higher than that of the other systems, so that something is under way.
const controlRate = 150

func controls(cfg Config, dir string, report *Report) (jobs []job) {
	progress := progressTo(cfg.Out)
	for i, weak := range weakSystems {
		if !strings.Contains(weak.shape.name, cfg.Shapes) {
			report.LeftOut = append(report.LeftOut, weak.shape.name)
			continue
		}
		jobs = append(jobs, func(ctx context.Context) error {
			control := Control{Name: weak.shape.name}
			for control.Lost == 0 && control.Rounds < controlRounds {
				control.Rounds++
				result, err := weak.round(ctx, cfg, filepath.Join(dir, fmt.Sprintf("control-%d-%d", i+1, control.Rounds)), control.Rounds)
				if err != nil {
					return fmt.Errorf("%s: %w", control.Name, err)
				}
				control.Acknowledged += result.Acknowledged
				control.Lost += result.Lost
			}
			report.addControl(control)
			progress("%s: %d of %d acknowledged orders are lost, as they must be", control.Name, control.Lost, control.Acknowledged)
			if control.Lost == 0 {
				return fmt.Errorf("%s lost nothing in %d rounds: losses would not be seen", control.Name, control.Rounds)
			}
			return nil
		})
	}
	return jobs
}

func (w *weakSystem) round(ctx context.Context, cfg Config, dir string, round int) (*Result, error) {
	fault := w.fault
	fault.After = 2 * time.Second
	c := &campaign{shape: w.shape, seed: cfg.Seed + uint64(1000*round), rate: controlRate, binaries: filepath.Dir(dir), dir: dir, settings: w.settings,
		faults: slices.Repeat([]Fault{fault}, w.crashes), progress: func(string, ...any) {}}
	return c.run(ctx)
}
