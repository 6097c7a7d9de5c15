//go:build !linux

package launch

import "syscall"

// dieWithParent does nothing where the kernel has no such signal: clean-ups stop the programs.
func dieWithParent() *syscall.SysProcAttr { return nil }
