package clock

import (
	"container/heap"
	"sync"
	"time"
)

// Manual is a clock that stands still until it is advanced: the clock of tests and of the simulation.
type Manual struct {
	mu     sync.Mutex
	now    time.Time
	timers timers
	made   int
}

// NewManual makes a clock that shows now.
func NewManual(now time.Time) *Manual { return &Manual{now: now.UTC().Truncate(time.Microsecond)} }

// Now implements Clock.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// AfterFunc implements Clock. f is called by Advance, in its goroutine.
func (m *Manual) AfterFunc(d time.Duration, f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.made++
	heap.Push(&m.timers, timer{m.now.Add(d), m.made, f})
}

// Advance moves the clock on by d and calls what is due on the way, each at its time, first made first.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	end := m.now.Add(d)
	for len(m.timers) > 0 && !m.timers[0].at.After(end) {
		next := heap.Pop(&m.timers).(timer)
		m.now = next.at
		m.mu.Unlock()
		next.f()
		m.mu.Lock()
	}
	m.now = end
	m.mu.Unlock()
}

type timer struct {
	at     time.Time
	number int
	f      func()
}

type timers []timer

func (t timers) Len() int { return len(t) }
func (t timers) Less(i, j int) bool {
	if t[i].at.Equal(t[j].at) {
		return t[i].number < t[j].number
	}
	return t[i].at.Before(t[j].at)
}
func (t timers) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t *timers) Push(x any)   { *t = append(*t, x.(timer)) }
func (t *timers) Pop() any {
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return last
}
