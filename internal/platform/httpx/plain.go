package httpx

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// plainServer serves plain requests itself and hands every connection that says anything else to net/http, with the bytes
// that were read, from where it never comes back. Plain is what clients of an API send all day: HTTP/1.1, the whole
// request in one small piece, its length stated, nothing about the connection. So there is one place that refuses, that
// reads slowly, and that knows chunks, upgrades and expectations, and it is net/http.
//
// net/http's own part of a request that waits for somebody is a third of the gateway's CPU: three deadlines, a goroutine
// that reads in the background, headers that are cloned and sorted. docs/adr/0024-plain-requests.md has the numbers.
type plainServer struct {
	cfg     ServerConfig
	handler http.Handler
	base    context.Context // of every request: it carries what net/http's would
	others  *handedOver

	// ticks counts the sweeps: the clock of all connections, read without a system call.
	ticks atomic.Int64
	tick  time.Duration

	mu    sync.Mutex
	conns map[*plainConn]struct{}
}

func newPlainServer(cfg ServerConfig, server *http.Server, others *handedOver) *plainServer {
	p := &plainServer{cfg: cfg, handler: server.Handler, others: others, conns: map[*plainConn]struct{}{},
		base: context.WithValue(context.Background(), http.ServerContextKey, server)}
	// A quarter of the shortest limit is as late as a limit may be kept; and short limits are for tests only.
	shortest := min(cfg.ReadHeaderTimeout, cfg.WriteTimeout, cfg.IdleTimeout)
	p.tick = max(time.Millisecond, min(100*time.Millisecond, shortest/4))
	return p
}

// accept serves what the listener lets in until it is closed. A lack of file descriptors passes: it waits and tries again,
// as net/http does.
func (p *plainServer) accept(listener net.Listener) error {
	const shortest, longest = 5 * time.Millisecond, time.Second
	for wait := shortest; ; {
		conn, err := listener.Accept()
		var passing interface{ Temporary() bool }
		switch {
		case err == nil:
			wait = shortest
			p.start(conn.(*net.TCPConn))
		case errors.As(err, &passing) && passing.Temporary():
			select {
			case <-time.After(wait):
				wait = min(2*wait, longest)
			case <-p.others.closed:
				return err
			}
		default:
			return err
		}
	}
}

func (p *plainServer) start(conn *net.TCPConn) {
	c := newPlainConn(p, conn)
	p.mu.Lock()
	p.conns[c] = struct{}{}
	p.mu.Unlock()
	go c.serve() // Server.Shutdown waits for it, by way of conns
}

func (p *plainServer) forget(c *plainConn) {
	p.mu.Lock()
	delete(p.conns, c)
	p.mu.Unlock()
}

// watch sweeps until done is closed.
func (p *plainServer) watch(done <-chan struct{}) {
	ticker := time.NewTicker(p.tick)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.sweep()
		case <-done:
			return
		}
	}
}

// sweep keeps the limits of all connections. One look at each, ten times a second, costs less than the timers of a single
// request.
func (p *plainServer) sweep() {
	now := p.ticks.Add(1)
	for _, c := range p.list() {
		c.look(now)
	}
}

func (p *plainServer) list() []*plainConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]*plainConn, 0, len(p.conns))
	for c := range p.conns {
		list = append(list, c)
	}
	return list
}

// ticksOf is how many sweeps cover d.
func (p *plainServer) ticksOf(d time.Duration) int64 { return int64((d+p.tick-1)/p.tick) + 1 }

// owing counts the connections that are owed an answer, or have not said anything yet.
func (p *plainServer) owing() (n int) {
	for _, c := range p.list() {
		if c.owed() {
			n++
		}
	}
	return n
}

// shutdown closes the connections that wait for a request, and then the others as their answers are out. What ctx leaves no
// time for is cut off.
func (p *plainServer) shutdown(ctx context.Context) error {
	for _, c := range p.list() {
		c.retire()
	}
	for tick := time.Tick(2 * time.Millisecond); len(p.list()) > 0; {
		select {
		case <-tick:
		case <-ctx.Done():
			for _, c := range p.list() {
				c.cut()
			}
			return ctx.Err()
		}
	}
	return nil
}

// handedOver is the listener that net/http accepts from.
type handedOver struct {
	address net.Addr
	busy    *atomic.Int64 // Server's
	conns   chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func newHandedOver(address net.Addr, busy *atomic.Int64) *handedOver {
	return &handedOver{address: address, busy: busy, conns: make(chan net.Conn), closed: make(chan struct{})}
}

// give hands a connection to net/http, or tells that it takes none any more.
func (h *handedOver) give(conn net.Conn) bool {
	select {
	case h.conns <- conn:
		return true
	case <-h.closed:
		return false
	}
}

// Accept implements net.Listener.
func (h *handedOver) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *handedOver) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

// Addr implements net.Listener.
func (h *handedOver) Addr() net.Addr { return h.address }

// resumed is a connection whose first bytes were read already.
type resumed struct {
	net.Conn
	rest []byte
}

// Read implements net.Conn.
func (r *resumed) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return r.Conn.Read(p)
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
