package gateway

import (
	"maps"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// flood offers orders at a rate to a platform that does so many a second, one after the other, and tells how many were
// admitted and how long the last of them waited.
func flood(a *admission, began time.Time, length time.Duration, offered, done int) (admitted int, wait time.Duration) {
	const step = 10 * time.Millisecond
	var queue []time.Time
	credit, due := 0.0, 0.0
	for at := began; at.Before(began.Add(length)); at = at.Add(step) {
		for credit += float64(done) * step.Seconds(); credit >= 1 && len(queue) > 0; credit-- {
			wait = at.Sub(queue[0])
			queue = queue[1:]
			a.leave(at, true)
		}
		credit = min(credit, float64(done)*step.Seconds()+1) // an idle platform saves nothing up
		for due += float64(offered) * step.Seconds(); due >= 1; due-- {
			if a.enter(at) {
				admitted++
				queue = append(queue, at)
			}
		}
	}
	for range queue {
		a.leave(began.Add(length), false)
	}
	return admitted, wait
}

func TestAdmissionKeepsTheWaitBelowItsBound(t *testing.T) {
	t.Parallel()
	const most, wait = 3276, 5 * time.Second
	for _, done := range []int{60, 120, 500, 3000} {
		a := newAdmission(most, wait)
		admitted, last := flood(a, a.born, 30*time.Second, 10*done, done)
		if last > wait+wait/2 {
			t.Errorf("%d orders/s, ten times as many offered: the last one waited for %s", done, last)
		}
		if goodput := admitted; float64(goodput) < 0.95*30*float64(done) {
			t.Errorf("%d orders/s, ten times as many offered: only %d admitted in 30 s", done, goodput)
		}
	}
}

func TestAdmissionAlwaysAdmitsSomeAndGrowsAgain(t *testing.T) {
	t.Parallel()
	a := newAdmission(3276, 5*time.Second)
	flood(a, a.born, 20*time.Second, 1000, 0) // the database stands still
	if limit := a.limit.Load(); limit != alwaysAdmitted {
		t.Fatalf("the limit is %d while nothing is done", limit)
	}
	flood(a, a.born.Add(20*time.Second), 20*time.Second, 3000, 2000) // and goes on
	if limit := a.limit.Load(); limit != 3276 {
		t.Errorf("the limit is %d after 20 s at 2,000 orders/s", limit)
	}
}

func TestAdmissionLearnsNothingFromRest(t *testing.T) {
	t.Parallel()
	a := newAdmission(3276, 5*time.Second)
	flood(a, a.born, 20*time.Second, 5, 1000)
	admitted := 0
	for range 4000 { // all at once
		if a.enter(a.born.Add(20 * time.Second)) {
			admitted++
		}
	}
	if admitted != unknownAdmitted {
		t.Errorf("of a crowd after hours of rest, %d were admitted", admitted)
	}
}

// TestAFastPlatformStaysFast: rest takes nothing from a platform that has shown what it can do.
func TestAFastPlatformStaysFast(t *testing.T) {
	t.Parallel()
	a := newAdmission(3276, 5*time.Second)
	flood(a, a.born, 5*time.Second, 3000, 2000)
	flood(a, a.born.Add(5*time.Second), 5*time.Minute, 5, 1000)
	if _, refused := crowd(a, a.born.Add(310*time.Second), 3000, 300*time.Millisecond, 125*time.Millisecond, 512, 5*time.Second); refused > 0 {
		t.Errorf("%d orders of 3,000 buyers were refused", refused)
	}
}

// TestWhatIsFinishedCountsAtOnce: a crowd that is larger than what an unknown platform takes is refused until its first
// orders are finished, and no longer.
func TestWhatIsFinishedCountsAtOnce(t *testing.T) {
	t.Parallel()
	a := newAdmission(3276, 5*time.Second)
	if _, refused := crowd(a, a.born.Add(time.Minute), 3000, 100*time.Millisecond, 125*time.Millisecond, 512, 5*time.Second); refused > 3*(3000-unknownAdmitted) {
		t.Errorf("3,000 buyers were refused %d times", refused)
	}
}

// crowd lets clients come at once, each with an order after the other, to a platform that finishes nothing at first and then
// a batch at a time, and counts the orders that were refused.
func crowd(a *admission, began time.Time, clients int, cold, every time.Duration, batch int, length time.Duration) (done, refused int) {
	const step, again = 10 * time.Millisecond, 50 * time.Millisecond
	asking := map[time.Time]int{began: clients} // clients by when they ask
	queued, next := 0, began.Add(cold)
	for at := began; at.Before(began.Add(length)); at = at.Add(step) {
		if !at.Before(next) {
			next = next.Add(every)
			n := min(queued, batch)
			for queued -= n; n > 0; n-- {
				a.leave(at, true)
				done++
				asking[at]++
			}
		}
		for range asking[at] {
			if a.enter(at) {
				queued++
				continue
			}
			refused++
			asking[at.Add(again)]++
		}
	}
	for range queued {
		a.leave(began.Add(length), false)
	}
	return done, refused
}

// TestACrowdAtAPlatformAtRestIsServed: 1,024 buyers come at once to a platform that could have served all of them within the
// wait, but has not finished anything yet when the first window ends.
func TestACrowdAtAPlatformAtRestIsServed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rest, cold, every time.Duration
		batch             int
	}{
		"warm":                       {0, 0, 125 * time.Millisecond, 512},
		"after half a minute":        {33 * time.Second, 300 * time.Millisecond, 125 * time.Millisecond, 512},
		"cold":                       {0, 900 * time.Millisecond, 125 * time.Millisecond, 512},
		"very cold":                  {0, 1800 * time.Millisecond, 125 * time.Millisecond, 512},
		"in bursts":                  {time.Second, 700 * time.Millisecond, 700 * time.Millisecond, 256},
		"as fast as it has to be":    {time.Second, 100 * time.Millisecond, 100 * time.Millisecond, 25},
		"cold, and then fast enough": {time.Second, 600 * time.Millisecond, 100 * time.Millisecond, 40},
	} {
		a := newAdmission(3276, 5*time.Second)
		if done, refused := crowd(a, a.born.Add(c.rest), 1024, c.cold, c.every, c.batch, 10*time.Second); refused > 0 || done < 1024 {
			t.Errorf("%s: %d orders were done and %d refused", name, done, refused)
		}
	}
}

// TestACrowdAtASlowPlatformIsRefused is the other side: what cannot be served in time is not let in.
func TestACrowdAtASlowPlatformIsRefused(t *testing.T) {
	t.Parallel()
	a := newAdmission(3276, 5*time.Second)
	if _, refused := crowd(a, a.born.Add(33*time.Second), 1024, 100*time.Millisecond, 100*time.Millisecond, 8, 10*time.Second); refused == 0 {
		t.Error("nobody was refused by a platform that does 80 orders/s")
	}
	if limit := a.limit.Load(); limit > 500 {
		t.Errorf("the limit of 80 orders/s is %d", limit)
	}
}

func TestAdmissionForgetsAfterRest(t *testing.T) {
	t.Parallel()
	a := newAdmission(3276, 5*time.Second)
	flood(a, a.born, 20*time.Second, 1000, 60) // a bad day of the database
	if limit := a.limit.Load(); limit > 500 {
		t.Fatalf("the limit of 60 orders/s is %d", limit)
	}
	flood(a, a.born.Add(20*time.Second), 30*time.Second, 5, 1000)
	if limit := a.limit.Load(); limit > 500 {
		t.Errorf("after half a minute of rest the limit is %d", limit)
	}
	flood(a, a.born.Add(50*time.Second), 40*time.Second, 5, 1000)
	if _, refused := crowd(a, a.born.Add(95*time.Second), 1024, 0, 125*time.Millisecond, 512, 5*time.Second); refused > 0 {
		t.Errorf("%d orders of a crowd on the next day were refused", refused)
	}
}

// TestWhatIsNotFinishedTeachesNothing: callers who give up, and what is refused, do not make a platform a fast one.
func TestWhatIsNotFinishedTeachesNothing(t *testing.T) {
	t.Parallel()
	a := newAdmission(3276, 5*time.Second)
	for _, c := range []struct {
		status int
		took   time.Duration
		want   bool
	}{
		{201, time.Second, true}, {201, 9 * time.Second, true}, {409, time.Second, true}, {422, time.Second, true},
		{202, time.Second, true}, // its caller did not want to wait
		{202, 10 * time.Second, false},
		{400, 0, false}, {429, 0, false}, {499, time.Second, false}, {500, 0, false}, {503, 0, false}, {504, 30 * time.Second, false}, {0, 0, false},
	} {
		if got := a.finishedWith(c.status, c.took); got != c.want {
			t.Errorf("%d after %s: %t", c.status, c.took, got)
		}
	}
}

// TestABurstOfAKnownPlatformIsNoSpeed: a batch that ends within a window is not twice the speed of a platform that is known.
func TestABurstOfAKnownPlatformIsNoSpeed(t *testing.T) {
	t.Parallel()
	a := newAdmission(3276, 5*time.Second)
	flood(a, a.born, 20*time.Second, 1000, 100)
	limit, now := a.limit.Load(), a.born.Add(20*time.Second+time.Millisecond)
	for range 250 {
		a.enter(now)
	}
	for range 250 {
		a.leave(now, true)
	}
	if got := a.limit.Load(); got > limit {
		t.Errorf("the limit rose from %d to %d within a window", limit, got)
	}
}

// TestTheEncodedRefusalIsTheProblem: byte for byte, again and again.
func TestTheEncodedRefusalIsTheProblem(t *testing.T) {
	t.Parallel()
	want := httptest.NewRecorder()
	httpx.WriteProblem(want, errOverloaded)
	for range 2 {
		got := httptest.NewRecorder()
		overloaded.write(got)
		if got.Code != want.Code || got.Body.String() != want.Body.String() || !maps.EqualFunc(got.Header(), want.Header(), slices.Equal) {
			t.Errorf("%d %v %s, want %d %v %s", got.Code, got.Header(), got.Body, want.Code, want.Header(), want.Body)
		}
		got.Header().Add("Retry-After", "9") // whoever adds has a header of its own
	}
	if want.Header().Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", want.Header().Get("Retry-After"))
	}
}
