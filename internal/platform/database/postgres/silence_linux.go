package postgres

import (
	"errors"
	"syscall"
)

// tcpUserTimeout is TCP_USER_TIMEOUT (RFC 5482, tcp(7)), which package syscall does not name.
const tcpUserTimeout = 0x12

func limitSilence(c syscall.RawConn) error {
	var refused error
	err := c.Control(func(fd uintptr) {
		refused = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(silence.Milliseconds())) //nolint:gosec // a descriptor is small
	})
	if errors.Is(refused, syscall.ENOPROTOOPT) { // not every Linux is one: some sandboxes know fewer options
		refused = nil
	}
	return errors.Join(err, refused)
}
