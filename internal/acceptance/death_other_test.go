//go:build !linux

package acceptance_test

import "syscall"

// dieWithSuite does nothing where the kernel has no such signal: clean-ups stop the programs.
func dieWithSuite() *syscall.SysProcAttr { return nil }
