package overload

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/load"
)

// limits are what a surge has to keep.
type limits struct {
	goodput     float64 // of the peak
	accepted    time.Duration
	refused     time.Duration
	recovery    time.Duration
	residentMiB int64
}

const (
	// deadline is how long a caller waits for its order by default (--max-wait).
	deadline = 10 * time.Second
	// patience of a client is longer: who answers late has answered, and is late.
	patience = 25 * time.Second
	// connections are opened before; there must be more of them than the platform lets in, or it would never have to refuse.
	connections = 5000
	// saturating is how many clients in a closed loop bring out the peak: more than the gateway takes for an idle hour.
	saturating = 512
	// returning is how many come back after the surge, one order after the other each: as many as are always taken.
	returning = 256
	// What is under way at a surge's end may take as long as --order-wait: the look after it is longer.
	recoveryLength = 12 * time.Second
	skus           = 100
)

var (
	// full is what the product promises, on a machine that does nothing else.
	full = limits{goodput: 0.9, accepted: deadline, refused: 50 * time.Millisecond, recovery: 10 * time.Second, residentMiB: 768}
	// lenient is for a machine that others use as well: what fails there is broken.
	lenient = limits{goodput: 0.3, accepted: deadline + deadline/4, refused: time.Second, recovery: 15 * time.Second, residentMiB: 768}
)

func (r *runner) limits() limits {
	if r.cfg.Quick {
		return lenient
	}
	return full
}

func (r *runner) surges(ctx context.Context) error {
	shapes, factors := []shape{oneSQLite, onePostgres, fourPostgres}, []int{2, 5, 10}
	if r.cfg.Quick {
		shapes, factors = []shape{fourPostgres}, []int{10}
	}
	for _, s := range shapes {
		if !strings.Contains(s.name, r.cfg.Only) {
			continue
		}
		if err := r.surgesOn(ctx, s, factors, small); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) surgesOn(ctx context.Context, s shape, factors []int, with settings) (err error) {
	p, err := r.start(ctx, s, with)
	defer func() { r.stopped(p, p.stop()) }()
	if err != nil {
		return err
	}
	for _, factor := range factors {
		where := fmt.Sprintf("%s, %dx", s.name, factor)
		err := r.patiently(where, func() error {
			surge, err := r.surge(ctx, p, factor)
			if err != nil {
				return fmt.Errorf("%s: %w", where, err)
			}
			r.verdict.Surges = append(r.verdict.Surges, surge)
			r.judge(surge, r.limits())
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// stopped notes how a platform ended.
func (r *runner) stopped(p *platform, err error) {
	got := "in time"
	if err != nil {
		got = err.Error()
	}
	r.check(p.shape.name, "it stops when it is told to", got, "in time", err == nil)
}

// closedLoop is as many orders as clients can place, one after the other each.
func (r *runner) closedLoop(p *platform, prefix string) load.Config {
	return load.Config{URL: p.url, Key: p.key, Scenario: load.Uniform, SKUs: skus, Items: 1, Stock: 1_000_000, Prefix: prefix,
		Clients: saturating, Duration: r.length, Timeout: patience, Seed: rand.Uint64()}
}

// surge measures the peak, sends factor times as much, and looks how soon the platform is itself again.
func (r *runner) surge(ctx context.Context, p *platform, factor int) (s Surge, err error) {
	prefix := fmt.Sprintf("PEAK-%d", factor)
	before, err := r.peak(ctx, p, prefix)
	if err != nil {
		return s, fmt.Errorf("measure the peak: %w", err)
	}
	s = Surge{Platform: p.shape.name, Factor: factor, Peak: before.OrdersPerSecond}
	r.say("%s: %.0f orders/s at its peak; now %d times of it", p.shape.name, s.Peak, factor)
	watching, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { p.watchMemory(watching) })
	wg.Go(func() { s.Noise = noise(watching) })
	others := newOthers(p)
	if err := others.prepare(ctx); err != nil {
		stop()
		return s, err
	}
	wg.Go(func() { others.ask(watching) })
	ended := make(chan struct{})
	end := sync.OnceFunc(func() { close(ended) })
	over := r.openLoop(p, float64(factor)*s.Peak, r.length, end)
	var after load.Report
	var afterErr error
	wg.Go(func() {
		<-ended
		again := r.closedLoop(p, prefix)
		again.Clients, again.Ready, again.Duration, again.Courteous = returning, true, recoveryLength, true
		after, afterErr = load.Run(ctx, again)
	})
	report, err := load.Run(ctx, over)
	end() // it may have failed before it sent anything
	stop()
	wg.Wait()
	if err != nil || afterErr != nil {
		return s, fmt.Errorf("send the load: %w", firstOf(err, afterErr))
	}
	s.take(report, r.length)
	s.Recovery = recovered(after, s.Peak)
	s.ResidentMiB = p.most >> 20
	r.truth(fmt.Sprintf("%s, %dx", s.Platform, factor), report)
	r.judgeOthers(fmt.Sprintf("%s, %dx", s.Platform, factor), others, s.Noise)
	return s, nil
}

// peak is the most that the platform does while the others ask as well: a cancel or a payment costs the store as much as an
// order, or more, and they ask through the surge, too.
func (r *runner) peak(ctx context.Context, p *platform, prefix string) (load.Report, error) {
	others := newOthers(p)
	if err := others.prepare(ctx); err != nil {
		return load.Report{}, err
	}
	asking, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() { others.ask(asking) })
	return load.Run(ctx, r.closedLoop(p, prefix))
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// openLoop sends at a rate, whatever becomes of it. ended is called when the last was sent, though answers are missing.
func (r *runner) openLoop(p *platform, rate float64, length time.Duration, ended func()) load.Config {
	cfg := r.closedLoop(p, "")
	cfg.Duration = length
	cfg.Rate, cfg.Clients, cfg.ReadBack, cfg.SettleWithin = rate, connections, 200_000, time.Minute
	cfg.Progress = func(now load.Snapshot) {
		if left := cfg.Duration - now.Elapsed; left <= 3*time.Second/2 { // the last that is heard may be a second before the end
			time.AfterFunc(left, ended)
		}
	}
	return cfg
}

// goodput is the orders that were confirmed a second, while the load lasted, to clients that still waited.
func goodput(report load.Report, length time.Duration) float64 {
	confirmed, span := int64(0), 0.0
	for i, second := range report.Series {
		// The first second fills the platform, and what comes after the last arrival is no load any more.
		if i == 0 || second.AtSeconds > length.Seconds()+0.5 {
			continue
		}
		confirmed += second.Outcomes["confirmed"]
		span += second.AtSeconds - report.Series[i-1].AtSeconds
	}
	return float64(confirmed) / max(span, 1)
}

// take reads a surge's figures off the report.
func (s *Surge) take(report load.Report, length time.Duration) {
	s.Goodput = goodput(report, length)
	for _, kind := range report.Kinds {
		s.Offered = float64(kind.Requests) / length.Seconds()
	}
	s.Later = report.Count(load.Place, load.Accepted)
	s.Refused = report.Count(load.Place, refused)
	s.NoAnswer = report.Count(load.Place, load.Timeout) + report.Count(load.Place, load.Connection)
	s.AcceptedP99 = max(report.PercentileOf(load.Place, "confirmed", 99), report.PercentileOf(load.Place, load.Accepted, 99))
	s.RefusedP99 = report.PercentileOf(load.Place, refused, 99)
	s.GeneratorCPUPct = 100 * report.Generator.CPUSeconds / report.Seconds
	s.Acknowledged = report.Truth.Acknowledged
}

// refused is the problem by which new orders are shed.
const refused load.Outcome = "overloaded"

// never is longer than any recovery.
const never = time.Hour

// manyTimes the noise is what a request may lose on a machine that is busy with something else: it waits for a processor at
// every hop, and in a queue of those that wait as well.
const manyTimes = 20

// noise is how late a timer of this process is at the 99th percentile, until ctx ends: what it and the programs wait for a
// processor, whatever they do. The quick form allows for it; the full form is for a machine that has none.
func noise(ctx context.Context) time.Duration {
	const every = 5 * time.Millisecond
	late := []time.Duration{0}
	for {
		due := time.Now().Add(every)
		timer := time.NewTimer(every)
		select {
		case <-ctx.Done():
			timer.Stop()
			slices.Sort(late)
			return late[max(0, len(late)*99/100-1)]
		case <-timer.C:
			late = append(late, time.Since(due))
		}
	}
}

// recovered is when a closed loop, begun at the end of a surge, did most of the peak again without a refusal, and kept to it.
func recovered(after load.Report, peak float64) time.Duration {
	const most = 0.7 // of the peak: single seconds scatter
	at := never
	last := 0.0
	for _, second := range after.Series {
		span := second.AtSeconds - last
		last = second.AtSeconds
		switch well := second.Outcomes[refused] == 0 && float64(second.Outcomes["confirmed"]) >= most*peak*span; {
		case !well:
			at = never
		case at == never:
			at = time.Duration(second.AtSeconds * float64(time.Second))
		}
	}
	return at
}

// judge asks of a surge what RELIABILITY asks.
func (r *runner) judge(s Surge, want limits) {
	where := fmt.Sprintf("%s, %dx", s.Platform, s.Factor)
	sent := float64(s.Factor) * s.Peak
	r.timed(where, "the generator sent what it should", fmt.Sprintf("%.0f/s", s.Offered), fmt.Sprintf("90 %% of %.0f/s", sent), s.Offered >= 0.9*sent)
	r.timed(where, "goodput", fmt.Sprintf("%.0f %% of the peak", 100*s.Goodput/s.Peak), fmt.Sprintf("%.0f %%", 100*want.goodput), s.Goodput >= want.goodput*s.Peak)
	r.timed(where, "accepted p99", milliseconds(s.AcceptedP99), milliseconds(want.accepted), s.AcceptedP99 > 0 && s.AcceptedP99 <= want.accepted)
	r.timed(where, "orders are refused", fmt.Sprint(s.Refused), "some", s.Refused > 0)
	if r.cfg.Quick {
		want.refused += manyTimes * s.Noise
	}
	r.timed(where, "refused p99", milliseconds(s.RefusedP99), milliseconds(want.refused), s.RefusedP99 <= want.refused)
	r.check(where, "requests without an answer", fmt.Sprint(s.NoAnswer), "0", s.NoAnswer == 0)
	r.timed(where, "itself again", s.Recovery.Round(time.Second).String(), want.recovery.String(), s.Recovery <= want.recovery)
	r.check(where, "memory", fmt.Sprintf("%d MiB", s.ResidentMiB), fmt.Sprintf("%d MiB", want.residentMiB), s.ResidentMiB <= want.residentMiB)
}

// patiently runs a part, and in the quick form once more when nothing but timed checks failed: somebody else may have had
// the machine. What does not depend on it is judged both times.
func (r *runner) patiently(where string, part func() error) error {
	first := len(r.verdict.Checks)
	if err := part(); err != nil || !r.cfg.Quick {
		return err
	}
	missed := onlyTimed(r.verdict.Checks[first:])
	if missed == "" {
		return nil
	}
	r.say("%s: once more, for what failed depends on the machine: %s", where, missed)
	r.verdict.Repeated = append(r.verdict.Repeated, where+": "+missed)
	r.verdict.Checks = append(r.verdict.Checks[:first], slices.DeleteFunc(slices.Clone(r.verdict.Checks[first:]), func(c Check) bool { return c.Timed })...)
	return part()
}

// onlyTimed names the checks that failed, where all of them are timed ones.
func onlyTimed(checks []Check) string {
	var missed []string
	for _, c := range checks {
		switch {
		case c.OK:
		case !c.Timed:
			return ""
		default:
			missed = append(missed, fmt.Sprintf("%s (%s, want %s)", c.What, c.Got, c.Want))
		}
	}
	return strings.Join(missed, ", ")
}

func (r *runner) check(where, what, got, want string, ok bool) {
	r.note(Check{Where: where, What: what, Got: got, Want: want, OK: ok})
}

// timed is a check of a figure that depends on how much of the machine there was.
func (r *runner) timed(where, what, got, want string, ok bool) {
	r.note(Check{Where: where, What: what, Got: got, Want: want, OK: ok, Timed: true})
}

func (r *runner) note(c Check) {
	r.mu.Lock()
	r.verdict.Checks = append(r.verdict.Checks, c)
	r.mu.Unlock()
	if !c.OK {
		r.say("%s: %s: %s, want %s", c.Where, c.What, c.Got, c.Want)
	}
}

// truth checks that nothing was lost, doubled or oversold, that every order ended, and that each refusal said when to come back.
func (r *runner) truth(where string, report load.Report) {
	got := "nothing lost, doubled, oversold or left"
	if !report.Truth.OK() {
		got = fmt.Sprintf("%+v", *report.Truth)
	}
	r.check(where, fmt.Sprintf("the truth about %d acknowledged orders", report.Truth.Acknowledged), got, "nothing lost", report.Truth.OK() && report.Truth.Acknowledged > 0)
	r.check(where, "refusals without Retry-After", fmt.Sprint(report.Hasty), "0", report.Hasty == 0)
}
