// Package clock is where the product takes its time from, so that a simulation can own it.
package clock

import "time"

// Clock tells the time and wakes.
type Clock interface {
	// Now is the current time in UTC, to the microsecond: what both engines store.
	Now() time.Time
	// AfterFunc calls f in its own goroutine when d has passed.
	AfterFunc(d time.Duration, f func())
}

// System is the machine's clock.
type System struct{}

// Now implements Clock.
func (System) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// AfterFunc implements Clock.
func (System) AfterFunc(d time.Duration, f func()) { time.AfterFunc(d, f) }
