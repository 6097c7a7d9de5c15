//go:build unix

package orderpath

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// buyers are the connections of a benchmark: enough for the stages to see batches.
const buyers = 32

// BenchmarkLoopback sends the same order over kept connections to a net/http server that reads it and writes the same
// bytes back, to the same behind the limits of httpx.Server, to the edge before an orders service that answers at once, and to the whole platform over stores in memory. The
// client costs the same in each: the differences are the request path's own cost, and the stages'.
func BenchmarkLoopback(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		e := startEdge(b, false)
		bare := httptest.NewServer(e.mimic(b))
		b.Cleanup(bare.Close)
		e.drive(b, bare.Listener.Addr().String())
	})
	b.Run("limits", func(b *testing.B) {
		e := startEdge(b, false)
		server := httpx.New(httpx.ServerConfig{Name: "limits", Address: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)}, e.mimic(b))
		if err := server.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = server.Shutdown(context.Background()) }) // a connection that is cut off proves nothing here
		e.drive(b, server.Addr())
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

// mimic makes a handler that reads a placement and writes the bytes that the edge wrote once.
func (e *edge) mimic(b *testing.B) http.Handler {
	sample := e.record(b)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		maps.Copy(w.Header(), sample.Header())
		w.WriteHeader(sample.Code)
		_, _ = w.Write(sample.Body.Bytes()) // the client would miss it
	})
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
