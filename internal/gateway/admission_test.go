package gateway

import (
	"testing"
	"time"
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
	if admitted != 3276 {
		t.Errorf("of a crowd after hours of rest, %d were admitted", admitted)
	}
}
