package launch

import "syscall"

// dieWithParent has the kernel kill a program when its parent is gone, whatever ended that.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
