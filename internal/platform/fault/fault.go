// Package fault tells failures that pass from those that stay, without naming a driver.
package fault

import (
	"context"
	"errors"
)

type transient struct{ error }

func (t transient) Unwrap() error { return t.error }

// Transient marks err as one that the same call may not meet again: a lost connection, a full pool, a deadlock.
// It returns nil for nil.
func Transient(err error) error {
	if err == nil {
		return nil
	}
	return transient{err}
}

// IsTransient tells whether err was marked, or is the end of a context.
func IsTransient(err error) bool {
	var t transient
	return errors.As(err, &t) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
