package httpx

import (
	"bytes"
	"context"
	"net"
	"net/http"
)

// maxHead is more than ServerConfig.MaxHeaderBytes usually lets through.
const maxHead = 32 << 10

type headListener struct{ net.Listener }

// Accept implements net.Listener.
func (l headListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &headConn{Conn: conn}, nil
}

// headConn keeps the head of the request that is being read, for what net/http does not tell its handlers.
// net/http reads from one goroutine at a time and reports idleness between two requests, so there is no lock.
type headConn struct {
	net.Conn
	head     []byte
	complete bool
	busy     bool // as Server.follow counted it
}

// Read implements net.Conn.
func (c *headConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && !c.complete {
		from := max(0, len(c.head)-3) // the blank line may lie across two reads
		c.head = append(c.head, p[:n]...)
		c.complete = len(c.head) > maxHead || bytes.Contains(c.head[from:], []byte("\r\n\r\n")) || bytes.Contains(c.head[from:], []byte("\n\n"))
	}
	return n, err
}

func (c *headConn) forget() {
	if cap(c.head) > 8<<10 { // do not let one long head cost memory for the life of the connection
		c.head = nil
	}
	c.head, c.complete = c.head[:0], false
}

// hasContentLength looks for the field in the head that was kept. Names of fields match without case.
func (c *headConn) hasContentLength() bool {
	for line := range bytes.Lines(c.head) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return false
		}
		name, _, found := bytes.Cut(line, []byte(":"))
		if found && bytes.EqualFold(bytes.TrimSpace(name), []byte("Content-Length")) {
			return true
		}
	}
	return false
}

type connKey struct{}

func rememberConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

func forgetHead(conn net.Conn, state http.ConnState) {
	if head, ok := conn.(*headConn); ok && state == http.StateIdle {
		head.forget()
	}
}
