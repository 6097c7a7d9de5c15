package lifecycle

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// Bounds of the wait after an error: it doubles from the loop's interval, at least from minBackoff, up to maxBackoff.
const (
	minBackoff = 100 * time.Millisecond
	maxBackoff = time.Minute
)

// Loop repeats a step in the background. Tests and simulations call Step themselves. Do not copy a Loop after Run or Wake.
type Loop struct {
	Name     string
	Interval time.Duration // between steps that found no work, plus or minus a tenth; 1 s by default
	// Step does one bounded piece of work and tells whether there was any: if so, the next step follows at once.
	Step   func(ctx context.Context) (worked bool, err error)
	Logger *slog.Logger // slog.Default by default

	once sync.Once
	wake chan struct{}
}

// Wake ends the wait for the next step. It never blocks; many calls before a step count as one.
// During the back-off after an error it is only remembered, so that a database that is down is not hammered.
func (l *Loop) Wake() {
	select {
	case l.waker() <- struct{}{}:
	default:
	}
}

func (l *Loop) waker() chan struct{} {
	l.once.Do(func() { l.wake = make(chan struct{}, 1) })
	return l.wake
}

// Run repeats Step until ctx ends. Errors are logged here, since nobody is left to return them to, and slow the loop down.
func (l *Loop) Run(ctx context.Context) {
	failures := 0
	for ctx.Err() == nil {
		l.forgetWake()
		worked, err := l.Step(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			failures++
			pause := l.backoff(failures)
			l.logger().ErrorContext(ctx, "loop step", "loop", l.Name, "error", err, "failures", failures, "pause", pause.String())
			l.pause(ctx, pause, nil)
		case worked:
			failures = 0
		default:
			failures = 0
			l.pause(ctx, l.jittered(), l.waker())
		}
	}
}

// forgetWake drops what was called for before a step: that step sees all of it.
func (l *Loop) forgetWake() {
	select {
	case <-l.waker():
	default:
	}
}

func (l *Loop) pause(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
	}
}

func (l *Loop) interval() time.Duration {
	if l.Interval <= 0 {
		return time.Second
	}
	return l.Interval
}

// jittered keeps the replicas of a service from polling in step.
func (l *Loop) jittered() time.Duration {
	interval := l.interval()
	return interval - interval/10 + rand.N(interval/5+1)
}

// backoff is full jitter over the upper half: never so short that an outage is hammered.
func (l *Loop) backoff(failures int) time.Duration {
	limit := max(l.interval(), minBackoff)
	for range min(failures, 16) - 1 {
		limit *= 2
	}
	limit = min(limit, max(maxBackoff, l.interval()))
	return limit/2 + rand.N(limit/2+1)
}

func (l *Loop) logger() *slog.Logger {
	if l.Logger == nil {
		return slog.Default()
	}
	return l.Logger
}
