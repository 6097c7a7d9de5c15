//go:build !linux && !darwin

package httpx

import "net"

// canTellGone says that all requests are net/http's here.
const canTellGone = false

func gone(*net.TCPConn) bool { return false }
