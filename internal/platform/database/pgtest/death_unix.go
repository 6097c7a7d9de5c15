//go:build unix && !linux

package pgtest

import "syscall"

// dieWithParent does nothing where the kernel has no such signal; the reaper of URL's server works everywhere.
func dieWithParent(*syscall.SysProcAttr) {}
