package orderpath

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
)

// nextKey writes a new idempotency key over the old one.
func (e *edge) nextKey(key []byte) {
	n := e.keys.Add(1)
	for i := len(key) - 1; i >= 0; i-- {
		key[i] = byte('0' + n%10)
		n /= 10
	}
}

// record places one order and keeps the answer.
func (e *edge) record(t testing.TB) *httptest.ResponseRecorder {
	t.Helper()
	raw, key := e.request()
	e.nextKey(key)
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "127.0.0.1:40000"
	w := httptest.NewRecorder()
	e.server.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusCreated {
		t.Fatalf("status %d, want 201: %s", w.Code, w.Body)
	}
	return w
}

// sender returns a function that places an order through the edge's handler. Of what it allocates, the key and the
// request's map of headers are its own.
func (e *edge) sender(t testing.TB) (send func()) {
	t.Helper()
	raw, _ := e.request()
	template, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	template.RemoteAddr = "127.0.0.1:40000"
	key := []byte("00000000000000000000")
	handler, reader, w := e.server.Handler(), &rewound{}, &discard{header: http.Header{}}
	header := http.Header{}
	return func() {
		e.nextKey(key)
		r := *template
		clear(header)
		maps.Copy(header, template.Header)
		header["Idempotency-Key"] = []string{string(key)}
		reader.Reset([]byte(body))
		r.Header, r.Body = header, reader
		clear(w.header)
		handler.ServeHTTP(w, &r)
		if w.status != http.StatusCreated {
			t.Fatalf("status %d, want 201", w.status)
		}
	}
}

type rewound struct{ bytes.Reader }

// Close implements io.Closer.
func (*rewound) Close() error { return nil }

var _ io.ReadCloser = (*rewound)(nil)

// discard is an answer that nobody reads.
type discard struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (d *discard) Header() http.Header { return d.header }

// Write implements http.ResponseWriter.
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader implements http.ResponseWriter.
func (d *discard) WriteHeader(status int) { d.status = status }
