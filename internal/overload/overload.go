// Package overload drives the real programs far beyond what they can do, and takes parts away from them while they work.
//
// It measures the most that a platform does, sends twice, five and ten times of that in an open loop, and judges: as much
// is served as before, in time; the rest is refused at once and told when to come back; and afterwards all is as it was.
// Then a provider is slow, a database stands still, a service is dead: the others go on, and every order ends.
//
// Ten times of what this machine can do at full speed is more than a generator on the same processors can send. So each
// platform is made slow where platforms are slow, at its store: small batches, and each flush waits. The paths that are
// judged, admission, queues and deadlines, are the product's own.
package overload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
)

// Config is one run.
type Config struct {
	Bin string    // the folder of the built programs
	Log io.Writer // hears how it goes
	// Quick is the form for CI: ten times of the peak on one platform, two faults, and short times.
	Quick bool
	// Only picks the surges and faults whose names contain it; empty: all.
	Only string
}

// runner is a Config under way.
type runner struct {
	cfg      Config
	dir      string
	postgres *pgtest.Server // of all services but payments
	payments *pgtest.Server // a server of its own, so that it can stand still alone
	length   time.Duration  // of each measurement

	mu      sync.Mutex
	verdict Verdict
}

// The length of each measurement.
const (
	fullLength  = 15 * time.Second
	quickLength = 6 * time.Second
)

// Run drives all that cfg asks for. The error is of the machinery; what the product failed at is in the verdict.
func Run(ctx context.Context, cfg Config) (verdict Verdict, err error) {
	r := &runner{cfg: cfg, length: fullLength}
	if cfg.Quick {
		r.length = quickLength
	}
	if r.dir, err = os.MkdirTemp("", "overload-"); err != nil {
		return Verdict{}, fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.dir)) }()
	if err := os.Chmod(r.dir, 0o755); err != nil { // the database's user passes through it
		return Verdict{}, fmt.Errorf("open the folder: %w", err)
	}
	defer func() { err = errors.Join(err, r.stopDatabases()) }()
	if err := r.startDatabases(ctx); err != nil {
		return Verdict{}, err
	}
	for _, part := range []func(context.Context) error{r.surges, r.controls, r.faults} {
		if err := part(ctx); err != nil {
			return r.verdict, err
		}
	}
	return r.verdict, nil
}

// A commit takes what it takes on a busy disk, so that capacity is the store's and not the processors': on PostgreSQL by its
// own setting, in microseconds, on SQLite by the programs' build (see internal/platform/database/slowdisk). PostgreSQL's is
// twice as long, because its batches pass several processes, which take turns with the generator: with 20 ms four of them
// lost up to a tenth of the peak, with 40 less.
var slowFlush = []string{"commit_delay=40000", "commit_siblings=0", "max_connections=300"}

const slowDisk = "SQLITE_SLOW_DISK=20ms"

func (r *runner) startDatabases(ctx context.Context) (err error) {
	if r.postgres, err = pgtest.Start(ctx, filepath.Join(r.dir, "postgres"), slowFlush...); err != nil {
		return err
	}
	r.payments, err = pgtest.Start(ctx, filepath.Join(r.dir, "postgres-of-payments"), slowFlush...)
	return err
}

func (r *runner) stopDatabases() (err error) {
	for _, server := range []*pgtest.Server{r.postgres, r.payments} {
		if server != nil {
			err = errors.Join(err, server.Stop(context.Background()))
		}
	}
	return err
}

func (r *runner) say(format string, args ...any) {
	fmt.Fprintf(r.cfg.Log, "%s  "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, args...)...)
}
