package pgtest

import "syscall"

// dieWithParent has the kernel stop the server, in order, when this process is gone.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }
