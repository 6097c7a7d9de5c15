//go:build linux || darwin

package httpx

import (
	"errors"
	"net"
	"syscall"
)

// canTellGone says that plain requests can be served here: without gone, nothing would stop them when a client leaves.
const canTellGone = true

// gone tells whether the other side has closed the connection. It reads nothing and does not wait.
func gone(conn *net.TCPConn) (closed bool) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return true
	}
	err = raw.Control(func(fd uintptr) {
		var next [1]byte
		n, _, err := syscall.Recvfrom(int(fd), next[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		closed = n == 0 && err == nil || err != nil && !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR)
	})
	return closed || err != nil
}
