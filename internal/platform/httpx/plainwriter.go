package httpx

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// plainWriter is the ResponseWriter of a plain request. An answer is gathered and goes out in one piece, with its length;
// one that is long, or flushed, goes out as it comes.
type plainWriter struct {
	recorder Recorder // what the handler gets: somebody would wrap this in one
	conn     *plainConn
	buffers  *plainBuffers
	constant *Constant
	status   int
	// What the handler said in its headers, and what was made of it.
	length  int64 // -1: not said
	typed   bool
	dated   bool
	close   bool
	chunked bool

	written int64
	sending bool // the head is out
	err     error
}

// plainBuffers are lent to an answer: a connection that waits keeps none.
type plainBuffers struct{ head, body []byte }

var lentBuffers = sync.Pool{New: func() any { return &plainBuffers{} }}

// The bounds of what is gathered, and of what a buffer may have grown to and be lent again.
const (
	gatherAtMost = 32 << 10
	keepAtMost   = 64 << 10
)

func newPlainWriter(c *plainConn) *plainWriter {
	clear(c.answer)
	w := &plainWriter{conn: c, buffers: lentBuffers.Get().(*plainBuffers), length: -1}
	w.recorder.ResponseWriter = w
	return w
}

// release takes the buffers back. The handler has returned: what it writes from now on is lost.
func (w *plainWriter) release() {
	b := w.buffers
	w.buffers, w.err = nil, http.ErrHandlerTimeout
	if cap(b.body)+cap(b.head) <= keepAtMost {
		b.head, b.body = b.head[:0], b.body[:0]
		lentBuffers.Put(b)
	}
}

// Header implements http.ResponseWriter.
func (w *plainWriter) Header() http.Header { return w.conn.answer }

// WriteHeader implements http.ResponseWriter. Headers count as they are now; informational answers are not passed on.
func (w *plainWriter) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic("an answer with the status " + strconv.Itoa(status))
	}
	if w.status != 0 || status < 200 || w.err != nil {
		return
	}
	w.status = status
	b := append(w.buffers.head, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(append(append(b, ' '), http.StatusText(status)...), "\r\n"...)
	for name, values := range w.conn.answer {
		b = w.field(b, name, values)
	}
	if w.constant != nil {
		b = w.constant.append(b, w.conn.answer)
	}
	if !w.dated {
		b = append(append(append(b, "Date: "...), httpDate()...), "\r\n"...)
	}
	w.buffers.head = b
}

func (w *plainWriter) field(b []byte, name string, values []string) []byte {
	switch name {
	case "Content-Length":
		if n, err := strconv.ParseInt(strings.Join(values, ""), 10, 64); err == nil && n >= 0 {
			w.length = n
		}
		return b // it is said with the rest of the frame
	case "Transfer-Encoding", "Trailer":
		return b
	case "Connection":
		for _, value := range values {
			w.close = w.close || strings.EqualFold(value, "close")
		}
		return b
	case "Content-Type", "Content-Encoding":
		w.typed = true
	case "Date":
		w.dated = true
	}
	if !every(name, isFieldName) || name == "" {
		return b
	}
	for _, value := range values {
		b = append(append(b, name...), ": "...)
		b = appendFieldValue(b, value)
		b = append(b, "\r\n"...)
	}
	return b
}

// appendFieldValue keeps a value from becoming more than one line.
func appendFieldValue(b []byte, value string) []byte {
	start := len(b)
	b = append(b, value...)
	for i := start; i < len(b); i++ {
		if b[i] == '\r' || b[i] == '\n' {
			b[i] = ' '
		}
	}
	return b
}

// Write implements http.ResponseWriter.
func (w *plainWriter) Write(p []byte) (int, error) { return write(w, p) }

// WriteString implements io.StringWriter.
func (w *plainWriter) WriteString(s string) (int, error) { return write(w, s) }

func write[T []byte | string](w *plainWriter, p T) (int, error) {
	w.WriteHeader(http.StatusOK)
	switch {
	case w.err != nil:
		return 0, w.err
	case !w.hasBody():
		return 0, http.ErrBodyNotAllowed
	}
	if w.written += int64(len(p)); w.length >= 0 && w.written > w.length {
		return 0, http.ErrContentLength // and finish finds that the length was wrong
	}
	w.buffers.body = append(w.buffers.body, p...)
	if len(w.buffers.body) > gatherAtMost {
		w.send(false)
	}
	return len(p), w.err
}

func (w *plainWriter) hasBody() bool {
	return w.status != http.StatusNoContent && w.status != http.StatusNotModified
}

// FlushError implements what http.ResponseController looks for.
func (w *plainWriter) FlushError() error {
	w.WriteHeader(http.StatusOK)
	if w.err == nil {
		w.send(false)
	}
	return w.err
}

// Flush implements http.Flusher.
func (w *plainWriter) Flush() { _ = w.FlushError() }

// SetWriteDeadline implements what http.ResponseController looks for, to a tenth of a second.
func (w *plainWriter) SetWriteDeadline(deadline time.Time) error {
	w.conn.limitWrites(deadline)
	return nil
}

// SetReadDeadline is like SetWriteDeadline; there is nothing left to read.
func (w *plainWriter) SetReadDeadline(time.Time) error { return nil }

// finish sends the rest, and tells whether the connection can carry another answer.
func (w *plainWriter) finish() bool {
	w.WriteHeader(http.StatusOK)
	if w.err == nil {
		w.send(true)
	}
	if w.length >= 0 && w.written != w.length && w.hasBody() {
		w.err = errors.Join(w.err, io.ErrShortWrite) // the client waits for what will not come
	}
	return w.err == nil && !w.close
}

// send writes what was gathered.
func (w *plainWriter) send(last bool) {
	b := w.buffers
	out := b.head
	if !w.sending {
		w.sending = true
		out = w.frame(out, last)
	} else {
		out = out[:0]
	}
	switch {
	case !w.chunked:
		out = append(out, b.body...)
	case len(b.body) > 0:
		out = append(strconv.AppendInt(out, int64(len(b.body)), 16), "\r\n"...)
		out = append(append(out, b.body...), "\r\n"...)
	}
	if w.chunked && last {
		out = append(out, "0\r\n\r\n"...)
	}
	b.head, b.body = out[:0], b.body[:0]
	if len(out) > 0 {
		_, w.err = w.conn.conn.Write(out)
	}
}

// frame ends the head with how long the body is.
func (w *plainWriter) frame(b []byte, last bool) []byte {
	body := w.buffers.body
	if !w.typed && len(body) > 0 {
		b = append(append(append(b, "Content-Type: "...), http.DetectContentType(body)...), "\r\n"...)
	}
	switch {
	case !w.hasBody():
	case w.length < 0 && !last:
		w.chunked = true
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	default:
		if w.length < 0 {
			w.length = w.written
		}
		b = append(strconv.AppendInt(append(b, "Content-Length: "...), w.length, 10), "\r\n"...)
	}
	if w.close {
		b = append(b, "Connection: close\r\n"...)
	}
	return append(b, "\r\n"...)
}

// datedSecond is the text of a Date header, and the second that it is of.
type datedSecond struct {
	second int64
	text   string
}

var lastDate atomic.Pointer[datedSecond]

// httpDate is the time as RFC 9110, section 5.6.7, writes it.
func httpDate() string {
	now := time.Now()
	last := lastDate.Load()
	if last == nil || last.second != now.Unix() {
		last = &datedSecond{now.Unix(), now.UTC().Format(http.TimeFormat)}
		lastDate.Store(last)
	}
	return last.text
}
