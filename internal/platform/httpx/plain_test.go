package httpx_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// answers are what handlers do with a ResponseWriter, by path.
var answers = map[string]http.HandlerFunc{
	"/nothing": func(http.ResponseWriter, *http.Request) {},
	"/echo": func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %q %v", r.Method, r.URL, r.Host, body, err)
	},
	"/created": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/x")
		w.Header()["X-Many"] = []string{"a", "b"}
		w.WriteHeader(http.StatusCreated)
		w.Header().Set("X-Late", "not seen")
		w.WriteHeader(http.StatusOK)
	},
	"/empty":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
	"/unchanged": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) },
	"/typed": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "2")
		fmt.Fprint(w, "{}")
	},
	"/split": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Split", "a\r\nX-Forged: b")
		w.Header().Set("X Broken", "c")
	},
	"/long": func(w http.ResponseWriter, _ *http.Request) {
		for range 100 {
			fmt.Fprint(w, strings.Repeat("0123456789", 100))
		}
	},
	"/stream": func(w http.ResponseWriter, _ *http.Request) {
		for range 3 {
			fmt.Fprint(w, "part")
			_ = http.NewResponseController(w).Flush()
		}
	},
	"/too-much": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "2")
		_, err := fmt.Fprint(w, "{}")
		_, more := fmt.Fprint(w, "more")
		if err != nil || more == nil {
			panic("more than its length was written")
		}
	},
	"/too-little": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "20")
		fmt.Fprint(w, "{}")
	},
	"/last":  func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") },
	"/abort": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
}

// TestPlainAnswersAreThoseOfNetHTTP sends the same requests to both servers.
func TestPlainAnswersAreThoseOfNetHTTP(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answers[r.URL.Path](w, r) })
	ours := start(t, httpx.ServerConfig{}, handler)
	theirs := httpx.New(httpx.ServerConfig{Name: "net/http", Address: "127.0.0.1:0", Logger: quiet}, handler)
	if err := theirs.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = theirs.Shutdown(t.Context()) })
	for path := range answers {
		for _, request := range []string{
			"GET " + path + "?a=b HTTP/1.1\r\nHost: a\r\nX-Request-Id: x\r\n\r\n",
			"POST " + path + " HTTP/1.1\r\nHost: a\r\nX-Request-Id: x\r\nContent-Length: 2\r\n\r\n{}",
			"HEAD " + path + " HTTP/1.1\r\nHost: a\r\nX-Request-Id: x\r\n\r\n",
		} {
			got, want := conversation(t, ours, request), conversation(t, theirs, request)
			if got != want {
				t.Errorf("%.40q was answered\n%s\nand by net/http\n%s", request, got, want)
			}
		}
	}
}

// conversation sends a request twice on one connection and describes what comes back.
func conversation(t *testing.T, s *httpx.Server, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	reader := bufio.NewReader(conn)
	method, _, _ := strings.Cut(request, " ")
	var said strings.Builder
	for range 2 {
		if _, err := io.WriteString(conn, request); err != nil {
			return said.String() + "closed"
		}
		response, err := http.ReadResponse(reader, &http.Request{Method: method})
		if err != nil {
			return said.String() + "closed"
		}
		body, err := io.ReadAll(response.Body)
		response.Header.Del("Date")
		// net/http sends chunks where a body is longer than 2 KiB, and here it is longer than 32 KiB.
		fmt.Fprintf(&said, "%s %v close=%v chunked=%v body=%q %v\n", response.Status, response.Header, response.Close, len(response.TransferEncoding) > 0, body, err)
	}
	return said.String()
}

// TestALeavingClientStopsItsRequest, as with net/http.
func TestALeavingClientStopsItsRequest(t *testing.T) {
	t.Parallel()
	began, stopped := make(chan struct{}), make(chan struct{})
	s := start(t, httpx.ServerConfig{}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		close(stopped)
	}))
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-began
	_ = conn.Close()
	<-stopped
}

// TestPlainLimits: a connection that says nothing, one that waits and one that does not read are closed in time.
func TestPlainLimits(t *testing.T) {
	t.Parallel()
	const short = 500 * time.Millisecond // the writes below come earlier
	s := start(t, httpx.ServerConfig{ReadHeaderTimeout: short, IdleTimeout: short, WriteTimeout: short}, http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/endless" {
				for {
					if _, err := w.Write(make([]byte, 64<<10)); err != nil {
						return
					}
				}
			}
		}))
	for _, text := range []string{"", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost", "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n"} {
		conn, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		if text == "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n" {
			continue // whoever waits for the server's end sees that its handler has returned
		}
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		_ = conn.Close()
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAPlainRequestInTwoPieces: head and body that come apart are still plain, and a request after one that was not is served.
func TestAPlainRequestInTwoPieces(t *testing.T) {
	t.Parallel()
	s := start(t, httpx.ServerConfig{}, answers["/echo"])
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for _, pieces := range [][]string{
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n", "{}"},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-", "Length: 2\r\n\r\n{", "}"},
		{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "2\r\n{}\r\n0\r\n\r\n"},
	} {
		for _, piece := range pieces {
			if _, err := io.WriteString(conn, piece); err != nil {
				t.Fatal(err)
			}
		}
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(response.Body); err != nil || string(body) != `POST / a "{}" <nil>` {
			t.Errorf("%q: %q, %v", pieces, body, err)
		}
	}
}
