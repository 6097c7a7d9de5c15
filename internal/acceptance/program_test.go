package acceptance_test

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	startLimit = time.Minute // generous: eight systems may start at once on two cores, under the race detector
	stopLimit  = 30 * time.Second
	// logTail is how much of a program's log a failed test shows.
	logTail = 24 << 10
)

// program is one of the product's processes.
type program struct {
	name    string
	args    []string
	env     []string
	address string
	log     log

	cmd  *exec.Cmd
	done chan struct{} // closed when the process is gone
}

func (p *program) url() string { return "http://" + p.address }

// start launches the process from a thread that lives as long as it: Linux sends the death signal when the parent's
// thread ends.
func (p *program) start(t *testing.T) {
	t.Helper()
	cmd := exec.Command(filepath.Join(binaries, p.name), p.args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "VELOZ_LISTEN_ADDRESS=" + p.address, "VELOZ_LOG_FORMAT=json"}, p.env...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = &p.log, &p.log, dieWithSuite()
	started, done := make(chan error, 1), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended stands in its log
			close(done)
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	p.cmd, p.done = cmd, done
}

// end signals the process and waits until it is gone; one that stays is killed, and that is a failure.
func (p *program) end(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(signal) // an error says that it is gone already, which is checked below
	select {
	case <-p.done:
	case <-time.After(stopLimit):
		t.Errorf("%s was not gone %s after %s", p.name, stopLimit, signal)
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// stop ends the process in order and checks that it left without an error.
func (p *program) stop(t *testing.T) {
	t.Helper()
	p.end(t, syscall.SIGTERM)
	if p.cmd != nil && !p.cmd.ProcessState.Success() && p.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("%s ended with %s", p.name, p.cmd.ProcessState)
	}
}

// awaitReady polls, since no signal of readiness comes over HTTP.
func (p *program) awaitReady(t *testing.T, path string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	for tick := time.Tick(20 * time.Millisecond); ; {
		if status, err := probe(ctx, p.url()+path); err == nil && status == http.StatusOK {
			return
		}
		select {
		case <-tick:
		case <-p.done:
			t.Fatalf("%s ended instead of becoming ready: %s", p.name, p.cmd.ProcessState)
		case <-ctx.Done():
			t.Fatalf("%s was not ready on %s after %s", p.name, path, startLimit)
		}
	}
}

// probe asks on a connection of its own, so that none from before a restart stays behind.
func probe(ctx context.Context, url string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// log keeps what a program writes.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// check fails the test for what no program may ever write, and shows the log of one that failed.
func (p *program) check(t *testing.T) {
	t.Helper()
	text := p.log.String()
	for _, sign := range []string{"WARNING: DATA RACE", "panic: ", "goroutine 1 ["} {
		if at := strings.Index(text, sign); at >= 0 {
			t.Errorf("%s wrote %q: %s", p.name, sign, text[at:min(len(text), at+4<<10)])
		}
	}
	if t.Failed() {
		t.Logf("--- the end of %s's log ---\n%s", p.name, text[max(0, len(text)-logTail):])
	}
}

// nextPort begins at a random place, so that two suites on one machine seldom meet.
var nextPort atomic.Int32

func init() { nextPort.Store(18000 + int32(time.Now().UnixNano()%8000)) }

// freeAddress picks a port below those that the system gives to outgoing connections: one of these could take the port
// of a program while it is down.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 1000 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(int(nextPort.Add(1))))
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			t.Fatalf("free %s: %v", address, err)
		}
		return address
	}
	t.Fatal("no free port")
	return ""
}
