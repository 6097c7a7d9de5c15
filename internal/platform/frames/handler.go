package frames

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// Handler unpacks batches that a Forwarder sent and hands each request to next, all at the same time. A request in a frame
// is like one of its own: next has its own middleware around it, and a panic in it answers that frame alone.
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != contentType {
			httpx.NotFound(w, r)
			return
		}
		requests, err := readRequests(http.MaxBytesReader(w, r.Body, maxBatch+maxFrame+4))
		if err != nil {
			httpx.WriteProblem(w, &httpx.Error{Status: http.StatusBadRequest, Code: httpx.CodeInvalidRequest, Title: "Malformed batch"})
			return
		}
		serve(w, r, requests, next)
	})
}

// readRequests reads a batch. A frame that cannot be understood is an empty request, and is answered by itself: its
// neighbours are other people's.
func readRequests(body io.Reader) (requests []request, err error) {
	reader := borrowReader(body)
	defer returnReader(reader)
	for {
		frame, err := readFrame(reader)
		if errors.Is(err, io.EOF) && len(requests) > 0 {
			return requests, nil
		}
		if err != nil {
			return nil, err
		}
		if len(requests) == maxFrames {
			return nil, errMalformed
		}
		parsed, _ := parseRequest(frame)
		requests = append(requests, parsed)
	}
}

func serve(w http.ResponseWriter, r *http.Request, requests []request, next http.Handler) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(http.StatusOK)
	out := &stream{w: w, flusher: http.NewResponseController(w), missing: len(requests)}
	var wg sync.WaitGroup
	for i := range requests {
		wg.Go(func() { out.send(answerOne(r.Context(), r.RemoteAddr, uint64(i), requests[i], next)) })
	}
	wg.Wait()
}

func answerOne(ctx context.Context, remote string, index uint64, in request, next http.Handler) (a answer) {
	w := &recorder{header: make(http.Header)}
	defer func() {
		if v := recover(); v != nil { // next recovers its own panics; this is for one that does not
			a = answer{index: index, status: http.StatusInternalServerError, header: http.Header{}}
		}
	}()
	target, err := url.ParseRequestURI(in.target)
	if err != nil {
		httpx.WriteProblem(w, &httpx.Error{Status: http.StatusBadRequest, Code: httpx.CodeInvalidRequest, Title: "Malformed request"})
		return answer{index: index, status: w.status, header: w.header, body: w.body.Bytes()}
	}
	r := (&http.Request{
		Method: in.method, URL: target, RequestURI: in.target, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: in.header, Body: io.NopCloser(bytes.NewReader(in.body)), ContentLength: int64(len(in.body)), RemoteAddr: remote,
	}).WithContext(ctx)
	next.ServeHTTP(w, r)
	w.WriteHeader(http.StatusOK)
	return answer{index: index, status: w.status, header: w.header, body: w.body.Bytes()}
}

// stream writes answers as they come. Answers that come together are flushed together: the last of them flushes.
type stream struct {
	queued  atomic.Int32 // answers that are being written or wait for it
	mu      sync.Mutex
	w       http.ResponseWriter
	flusher *http.ResponseController
	missing int
}

func (s *stream) send(a answer) {
	frame := appendAnswer(nil, a)
	s.queued.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.w.Write(frame) // the gateway is gone: nobody is left to tell
	s.missing--
	if s.queued.Add(-1) == 0 && s.missing > 0 { // the end of the handler flushes the rest
		_ = s.flusher.Flush()
	}
}

// recorder is the ResponseWriter of one frame.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}
