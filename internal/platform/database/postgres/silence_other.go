//go:build !linux

package postgres

import "syscall"

// limitSilence does nothing: what is not acknowledged, this system gives up in its own time.
func limitSilence(syscall.RawConn) error { return nil }
