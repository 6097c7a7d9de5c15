package httpx

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"
)

// plainSize bounds a plain request, head and body. It is what a connection keeps while it waits, half of net/http's.
const plainSize = 4 << 10

// phase is what a connection is doing.
type phase uint8

const (
	fresh   phase = iota // it has not said anything yet
	waiting              // between two requests
	serving
	retired // whoever comes back to it closes it
)

// plainConn is one connection that has said nothing but plain requests so far.
type plainConn struct {
	server *plainServer
	conn   *net.TCPConn
	remote string
	in     []byte // plainSize bytes
	answer http.Header

	mu      sync.Mutex
	phase   phase
	since   int64                   // the tick at which the phase began
	writeBy int64                   // the tick after which nothing more is written; 0: never
	cancel  context.CancelCauseFunc // of the request that is being served
	failed  bool                    // the write limit is over: what follows is not sent
	handed  bool                    // to net/http, which closes it from then on
}

func newPlainConn(p *plainServer, conn *net.TCPConn) *plainConn {
	return &plainConn{server: p, conn: conn, remote: conn.RemoteAddr().String(), in: make([]byte, plainSize), answer: http.Header{},
		since: p.ticks.Load()}
}

// serve answers requests until one is not plain, or the connection ends.
func (c *plainConn) serve() {
	defer c.server.forget(c)
	for {
		r, n, err := c.next()
		switch {
		case r != nil:
			if !c.respond(r) {
				_ = c.conn.Close() // all that matters was written, or cannot be
				return
			}
		case n > 0:
			c.handOver(n)
			return
		case err != nil:
			_ = c.conn.Close() // the client has closed it, or its time is over
			return
		}
	}
}

// next reads a request. Without one it says how many bytes it has read, which are for net/http to make sense of.
func (c *plainConn) next() (*plainRequest, int, error) {
	n := 0
	for {
		read, err := c.conn.Read(c.in[n:])
		if n == 0 && (err != nil || !c.begin()) {
			return nil, 0, net.ErrClosed
		}
		first := n == 0
		n += read
		r, verdict := parsePlain(c.in[:n])
		if verdict == incomplete && err == nil && n < len(c.in) {
			if first { // a client that sends head and body apart sends both at once
				_ = c.conn.SetReadDeadline(time.Now().Add(c.server.cfg.ReadHeaderTimeout / 4)) // a broken one says so at the next read
			}
			continue
		}
		if !first {
			_ = c.conn.SetReadDeadline(time.Time{})
		}
		if verdict != plain || len(c.in[:n]) > c.server.cfg.MaxHeaderBytes {
			return nil, n, nil
		}
		return r, n, nil
	}
}

func (c *plainConn) handOver(n int) {
	c.mu.Lock()
	c.handed = true
	c.mu.Unlock()
	server := c.server
	conn := &headConn{Conn: &resumed{Conn: c.conn, rest: c.in[:n:n]}, busy: true}
	server.others.busy.Add(1) // before this connection is forgotten here, or Shutdown would see it nowhere
	if !server.others.give(conn) {
		server.others.busy.Add(-1)
		_ = conn.Close() // the server is shut down
	}
}

// respond has the handler answer, and tells whether another request may follow.
func (c *plainConn) respond(in *plainRequest) (keep bool) {
	ctx, cancel := context.WithCancelCause(c.server.base)
	defer cancel(nil)
	c.mu.Lock()
	c.cancel = cancel
	c.mu.Unlock()
	w := newPlainWriter(c)
	defer w.release()
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		keep = false
		if v != http.ErrAbortHandler { //nolint:errorlint // net/http compares what is recovered in the same way
			c.server.cfg.Logger.Error("panic outside of a handler", slog.String("panic", panicText(v)), slog.String("stack", string(debug.Stack())))
		}
	}()
	c.server.handler.ServeHTTP(&w.recorder, in.request(WithRequestID(ctx, ""), c.remote))
	return w.finish() && c.end()
}

// begin tells whether a request that has arrived may be served.
func (c *plainConn) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == retired {
		return false
	}
	c.phase, c.since = serving, c.server.ticks.Load()
	c.writeBy = c.since + c.server.ticksOf(c.server.cfg.WriteTimeout)
	return true
}

// end tells whether the connection may wait for another request.
func (c *plainConn) end() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancel = nil
	if c.phase == retired || c.failed {
		return false
	}
	c.phase, c.since = waiting, c.server.ticks.Load()
	return true
}

// look keeps the connection's limits.
func (c *plainConn) look(now int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	age := now - c.since
	switch c.phase {
	case fresh:
		c.retireIf(age > c.server.ticksOf(c.server.cfg.ReadHeaderTimeout))
	case waiting:
		c.retireIf(age > c.server.ticksOf(c.server.cfg.IdleTimeout))
	case serving:
		if c.writeBy > 0 && now > c.writeBy && !c.failed {
			c.failed = true
			_ = c.conn.SetWriteDeadline(time.Unix(1, 0)) // it only fails on a connection that is closed
		}
		// net/http reads in the background of every request to learn of this. A request whose client has gone is worth
		// stopping when it takes long, and only then, so only long ones are asked.
		const every = 4
		if c.cancel != nil && age%every == 1 && gone(c.conn) {
			c.cancel(nil)
		}
	}
}

func (c *plainConn) retireIf(over bool) {
	if over {
		c.phase = retired
		_ = c.conn.Close() // wakes the reader, which sees the error
	}
}

// retire closes the connection as soon as no answer is owed.
func (c *plainConn) retire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.retireIf(c.phase != serving)
	c.phase = retired
}

// cut closes the connection whatever is owed. One that net/http has just begun to serve is not closed here: its request would
// seem to have lost its client.
func (c *plainConn) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handed {
		return
	}
	c.retireIf(true)
	if c.cancel != nil {
		c.cancel(errCutOff)
	}
}

func (c *plainConn) owed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase == fresh || c.phase == serving
}

// limitWrites is what http.ResponseController.SetWriteDeadline does.
func (c *plainConn) limitWrites(deadline time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writeBy = 0
	if !deadline.IsZero() {
		c.writeBy = c.server.ticks.Load() + c.server.ticksOf(time.Until(deadline))
	}
}
