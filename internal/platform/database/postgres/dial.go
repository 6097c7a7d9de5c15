package postgres

import (
	"context"
	"net"
	"strings"
	"syscall"
	"time"
)

// silence is how long a server may say nothing at all, not even that a packet came, before its connection is given up. A
// host that is gone sends no end of the connection, and the kernel's own patience is a quarter of an hour.
const silence = 15 * time.Second

// dial connects so that a server that has fallen silent is noticed, whether it owes an answer (keep-alive) or has not yet
// acknowledged the question (where the system can be told: limitSilence).
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silence / 3, Interval: silence / 3, Count: 2},
		Control: func(network, _ string, c syscall.RawConn) error {
			if !strings.HasPrefix(network, "tcp") {
				return nil
			}
			return limitSilence(c)
		},
	}
	return d.DialContext(ctx, network, address)
}
