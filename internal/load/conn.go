package load

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"time"
)

// target is where requests go, and what every request says.
type target struct {
	network, address, host string
	tls                    *tls.Config // nil for http
	path                   string      // before /v1
	authorization          string      // a header line, or nothing
	timeout                time.Duration
}

func parseTarget(raw, key string, timeout time.Duration) (target, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return target{}, fmt.Errorf("the URL %q: expected one such as http://127.0.0.1:8000", raw)
	}
	t := target{network: "tcp", host: u.Host, path: strings.TrimRight(u.EscapedPath(), "/"), timeout: timeout}
	port := u.Port()
	if u.Scheme == "https" {
		t.tls = &tls.Config{ServerName: u.Hostname(), NextProtos: []string{"http/1.1"}}
		port = orDefault(port, "443")
	}
	t.address = net.JoinHostPort(u.Hostname(), orDefault(port, "80"))
	if key != "" {
		if strings.ContainsAny(key, "\r\n") {
			return target{}, errors.New("the key has more than one line")
		}
		t.authorization = "Authorization: Bearer " + key + "\r\n"
	}
	return t, nil
}

func orDefault(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// request is a whole request, for what is not sent often enough to be patched in place.
func (t target) request(method, path, idempotencyKey, body string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s%s HTTP/1.1\r\nHost: %s\r\n%s", method, t.path, path, t.host, t.authorization)
	if idempotencyKey != "" {
		fmt.Fprintf(&b, "Idempotency-Key: %s\r\n", idempotencyKey)
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n")
	b.WriteString(body)
	return []byte(b.String())
}

// answer is a response. Its body is valid until the connection's next request.
type answer struct {
	status     int
	body       []byte
	retryAfter bool // it says when to come back
}

// The ways in which a request gets no answer. What became of it is unknown.
var (
	errTimeout    = errors.New("no answer in time")
	errConnection = errors.New("the connection broke")
)

// The platform closes a connection that is idle for 90 seconds, and one that has not said anything for 5: a request must
// not meet that.
const (
	idleLimit   = 45 * time.Second
	silentLimit = 3 * time.Second
)

// conn is one keep-alive HTTP/1.1 connection, with one request on it at a time.
type conn struct {
	target   *target
	net      net.Conn
	in       *bufio.Reader
	body     []byte
	deadline time.Time // that is set on net
	used     time.Time // zero before the first request
	opened   time.Time
}

// stale tells whether the platform may close the connection at any moment.
func (c *conn) stale(now time.Time) bool {
	if c.used.Before(c.opened) {
		return now.Sub(c.opened) > silentLimit
	}
	return now.Sub(c.used) > idleLimit
}

func (c *conn) connect(ctx context.Context) error {
	dialer := net.Dialer{Timeout: c.target.timeout}
	plain, err := dialer.DialContext(ctx, c.target.network, c.target.address)
	if err != nil {
		return err
	}
	c.net = plain
	if c.target.tls != nil {
		secure := tls.Client(plain, c.target.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			return errors.Join(err, plain.Close())
		}
		c.net = secure
	}
	c.in = newReader(c.net)
	c.deadline, c.opened = time.Time{}, time.Now()
	return nil
}

func newReader(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, 8<<10) }

func (c *conn) close() {
	if c.net != nil {
		_ = c.net.Close() // nothing is under way
		c.net = nil
	}
}

// do sends a request and reads its answer. The error is errTimeout or errConnection; the next request connects again.
func (c *conn) do(request []byte) (answer, error) {
	now := time.Now()
	if c.net != nil && c.stale(now) {
		c.close()
	}
	if c.net == nil {
		ctx, cancel := context.WithTimeout(context.Background(), c.target.timeout)
		err := c.connect(ctx)
		cancel()
		if err != nil {
			return answer{}, fmt.Errorf("%w: %w", errConnection, err)
		}
	}
	// A deadline costs a timer: it is moved once in a while, so a time-out comes up to a quarter late.
	if c.deadline.Sub(now) < c.target.timeout {
		c.deadline = now.Add(c.target.timeout + c.target.timeout/4)
		_ = c.net.SetDeadline(c.deadline) // a broken connection says so when it is used
	}
	c.used = now
	if _, err := c.net.Write(request); err != nil {
		return answer{}, c.broken(err)
	}
	a, keep, err := c.read()
	if err != nil {
		return answer{}, c.broken(err)
	}
	if !keep {
		c.close()
	}
	return a, nil
}

func (c *conn) broken(err error) error {
	c.close()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errTimeout
	}
	return fmt.Errorf("%w: %w", errConnection, err)
}

// head is what of an answer's head matters here.
type head struct {
	status        int
	contentLength int // -1: not said
	chunked       bool
	close         bool
	retryAfter    bool
}

func (c *conn) read() (a answer, keep bool, err error) {
	h, err := c.readHead()
	if err != nil {
		return answer{}, false, err
	}
	switch {
	case h.status == 204 || h.status == 304:
		c.body = c.body[:0]
	case h.chunked:
		err = c.readChunked()
	case h.contentLength >= 0:
		c.body = grow(c.body, h.contentLength)
		_, err = io.ReadFull(c.in, c.body)
	default:
		err = errors.New("an answer without a length")
	}
	return answer{h.status, c.body, h.retryAfter}, !h.close, err
}

// maxBody bounds an answer: the largest is a page of 100 orders.
const maxBody = 64 << 20

func (c *conn) readHead() (head, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return head{}, err
	}
	if len(line) < 13 || string(line[:7]) != "HTTP/1." {
		return head{}, fmt.Errorf("not an HTTP answer: %.40q", line)
	}
	h := head{status: number(line[9:12]), contentLength: -1}
	for {
		line, err = c.in.ReadSlice('\n')
		if err != nil {
			return head{}, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return h, nil
		}
		if err := h.field(line); err != nil {
			return head{}, err
		}
	}
}

// field takes one header in. Its first letter rules out most of them.
func (h *head) field(line []byte) error {
	if first := line[0] | 0x20; first != 'c' && first != 't' && first != 'r' {
		return nil
	}
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimSpace(value)
	switch {
	case equalFold(name, "content-length"):
		h.contentLength = number(value)
		if h.contentLength < 0 || h.contentLength > maxBody {
			return fmt.Errorf("an answer of length %q", value)
		}
	case equalFold(name, "transfer-encoding"):
		h.chunked = equalFold(value, "chunked")
	case equalFold(name, "connection"):
		h.close = equalFold(value, "close")
	case equalFold(name, "retry-after"):
		h.retryAfter = len(value) > 0
	}
	return nil
}

func (c *conn) readChunked() error {
	var buffer bytes.Buffer
	buffer.Write(c.body[:0])
	if _, err := io.Copy(&buffer, io.LimitReader(httputil.NewChunkedReader(c.in), maxBody)); err != nil {
		return err
	}
	c.body = buffer.Bytes()
	for { // NewChunkedReader leaves the trailer, which ends in an empty line
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			return nil
		}
	}
}

func grow(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n, n+n/4)
	}
	return b[:n]
}

// number reads a decimal, or -1.
func number(text []byte) int {
	if len(text) == 0 || len(text) > 9 {
		return -1
	}
	n := 0
	for _, digit := range text {
		if digit < '0' || digit > '9' {
			return -1
		}
		n = n*10 + int(digit-'0')
	}
	return n
}

// equalFold compares with a word in lower case.
func equalFold(text []byte, lower string) bool {
	if len(text) != len(lower) {
		return false
	}
	for i := range text {
		letter := text[i]
		if 'A' <= letter && letter <= 'Z' {
			letter |= 0x20
		}
		if letter != lower[i] {
			return false
		}
	}
	return true
}
