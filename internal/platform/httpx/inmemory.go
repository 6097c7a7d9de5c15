package httpx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// errHandlerPanicked stands for the connection that a panic would have cut.
var errHandlerPanicked = errors.New("the handler panicked")

// InMemory calls handler as a peer over the network would: it sees copies of the headers, the cancellation and the
// deadline of the context but none of its values, and the caller does not wait for it longer than its context lasts.
// A panic is an error of the call. Answers are buffered whole, so nothing can be streamed.
// Measured against loopback TCP: 11–20 µs a call instead of 166–261 µs.
func InMemory(handler http.Handler) http.RoundTripper { return inMemory{handler} }

type inMemory struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (m inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := context.Cause(r.Context()); err != nil {
		closeBody(r)
		return nil, err
	}
	ctx, cancel := context.WithCancel(withoutValues{r.Context()})
	answered := make(chan result, 1)
	go func() {
		defer cancel() // as the server does when a handler has returned
		defer closeBody(r)
		answered <- m.serve(r, serverRequest(ctx, r))
	}()
	select {
	case answer := <-answered:
		return answer.response, answer.err
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
}

type result struct {
	response *http.Response
	err      error
}

func (m inMemory) serve(sent, received *http.Request) (answer result) {
	w := &memoryWriter{header: http.Header{}, head: sent.Method == http.MethodHead}
	defer func() {
		if v := recover(); v != nil {
			answer = result{err: fmt.Errorf("%s %s in memory: %w: %s", sent.Method, sent.URL.Path, errHandlerPanicked, panicText(v))}
		}
	}()
	m.handler.ServeHTTP(w, received)
	return result{response: w.response(sent)}
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

// withoutValues passes on when a context ends and nothing else: values do not cross a network, and code that came to rely
// on them in one process would break in four.
type withoutValues struct{ context.Context }

// Value implements context.Context.
func (withoutValues) Value(any) any { return nil }

func serverRequest(ctx context.Context, sent *http.Request) *http.Request {
	r := (&http.Request{
		Method: sent.Method, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		URL:        &url.URL{Path: sent.URL.Path, RawPath: sent.URL.RawPath, RawQuery: sent.URL.RawQuery},
		Header:     sent.Header.Clone(),
		Body:       sent.Body,
		Host:       sent.Host,
		RemoteAddr: "127.0.0.1:0",
	}).WithContext(ctx)
	r.ContentLength = sent.ContentLength
	switch {
	case sent.Body == nil || sent.Body == http.NoBody:
		r.Body, r.ContentLength = http.NoBody, 0
	case sent.ContentLength <= 0: // of unknown length: the Transport would send chunks
		r.ContentLength, r.TransferEncoding = -1, []string{"chunked"}
	default:
		r.Body = io.NopCloser(io.LimitReader(sent.Body, sent.ContentLength))
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if r.Host == "" {
		r.Host = sent.URL.Host
	}
	if r.URL.Path == "" {
		r.URL.Path = "/"
	}
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	r.RequestURI = r.URL.RequestURI()
	return r
}

type memoryWriter struct {
	header http.Header
	sent   http.Header // as they were at WriteHeader; later changes do not reach a client
	status int
	body   bytes.Buffer
	head   bool
}

// Header implements http.ResponseWriter.
func (w *memoryWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *memoryWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 { // informational answers are not passed on
		w.status, w.sent = status, w.header.Clone()
	}
}

// Write implements http.ResponseWriter.
func (w *memoryWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.status == http.StatusNoContent || w.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
	if w.head {
		return len(p), nil
	}
	return w.body.Write(p)
}

// Flush implements http.Flusher: there is nothing to flush to.
func (w *memoryWriter) Flush() { w.WriteHeader(http.StatusOK) }

// SetReadDeadline and SetWriteDeadline let http.ResponseController pass: the context bounds the call.
func (w *memoryWriter) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline is like SetReadDeadline.
func (w *memoryWriter) SetWriteDeadline(time.Time) error { return nil }

func (w *memoryWriter) response(sent *http.Request) *http.Response {
	w.WriteHeader(http.StatusOK)
	body, header := w.body.Bytes(), w.sent
	if _, typed := header["Content-Type"]; len(body) > 0 && !typed {
		header.Set("Content-Type", http.DetectContentType(body[:min(len(body), 512)]))
	}
	response := &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, ContentLength: int64(len(body)), Body: http.NoBody, Request: sent,
	}
	if len(body) > 0 {
		response.Body = io.NopCloser(bytes.NewReader(body))
	}
	if response.ContentLength > 0 && header.Get("Content-Length") == "" {
		header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	return response
}
