package frames

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// ErrFull says that too many requests wait: the caller sheds this one.
var ErrFull = errors.New("too many requests wait for the backend")

// errNoAnswer says that the batch ended without an answer to this request: nobody knows whether it took effect.
var errNoAnswer = errors.New("the backend ended the batch without an answer")

// Config shapes a Forwarder. Every field but Propagate is required.
type Config struct {
	// URL is the backend's base, such as http://pedidos:8001.
	URL       string
	Transport http.RoundTripper
	// Queue bounds the requests that wait to be sent.
	Queue int
	// Batches bounds the batches that are on their way and have not begun to be answered: while there are that many,
	// requests gather. Few make large batches; two keep the backend busy while one is being written.
	Batches int
	// Open bounds all batches that are not answered whole. A slow request keeps its batch open. When half of them are, the
	// others leave so far apart that they last for Timeout: what they lack in number they have in size, and slow requests
	// delay the quick ones by that much and no more.
	Open int
	// Timeout bounds how long a request waits to be sent and for its answer. A batch has one timer for all, so it ends with
	// the time of its youngest request, a moment after that of its oldest.
	Timeout time.Duration
	// Propagate puts a request's trace into its headers. May be nil.
	Propagate func(ctx context.Context, h http.Header)
	// OnError answers for a backend that did not: err is ErrFull, the transport's, or that of a batch cut off.
	OnError func(w http.ResponseWriter, r *http.Request, err error)
}

func (c Config) validate() error {
	if c.URL == "" || c.Transport == nil || c.Queue < 1 || c.Batches < 1 || c.Open < c.Batches || c.Timeout <= 0 || c.OnError == nil {
		return fmt.Errorf("frames to %q: transport, queue (%d), batches (%d), open (%d), timeout (%s) and what answers an error must be set",
			c.URL, c.Queue, c.Batches, c.Open, c.Timeout)
	}
	return nil
}

// call is one request that waits for its answer.
type call struct {
	frame  []byte
	due    time.Time
	answer chan result // of capacity 1, and answered once: whoever answers never waits for a caller that has gone
}

// result is the frame of an answer, or why there is none.
type result struct {
	frame []byte
	err   error
}

// calls are lent again once they were answered: nobody else knows them then.
var calls = sync.Pool{New: func() any { return &call{answer: make(chan result, 1)} }}

// Forwarder is an http.Handler that sends requests to a backend in batches. Run must run.
type Forwarder struct {
	cfg   Config
	queue chan *call
	ready chan struct{} // a token a batch that has not begun to be answered
	open  chan struct{} // a token a batch that is not answered whole
}

// New makes a forwarder.
func New(cfg Config) (*Forwarder, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Forwarder{cfg: cfg, queue: make(chan *call, cfg.Queue), ready: make(chan struct{}, cfg.Batches), open: make(chan struct{}, cfg.Open)}, nil
}

// ServeHTTP implements http.Handler. The caller's leaving does not stop a request that was sent.
func (f *Forwarder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r)
	if err != nil {
		f.cfg.OnError(w, r, err)
		return
	}
	if f.cfg.Propagate != nil {
		f.cfg.Propagate(r.Context(), r.Header)
	}
	c := calls.Get().(*call)
	if c.frame = appendRequest(c.frame[:0], r, body); len(c.frame) > maxFrame {
		f.cfg.OnError(w, r, &http.MaxBytesError{Limit: maxFrame})
		return
	}
	c.due = time.Now().Add(f.cfg.Timeout)
	select {
	case f.queue <- c:
	default:
		f.cfg.OnError(w, r, ErrFull)
		return
	}
	select {
	case got := <-c.answer:
		if cap(c.frame) <= lendAtMost {
			calls.Put(c) // whoever answered it has forgotten it
		}
		if err = got.err; err == nil {
			err = write(w, got.frame)
		}
	case <-r.Context().Done():
		err = r.Context().Err()
	}
	if err != nil {
		f.cfg.OnError(w, r, err)
	}
}

// lendAtMost is how large a frame's buffer may have grown to be lent again.
const lendAtMost = 16 << 10

func readBody(r *http.Request) ([]byte, error) {
	if body, ok := httpx.WholeBody(r); ok {
		return body, nil
	}
	if r.ContentLength < 0 {
		return io.ReadAll(r.Body) // bounded by the gateway's http.MaxBytesReader
	}
	body := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, body)
	return body, err
}

func write(w http.ResponseWriter, frame []byte) error {
	h := w.Header()
	a, err := parseAnswer(frame, h)
	if err != nil {
		return err
	}
	const counted = 2 << 10 // bytes that net/http gathers and counts itself
	if h["Content-Length"] != nil || len(a.body) > counted {
		h["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client is gone: nobody is left to tell
	return nil
}

// Run sends batches until ctx ends; then it answers what still waits with ctx's error.
func (f *Forwarder) Run(ctx context.Context) {
	for {
		if !f.acquire(ctx) {
			f.refuse(ctx.Err())
			return
		}
		f.pace(ctx)
		select {
		case first := <-f.queue:
			// Whoever sent it has woken this goroutine before those that are ready to run: let them say what they want too,
			// or it would travel alone.
			runtime.Gosched()
			go f.send(context.WithoutCancel(ctx), inTime(f.gather(first)))
		case <-ctx.Done():
			<-f.ready
			<-f.open
			f.refuse(ctx.Err())
			return
		}
	}
}

func (f *Forwarder) acquire(ctx context.Context) bool {
	select {
	case f.open <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	select {
	case f.ready <- struct{}{}:
		return true
	case <-ctx.Done():
		<-f.open
		return false
	}
}

// pace waits while more than half of the batches are open.
func (f *Forwarder) pace(ctx context.Context) {
	if len(f.open) <= max(f.cfg.Batches, f.cfg.Open/2) {
		return
	}
	select {
	case <-time.After(f.cfg.Timeout / time.Duration(f.cfg.Open-f.cfg.Open/2)):
	case <-ctx.Done():
	}
}

func (f *Forwarder) refuse(err error) {
	for {
		select {
		case c := <-f.queue:
			c.answer <- result{err: err}
		default:
			return
		}
	}
}

func (f *Forwarder) gather(first *call) []*call {
	calls := []*call{first}
	for size := len(first.frame); len(calls) < maxFrames && size < maxBatch; {
		select {
		case c := <-f.queue:
			calls = append(calls, c)
			size += len(c.frame)
		default:
			return calls
		}
	}
	return calls
}

// inTime answers those that have waited too long, and returns the others.
func inTime(calls []*call) []*call {
	now := time.Now()
	return slices.DeleteFunc(calls, func(c *call) bool {
		late := now.After(c.due)
		if late {
			c.answer <- result{err: context.DeadlineExceeded}
		}
		return late
	})
}

// send sends one batch and answers its calls. Its place among those that have not begun to be answered is free again with
// the first answer, or after a moment: a batch of slow requests alone must not keep others from being sent.
func (f *Forwarder) send(ctx context.Context, calls []*call) {
	defer func() { <-f.open }()
	release := sync.OnceFunc(func() { <-f.ready })
	defer release()
	const moment = 10 * time.Millisecond
	defer time.AfterFunc(moment, release).Stop()
	err := f.exchange(ctx, calls, release)
	if err == nil {
		err = errNoAnswer
	}
	for _, c := range calls {
		if c != nil {
			c.answer <- result{err: err}
		}
	}
}

func (f *Forwarder) exchange(ctx context.Context, calls []*call, begun func()) error {
	if len(calls) == 0 {
		return nil
	}
	ctx, cancel := context.WithDeadline(ctx, calls[len(calls)-1].due)
	defer cancel()
	size := 0
	for _, c := range calls {
		size += len(c.frame)
	}
	body := make([]byte, 0, size)
	for _, c := range calls {
		body = append(body, c.frame...)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, f.cfg.URL+Path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make batch: %w", err)
	}
	request.Header.Set("Content-Type", contentType)
	// Go's Transport sends a request once more over a new connection when the old one turns out to be dead and this
	// header is there. That is safe: every order in the batch carries an Idempotency-Key of its own, or is only read. A nil value is not sent.
	request.Header["X-Idempotency-Key"] = nil
	var written atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { written.Store(true) }}
	response, err := f.cfg.Transport.RoundTrip(request.WithContext(httptrace.WithClientTrace(ctx, trace)))
	var network *net.OpError
	if errors.As(err, &network) && network.Op == "dial" && written.Load() {
		// The second sending could not connect, and the first may have arrived. Told as it is, this error would say that
		// the backend was never reached: 34 buyers heard "nothing was done" of orders that were confirmed.
		return fmt.Errorf("%w: %s", errNoAnswer, err) //nolint:errorlint // not wrapped, on purpose
	}
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("backend refused the batch: %s", response.Status)
	}
	return f.deliver(response.Body, calls, begun)
}

// deliver answers calls, and takes each that it has answered out of them: from then on it is its caller's.
func (f *Forwarder) deliver(body io.Reader, calls []*call, begun func()) error {
	reader := borrowReader(body)
	defer returnReader(reader)
	for {
		frame, err := readFrame(reader)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read answers: %w", err)
		}
		index, size := binary.Uvarint(frame)
		if size <= 0 || index >= uint64(len(calls)) {
			return fmt.Errorf("read answers: %w", errMalformed)
		}
		begun()
		if c := calls[index]; c != nil { // answered twice: the first counts
			calls[index] = nil
			c.answer <- result{frame: frame}
		}
	}
}
