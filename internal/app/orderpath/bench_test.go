//go:build unix

package orderpath

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// buyers are the connections of a benchmark: enough for the stages to see batches.
const buyers = 32

// BenchmarkLoopback sends the same order over kept connections to a net/http server that reads it and writes the same
// bytes back, to the edge before an orders service that answers at once, and to the whole platform over stores in memory. The
// client costs the same in each: the differences are the request path's own cost, and the stages'.
func BenchmarkLoopback(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		e := startEdge(b, false)
		sample := e.record(b)
		bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answerLike(w, r, sample)
		}))
		b.Cleanup(bare.Close)
		e.drive(b, bare.Listener.Addr().String())
	})
	b.Run("edge", func(b *testing.B) {
		e := startEdge(b, false)
		e.drive(b, e.server.Addr())
	})
	b.Run("whole", func(b *testing.B) {
		e := startEdge(b, true)
		e.drive(b, e.server.Addr())
	})
}

func answerLike(w http.ResponseWriter, r *http.Request, sample *httptest.ResponseRecorder) {
	if _, err := io.ReadAll(r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h := w.Header()
	for name, values := range sample.Header() {
		h[name] = values
	}
	w.WriteHeader(sample.Code)
	_, _ = w.Write(sample.Body.Bytes()) // the client would miss it
}

// drive places b.N orders over the connections, and reports the CPU time of client and server together.
func (e *edge) drive(b *testing.B, address string) {
	b.ReportAllocs()
	before := cpuTime(b)
	b.SetParallelism(buyers / 2) // times GOMAXPROCS; two in the machines of CI
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			b.Error(err)
			return
		}
		defer func() { _ = conn.Close() }() // nothing is under way
		raw, key := e.request()
		in := bufio.NewReaderSize(conn, 8<<10)
		for pb.Next() {
			e.nextKey(key)
			if err := exchange(conn, in, raw); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// exchange sends a request and reads its answer without an allocation, which would be counted as the server's.
func exchange(conn net.Conn, in *bufio.Reader, raw []byte) error {
	if _, err := conn.Write(raw); err != nil {
		return err
	}
	length := -1
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 201 ")) {
			return fmt.Errorf("answer %q, want 201", line)
		}
		if value, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
		if len(line) <= 2 {
			break
		}
	}
	if length < 0 {
		return fmt.Errorf("an answer without Content-Length")
	}
	_, err := in.Discard(length)
	return err
}

func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkInProcess is the edge's handler without the server's reading and writing.
func BenchmarkInProcess(b *testing.B) {
	e := startEdge(b, false)
	send := e.sender(b)
	b.ReportAllocs()
	before := cpuTime(b)
	for b.Loop() {
		send()
	}
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}
