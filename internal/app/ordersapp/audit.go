package ordersapp

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/audit"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/lifecycle"
)

const (
	// auditMinAge leaves orders that are under way to the next audit.
	auditMinAge = time.Minute
	// auditPause after each page of a thousand rows makes the audit a light load: at most some fifty pages a second.
	auditPause = 20 * time.Millisecond
	// auditLogged bounds the lines of one audit.
	auditLogged = 100
)

// auditing is the background audit and what it tells.
type auditing struct {
	cfg audit.Config
	log *slog.Logger

	violations *prometheus.GaugeVec
	succeeded  prometheus.Gauge
	orders     prometheus.Gauge
	seconds    prometheus.Gauge
	failures   prometheus.Counter
}

// startAudits audits every now and then. Each replica does, at a time of its own: they do not know of each other.
func startAudits(stack *lifecycle.Stack, rt *process.Runtime, every time.Duration, source audit.Source) error {
	if every == 0 {
		return nil
	}
	a := newAuditing(audit.Config{Source: source, Clock: rt.Clock, MinAge: auditMinAge, Pause: auditPause}, rt.Log)
	for _, metric := range []prometheus.Collector{a.violations, a.succeeded, a.orders, a.seconds, a.failures} {
		if err := rt.Metrics.Registry().Register(metric); err != nil {
			return fmt.Errorf("register the audit's metrics: %w", err)
		}
	}
	loop := &lifecycle.Loop{Name: "audit", Interval: every, Step: a.step, Logger: rt.Log}
	stack.Go(loop.Name, func(ctx context.Context) {
		// Not at once: replicas that start together would all audit together, and a start has better things to do.
		timer := time.NewTimer(every/10 + rand.N(every/2))
		defer timer.Stop()
		select {
		case <-timer.C:
			loop.Run(ctx)
		case <-ctx.Done():
		}
	})
	return nil
}

func newAuditing(cfg audit.Config, log *slog.Logger) *auditing {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	a := &auditing{
		cfg: cfg, log: log,
		violations: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "veloz_audit_violations",
			Help: "What the last audit found, by kind, and 0 before the first; veloz audit names the ids."}, []string{"kind"}),
		succeeded: gauge("veloz_audit_last_success_timestamp_seconds", "When an audit last came to its end, whatever it found; 0 before the first."),
		orders:    gauge("veloz_audit_orders", "Orders that the last audit read."),
		seconds:   gauge("veloz_audit_duration_seconds", "How long the last audit took."),
		failures:  prometheus.NewCounter(prometheus.CounterOpts{Name: "veloz_audit_failures_total", Help: "Audits that could not be done, or not all of them."}),
	}
	a.show(new(audit.Report)) // so that what is asked of the metrics has an answer before the first audit
	return a
}

// show sets every kind, those of which nothing was found to zero. Of those that were not looked for the last word stands.
func (a *auditing) show(report *audit.Report) {
	counts := make(map[audit.Kind]int)
	for _, f := range report.Findings {
		counts[f.Kind]++
	}
	for kind := range audit.Kinds() {
		if !slices.Contains(report.Unchecked, kind) {
			a.violations.WithLabelValues(string(kind)).Set(float64(counts[kind]))
		}
	}
}

// step is one audit. What it found is told also when it could not sum everything, which is a failure all the same.
func (a *auditing) step(ctx context.Context) (worked bool, err error) {
	report, err := audit.Run(ctx, a.cfg)
	if err != nil {
		if ctx.Err() == nil {
			a.failures.Inc()
		}
		err = fmt.Errorf("audit: %w", err)
	}
	if report == nil {
		return false, err
	}
	for _, f := range report.Findings[:min(auditLogged, len(report.Findings))] {
		a.log.ErrorContext(ctx, "audit found a violation", slog.String("kind", string(f.Kind)), slog.String("order_id", f.OrderID.String()),
			slog.String("sku", f.SKU), slog.String("finding", f.Text))
	}
	a.show(report)
	took := report.EndedAt.Sub(report.StartedAt)
	a.orders.Set(float64(report.Orders))
	a.seconds.Set(took.Seconds())
	if err != nil {
		return false, err
	}
	a.succeeded.Set(float64(report.EndedAt.Unix()))
	a.log.InfoContext(ctx, "audit is done", slog.Int64("orders", report.Orders), slog.Int("violations", len(report.Findings)),
		slog.Int64("dismissed", report.Dismissed), slog.Duration("took", took))
	return false, nil
}
