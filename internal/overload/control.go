package overload

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/load"
)

const (
	// shortPatience is that of the controls' clients, so that a queue which is too long shows within a short run.
	shortPatience = 2 * time.Second
	// controlLength is as long that those who came while the queue was still short are few.
	controlLength = 6 * shortPatience
)

// Two platforms for clients of short patience: one whose queues are bounded for them, and one that takes whatever comes.
var (
	bounded   = settings{gateway: []string{"--order-wait", "1s"}, orders: small.orders}
	unbounded = settings{gateway: []string{"--order-wait", "24h", "--max-requests", "1000000"},
		orders: slices.Concat(small.orders, []string{"--order-queue", "1000000", "--max-in-flight-orders", "1000000", "--max-wait", "1h"})}
)

// controls show that the judges can fail: with queues without bounds a platform works as hard as ever, for callers that
// have gone. The bounded one besides, with the same callers, shows that it is the queue.
func (r *runner) controls(ctx context.Context) error {
	r.verdict.Controls = map[string]float64{}
	const name = "control: unbounded queues"
	if !strings.Contains(name, r.cfg.Only) {
		return nil
	}
	err := r.patiently(name, func() error { // a peak that was measured too low makes what is served look well
		served, err := r.impatient(ctx, unbounded)
		r.verdict.Controls["unbounded queues"] = 100 * served
		r.timed(name, "goodput fails its check", fmt.Sprintf("%.0f %% of the peak", 100*served), fmt.Sprintf("less than %.0f %%", 100*lenient.goodput), err == nil && served < lenient.goodput)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if r.cfg.Quick {
		return nil
	}
	served, err := r.impatient(ctx, bounded)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r.verdict.Controls["bounded queues, same clients"] = 100 * served
	r.check(name, "goodput of bounded ones, same clients", fmt.Sprintf("%.0f %% of the peak", 100*served), fmt.Sprintf("%.0f %%", 100*lenient.goodput), served >= lenient.goodput)
	return nil
}

// impatient tells which part of its peak a platform serves in time when ten times of that comes from clients of short patience.
func (r *runner) impatient(ctx context.Context, with settings) (served float64, err error) {
	p, err := r.start(ctx, oneSQLite, with)
	defer func() { err = errors.Join(err, p.crash()) }() // what it has queued would take minutes
	if err != nil {
		return 0, err
	}
	before, err := load.Run(ctx, r.closedLoop(p, "PEAK"))
	if err != nil {
		return 0, err
	}
	length := max(r.length, controlLength)
	cfg := r.openLoop(p, 10*before.OrdersPerSecond, length, func() {})
	cfg.Timeout, cfg.ReadBack = shortPatience, 0
	report, err := load.Run(ctx, cfg)
	if err != nil {
		return 0, err
	}
	return goodput(report, length) / before.OrdersPerSecond, nil
}
