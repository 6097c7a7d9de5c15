package acceptance_test

import "syscall"

// dieWithSuite has the kernel kill a program when the suite is gone, whatever ended that.
func dieWithSuite() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
