package httpx_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

var quiet = slog.New(slog.DiscardHandler)

func start(t *testing.T, cfg httpx.ServerConfig, h http.Handler) *httpx.Server {
	t.Helper()
	cfg.Address, cfg.Logger, cfg.Name, cfg.Plain = "127.0.0.1:0", quiet, "test", true
	s := httpx.New(cfg, h)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = s.Shutdown(ctx)
	})
	return s
}

// raw sends text as it is and reads what comes back until the server closes or the last answer came.
func raw(t *testing.T, s *httpx.Server, text string, answers int) []*http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	var got []*http.Response
	for range answers {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			break
		}
		body, _ := io.ReadAll(response.Body)
		response.Body = io.NopCloser(strings.NewReader(string(body)))
		got = append(got, response)
	}
	return got
}

func counting(calls *atomic.Int32) http.Handler {
	return httpx.StrictBody(httpx.BodyLimits{})(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
}

func TestHostileFraming(t *testing.T) {
	t.Parallel()
	const head = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
	for _, test := range []struct {
		name, text string
		status     int
		calls      int32
	}{
		{"length and chunks", head + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 400, 0},
		{"chunks and length", head + "Transfer-Encoding: chunked\r\ncontent-LENGTH: 4\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 400, 0},
		{"two lengths", head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, 0},
		{"chunks", head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 200, 1},
		{"broken chunk", head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nzz\r\n\r\n", 400, 0},
		{"chunk too long", head + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}", 400, 0},
		{"many fields", head + strings.Repeat("X-A: b\r\n", 200) + "Content-Length: 2\r\n\r\n{}", 431, 0},
		{"long head", head + "X-A: " + strings.Repeat("a", 40<<10) + "\r\n\r\n", 431, 0},
		{"length", head + "Content-Length: 2\r\n\r\n{}", 200, 1},
		{"space in a name", head + "Content-Length : 2\r\n\r\n{}", 400, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			s := start(t, httpx.ServerConfig{}, counting(&calls))
			got := raw(t, s, test.text, 1)
			if len(got) != 1 || got[0].StatusCode != test.status || calls.Load() != test.calls {
				t.Errorf("got %v, %d calls; want %d, %d", got, calls.Load(), test.status, test.calls)
			}
		})
	}
}

// TestNothingIsSmuggledAfterChunks: what follows a chunked request is never another request, whether or not it was refused.
func TestNothingIsSmuggledAfterChunks(t *testing.T) {
	t.Parallel()
	const chunked = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
	const plain = "POST /y HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
	for text, want := range map[string]int{chunked + plain: 1, plain + chunked: 2, plain + chunked + plain: 2} {
		var calls atomic.Int32
		s := start(t, httpx.ServerConfig{}, counting(&calls))
		if got := raw(t, s, text, 3); len(got) != want || int(calls.Load()) != want {
			t.Errorf("%q: %d answers, %d calls, want %d", text, len(got), calls.Load(), want)
		}
	}
}

func TestAKeptConnectionForgetsTheLastHead(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	s := start(t, httpx.ServerConfig{}, counting(&calls))
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for i, text := range []string{
		"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}",
		"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
	} {
		_, _ = io.WriteString(conn, text)
		response, err := http.ReadResponse(reader, nil)
		if err != nil || response.StatusCode != 200 {
			t.Fatalf("request %d: %v %v", i, response, err)
		}
	}
}

func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	s := start(t, httpx.ServerConfig{ReadHeaderTimeout: 50 * time.Millisecond, ReadTimeout: 100 * time.Millisecond}, counting(&calls))
	if got := raw(t, s, "POST /x HTTP/1.1\r\nHost: a\r\nX-Slow: ", 1); len(got) == 1 && got[0].StatusCode < 400 {
		t.Errorf("slow header: %v", got)
	}
	s = start(t, httpx.ServerConfig{ReadTimeout: 100 * time.Millisecond}, counting(&calls))
	got := raw(t, s, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{", 1)
	if len(got) != 1 || got[0].StatusCode != http.StatusRequestTimeout || calls.Load() != 0 {
		t.Errorf("slow body: %v, %d calls", got, calls.Load())
	}
}

func TestPanics(t *testing.T) {
	t.Parallel()
	s := start(t, httpx.ServerConfig{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			_, _ = io.WriteString(w, "half")
			w.(http.Flusher).Flush()
		}
		panic("ana@example.com")
	}))
	response, err := http.Get("http://" + s.Addr() + "/")
	if err != nil || response.StatusCode != 500 || response.Header.Get("Content-Type") != httpx.ProblemType || response.Header.Get("X-Request-Id") == "" {
		t.Fatalf("got %v, %v", response, err)
	}
	response, err = http.Get("http://" + s.Addr() + "/late")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("a cut answer looks whole")
	}
}

func TestPanicsAreLoggedWithoutTheirValue(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	h := httpx.Recover(slog.New(slog.NewTextHandler(&log, nil)))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(fmt.Errorf("no customer ana@example.com"))
	}))
	_, _ = answer(t, h, post(""))
	if strings.Contains(log.String(), "ana@") || !strings.Contains(log.String(), "panicked") {
		t.Error(log.String())
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	h := httpx.RequestID(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if httpx.RequestIDFrom(r.Context()) != w.Header().Get("X-Request-Id") {
			t.Error("context and header differ")
		}
		httpx.NotFound(w, r)
	}))
	for sent, kept := range map[string]bool{"abc-1._": true, "": false, "a b": false, strings.Repeat("a", 129): false, "a\nb": false} {
		_, w := answer(t, h, post("", func(r *http.Request) { r.Header["X-Request-Id"] = []string{sent} }))
		if got := w.Header().Get("X-Request-Id"); (got == sent) != kept || len(got) < 3 {
			t.Errorf("sent %q, got %q", sent, got)
		}
	}
}

func TestShutdownServesOnThroughTheLag(t *testing.T) {
	t.Parallel()
	s := start(t, httpx.ServerConfig{DrainLag: 2 * time.Second}, http.NotFoundHandler())
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(context.Background()) }()
	for !s.Draining() {
		runtime.Gosched() // Draining has no signal: probes poll it too
	}
	response, err := http.Get("http://" + s.Addr())
	if err != nil || !response.Close {
		t.Errorf("while draining: %v, %v", response, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := http.Get("http://" + s.Addr()); err == nil {
		t.Error("served after the shutdown")
	}
}

func TestShutdownIsBounded(t *testing.T) {
	t.Parallel()
	began, release := make(chan struct{}), make(chan struct{})
	s := start(t, httpx.ServerConfig{}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(began); <-release }))
	go func() { _, _ = http.Get("http://" + s.Addr()) }()
	<-began
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(release)
}

func TestStartTellsAnAddressInUse(t *testing.T) {
	t.Parallel()
	s := start(t, httpx.ServerConfig{}, http.NotFoundHandler())
	err := httpx.New(httpx.ServerConfig{Name: "orders", Address: s.Addr(), Logger: quiet}, http.NotFoundHandler()).Start()
	if err == nil || !strings.Contains(err.Error(), "orders: listen on "+s.Addr()) {
		t.Errorf("got %v", err)
	}
}

// http.Server alone reads this request and closes the connection without an answer.
func TestShutdownAnswersAConnectionThatWasLetIn(t *testing.T) {
	t.Parallel()
	s := start(t, httpx.ServerConfig{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "served") }))
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	if got := raw(t, s, request, 1); len(got) != 1 { // connections are let in one after the other, so the first one was
		t.Fatal("no answer before the shutdown")
	}
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(context.Background()) }()
	for { // a refusal is the only sign that the listener is closed
		probe, err := net.Dial("tcp", s.Addr())
		if err != nil {
			break
		}
		_ = probe.Close()
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("the request was dropped: %v", err)
	}
	if !response.Close {
		t.Error("the answer lacks Connection: close")
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
