// Package clock is where the product takes its time from, so that a simulation can own it.
package clock

import "time"

// Clock tells the time.
type Clock interface {
	// Now is the current time in UTC, to the microsecond: what both engines store.
	Now() time.Time
}

// System is the machine's clock.
type System struct{}

// Now implements Clock.
func (System) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
