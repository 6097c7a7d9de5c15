// Package frames carries many small HTTP requests in one: a proxy's cost is one read, one write and one wake-up a request,
// and requests that are in flight together can share them.
//
// Requests that arrive while earlier ones are on their way are gathered into the body of one POST, as length-prefixed
// frames; the other side hands each frame to the same handler as an ordinary request, and sends each answer as soon as it
// is there, so that a slow request holds up no neighbour.
package frames

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
)

// Path is where Handler expects batches. It is for peers only: a gateway must not route it.
const Path = "/internal/v1/frames"

// contentType keeps a batch from being mistaken for anything else.
const contentType = "application/vnd.veloz.frames"

// Bounds of what one batch may hold: a peer that sends more is broken.
const (
	maxFrame   = 1 << 20
	maxFrames  = 1000
	maxBatch   = 16 << 20 // bytes, after which a batch takes no more frames
	maxHeaders = 200      // more than a gateway takes from a client, with what it adds
)

var errMalformed = errors.New("malformed frame")

// request is one request in a batch. Its place in the batch names its answer.
type request struct {
	method, target string // target is the path with the query
	header         http.Header
	body           []byte
}

// answer is one response in a batch.
type answer struct {
	index  uint64
	status int
	header http.Header
	body   []byte
}

// appendFrame appends what fill appends, behind its length in four bytes.
func appendFrame(b []byte, fill func([]byte) []byte) []byte {
	start := len(b)
	b = fill(append(b, 0, 0, 0, 0))
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-4))
	return b
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendHeader(b []byte, h http.Header) []byte {
	n := 0
	for _, values := range h {
		n += len(values)
	}
	b = binary.AppendUvarint(b, uint64(n))
	for name, values := range h {
		for _, value := range values {
			b = appendString(appendString(b, name), value)
		}
	}
	return b
}

func appendRequest(b []byte, r *http.Request, body []byte) []byte {
	return appendFrame(b, func(b []byte) []byte {
		b = appendString(b, r.Method)
		b = appendString(b, r.URL.RequestURI())
		b = appendHeader(b, r.Header)
		return append(b, body...)
	})
}

// usualHead is more than the headers of most frames take.
const usualHead = 512

func appendAnswer(b []byte, a answer) []byte {
	b = slices.Grow(b, usualHead+len(a.body))
	return appendFrame(b, func(b []byte) []byte {
		b = binary.AppendUvarint(b, a.index)
		b = binary.AppendUvarint(b, uint64(a.status))
		b = appendHeader(b, a.header)
		return append(b, a.body...)
	})
}

// readFrame reads the next frame, or io.EOF between frames. The frame is the caller's.
func readFrame(r io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > maxFrame {
		return nil, fmt.Errorf("%w: %d bytes", errMalformed, n)
	}
	frame := make([]byte, n)
	if _, err := io.ReadFull(r, frame); err != nil {
		return nil, fmt.Errorf("%w: cut off", errMalformed)
	}
	return frame, nil
}

// readers are lent to batches: each is as long as many frames.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 64<<10) }}

func borrowReader(from io.Reader) *bufio.Reader {
	r := readers.Get().(*bufio.Reader)
	r.Reset(from)
	return r
}

func returnReader(r *bufio.Reader) {
	r.Reset(nil)
	readers.Put(r)
}

// cursor takes a frame apart. After a mistake it gives zero values, and says so in bad.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) number() uint64 {
	n, size := binary.Uvarint(c.rest)
	if size <= 0 {
		c.bad, c.rest = true, nil
		return 0
	}
	c.rest = c.rest[size:]
	return n
}

func (c *cursor) text() string {
	n := c.number()
	if n > uint64(len(c.rest)) {
		c.bad, c.rest = true, nil
		return ""
	}
	s := string(c.rest[:n])
	c.rest = c.rest[n:]
	return s
}

func (c *cursor) skip() {
	n := c.number()
	if n > uint64(len(c.rest)) {
		c.bad, c.rest = true, nil
		return
	}
	c.rest = c.rest[n:]
}

// header reads headers into h, where they replace those of their names. All of them share one string and one slice.
func (c *cursor) header(h http.Header) {
	n := c.number()
	if n > maxHeaders {
		c.bad, c.rest = true, nil
		return
	}
	block := c.rest
	for range 2 * n {
		c.skip()
	}
	if c.bad {
		return
	}
	text := string(block[:len(block)-len(c.rest)])
	next := func() string {
		size, skipped := binary.Uvarint(block)
		start := len(text) - (len(block) - len(c.rest)) + skipped
		block = block[skipped+int(size):] //nolint:gosec // skip has compared it with what is there
		return text[start : start+int(size)]
	}
	values := make([]string, n)
	last := ""
	for i := range values {
		name := next()
		values[i] = next()
		if i > 0 && name == last {
			h[name] = append(h[name], values[i])
			continue
		}
		h[name], last = values[i:i+1:i+1], name
	}
}

func parseRequest(frame []byte) (request, error) {
	c := cursor{rest: frame}
	const usual = 14 // what a map of 16 places takes
	r := request{method: c.text(), target: c.text(), header: make(http.Header, usual)}
	c.header(r.header)
	r.body = c.rest
	if c.bad || r.method == "" || r.target == "" || r.target[0] != '/' {
		return request{}, errMalformed
	}
	return r, nil
}

// parseAnswer puts the answer's headers into h, unless it is malformed.
func parseAnswer(frame []byte, h http.Header) (answer, error) {
	c := cursor{rest: frame}
	a := answer{index: c.number(), status: int(min(c.number(), 1000)), header: h}
	if c.bad || a.status < 200 || a.status > 599 {
		return answer{}, errMalformed
	}
	c.header(h)
	a.body = c.rest
	if c.bad {
		return answer{}, errMalformed
	}
	return a, nil
}
