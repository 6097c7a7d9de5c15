package gateway

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// alwaysAdmitted is how many new orders may be under way whatever was measured: enough to measure by.
	alwaysAdmitted = 256
	// admissionWindow is how long is measured before the limit moves.
	admissionWindow = 500 * time.Millisecond
)

// admission bounds the new orders under way by what the platform gets done: as many as it finishes within the wait that
// an order may have (Little's law). A fixed bound alone is right for one speed of the database: 3,276 orders are half a
// second of a fast one, and 25 seconds of one that does 130 a second, where all would be answered too late, and those that
// are refused learn it last (`make overload`).
//
// Only windows under pressure teach: in an idle one nothing is known of what could be done, so the limit stays as it was.
type admission struct {
	most int64
	wait time.Duration

	limit    atomic.Int64
	underway atomic.Int64
	finished atomic.Int64 // in this window
	refused  atomic.Bool  // somebody, in this window
	calm     atomic.Bool  // fewer than alwaysAdmitted were under way at a time of this window
	until    atomic.Int64 // the window's end, in nanoseconds since born
	born     time.Time

	mu   sync.Mutex // of whoever ends a window
	rate float64    // orders a second
}

func newAdmission(most int64, wait time.Duration) *admission {
	a := &admission{most: most, wait: wait, born: time.Now()}
	a.limit.Store(most)
	a.until.Store(int64(admissionWindow))
	return a
}

// enter lets an order in, or tells that there is no room.
func (a *admission) enter(now time.Time) bool {
	a.tick(now)
	n := a.underway.Add(1)
	if n < alwaysAdmitted {
		a.calm.Store(true)
	}
	if n > a.limit.Load() {
		a.underway.Add(-1)
		a.refused.Store(true)
		return false
	}
	return true
}

// leave counts an order out. served tells whether the platform worked on it: what the gateway refused by itself says
// nothing about the platform's speed.
func (a *admission) leave(now time.Time, served bool) {
	if a.underway.Add(-1) < alwaysAdmitted {
		a.calm.Store(true)
	}
	if served {
		a.finished.Add(1)
	}
	a.tick(now)
}

// tick ends the window when it is over.
func (a *admission) tick(now time.Time) {
	at := int64(now.Sub(a.born))
	if at < a.until.Load() || !a.mu.TryLock() {
		return
	}
	defer a.mu.Unlock()
	end := a.until.Load()
	if at < end {
		return // somebody was faster
	}
	took := time.Duration(at-end) + admissionWindow
	a.until.Store(at + int64(admissionWindow))
	a.learn(took, a.finished.Swap(0), a.refused.Swap(false), a.calm.Swap(false))
}

func (a *admission) learn(took time.Duration, finished int64, refused, calm bool) {
	if calm && !refused {
		return
	}
	measured := float64(finished) / took.Seconds()
	if a.rate == 0 {
		a.rate = measured
	}
	a.rate = (a.rate + measured) / 2
	a.limit.Store(min(a.most, max(alwaysAdmitted, int64(a.rate*a.wait.Seconds()))))
}
