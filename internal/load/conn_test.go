package load

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func dial(t testing.TB, handler http.HandlerFunc, timeout time.Duration) *conn {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	at, err := parseTarget(server.URL, "", timeout)
	if err != nil {
		t.Fatal(err)
	}
	c := &conn{target: &at}
	t.Cleanup(c.close)
	return c
}

func TestConnReadsEveryKindOfBody(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 10_000)
	c := dial(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/short":
			_, _ = io.WriteString(w, "short")
		case "/chunked":
			_, _ = io.WriteString(w, long[:len(long)/2])
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, long[len(long)/2:])
		case "/none":
			w.WriteHeader(http.StatusNoContent)
		case "/close":
			w.Header().Set("Connection", "close")
			_, _ = io.WriteString(w, "last")
		}
	}, 10*time.Second)
	for range 3 { // on one connection, and on the next after it was closed
		for path, want := range map[string]string{"/short": "short", "/chunked": long, "/none": "", "/close": "last"} {
			got, err := c.do(c.target.request("GET", path, "", ""))
			if err != nil || string(got.body) != want {
				t.Errorf("%s: %v, %d bytes", path, err, len(got.body))
			}
		}
	}
}

func TestConnTellsTimeoutFromBreak(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	c := dial(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/break" {
			panic(http.ErrAbortHandler)
		}
		<-release
	}, time.Second)
	if _, err := c.do(c.target.request("GET", "/hang", "", "")); !errors.Is(err, errTimeout) {
		t.Errorf("no answer: %v", err)
	}
	close(release)
	if _, err := c.do(c.target.request("GET", "/break", "", "")); !errors.Is(err, errConnection) {
		t.Errorf("a break: %v", err)
	}
	if got, err := c.do(c.target.request("GET", "/", "", "")); err != nil || got.status != 200 {
		t.Errorf("after both: %v", err)
	}
}

func TestMemberFindsNamesAndNotValues(t *testing.T) {
	t.Parallel()
	body := []byte(`{"note":"id","code_x":"no","id":"1","status":"confirmed","code":"out_of_stock"}`)
	for name, want := range map[string]string{"id": "1", "status": "confirmed", "code": "out_of_stock", "absent": ""} {
		if got := string(member(body, name)); got != want {
			t.Errorf("%s: %q instead of %q", name, got, want)
		}
	}
}

func FuzzConnNeverPanics(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 999999999999 \r\n: \r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &conn{}
		c.in = newReader(bytes.NewReader(data))
		if a, _, err := c.read(); err == nil && a.status < 0 && len(a.body) > maxBody {
			t.Errorf("%d, %d bytes", a.status, len(a.body))
		}
	})
}

// The two benchmarks share a server; their difference is the client.
func respond(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, `{"id":"00000000-0000-7000-8000-000000000000","status":"confirmed"}`)
}

const benchBody = `{"customer":{"name":"Ana Souza","email":"ana@example.com"},"items":[{"sku":"A","quantity":1}],"payment":{"method":"pix"}}`

func BenchmarkConn(b *testing.B) {
	c := dial(b, respond, 10*time.Second)
	request := c.target.request("POST", "/v1/orders", "key", benchBody)
	began := processCPU()
	for b.Loop() {
		if _, err := c.do(request); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((processCPU()-began).Nanoseconds())/float64(b.N), "cpu-ns/op")
}

func BenchmarkNetHTTP(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(respond))
	defer server.Close()
	client := server.Client()
	began := processCPU()
	for b.Loop() {
		request, err := http.NewRequest(http.MethodPost, server.URL+"/v1/orders", strings.NewReader(benchBody))
		if err != nil {
			b.Fatal(err)
		}
		request.Header.Set("Idempotency-Key", "key")
		request.Header.Set("Content-Type", "application/json")
		response, err := client.Do(request)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	b.ReportMetric(float64((processCPU()-began).Nanoseconds())/float64(b.N), "cpu-ns/op")
}
