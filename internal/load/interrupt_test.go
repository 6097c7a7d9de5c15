package load

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"
)

// interruptedRun ends a run when its platform has 20 orders, and returns its report, also as a person and a browser see it.
func interruptedRun(t *testing.T, change func(*Config)) (report Report, text, page string) {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	cfg := config(newPlatformThatTells(t, honest, func(orders int) {
		if orders == 20 {
			interrupt()
		}
	}), Hot)
	change(&cfg)
	report, err := Run(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	var written, drawn bytes.Buffer
	if err := report.WriteText(&written); err != nil {
		t.Fatal(err)
	}
	if err := report.WriteHTML(&drawn); err != nil {
		t.Fatal(err)
	}
	if !report.Interrupted || report.Truth == nil || !report.Truth.OK() || report.Truth.Acknowledged < 20 {
		t.Errorf("%+v, truth %+v", report, report.Truth)
	}
	for _, shown := range []string{written.String(), drawn.String()} {
		if !strings.Contains(shown, "The run was interrupted") {
			t.Errorf("that the run was interrupted is not in\n%s", shown)
		}
	}
	if !strings.Contains(written.String(), "The truth holds") {
		t.Errorf("no verdict is in\n%s", written.String())
	}
	return report, written.String(), drawn.String()
}

// TestArrivalsThatWereDueAreToldOf: 200 arrivals are due at once, and one client has sent some 20 of them when the run ends.
// What waits behind a platform that stalls is in no latency.
func TestArrivalsThatWereDueAreToldOf(t *testing.T) {
	t.Parallel()
	report, text, page := interruptedRun(t, func(c *Config) {
		c.Rate, c.Clients, c.Arrivals = 1e6, 1, 200
	})
	if want := 200 - report.Truth.Acknowledged; report.Unsent != want {
		t.Errorf("%d arrivals were not sent, not %d", report.Unsent, want)
	}
	for _, shown := range []string{text, page} {
		if !strings.Contains(shown, " arrivals were due and not sent") {
			t.Errorf("what was not sent is not in\n%s", shown)
		}
	}
}

func TestAClosedLoopOwesNothing(t *testing.T) {
	t.Parallel()
	report, text, _ := interruptedRun(t, func(c *Config) { c.Arrivals = 0 })
	if report.Unsent != 0 || strings.Contains(text, "not sent") {
		t.Errorf("%d arrivals were due in a closed loop\n%s", report.Unsent, text)
	}
}

// TestAnInterruptedWarmUpIsChecked: it has no figures, and a verdict.
func TestAnInterruptedWarmUpIsChecked(t *testing.T) {
	t.Parallel()
	report, text, _ := interruptedRun(t, func(c *Config) { c.Arrivals, c.WarmUp = 0, c.Duration/2 })
	if len(report.Kinds) != 0 || !report.Began() || report.WarmUpSeconds >= 30 {
		t.Errorf("%+v", report)
	}
	if !strings.Contains(text, "0 orders/s") {
		t.Errorf("a warm-up is in the figures of\n%s", text)
	}
}

func TestUnsentCountsWhatWasDueByThen(t *testing.T) {
	t.Parallel()
	began := time.Now()
	cfg := Config{Rate: 100, Duration: time.Minute, Arrivals: MaxArrivals}
	reference, p := newPace(cfg, began), newPace(cfg, began)
	ended := began.Add(10 * time.Second)
	due := int64(0)
	for a, _ := reference.take(); !a.due.After(ended); a, _ = reference.take() {
		due++
	}
	for range 5 { // sent
		p.take()
	}
	left, _ := p.take()
	p.leave(left)
	p.leave(arrival{due: ended.Add(time.Second)}) // was waited for
	if got := p.unsent(ended); got != due-5 {
		t.Errorf("%d unsent, not %d", got, due-5)
	}
}
