// Package launch runs the product's built programs, for tests and proofs that stand outside of them: it starts, kills and
// watches them, and none outlives the process that started it.
package launch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Program is one of the product's processes. Fill in the exported fields, then Start it, as often as you like.
type Program struct {
	Name    string
	Path    string // of the executable
	Args    []string
	Env     []string // all of it, but for PATH, the address and the log's format
	Address string
	Log     Log // of all its starts

	cmd  *exec.Cmd
	done chan struct{} // closed when the process is gone
}

// URL is where the program serves.
func (p *Program) URL() string { return "http://" + p.Address }

// Start launches the process from a thread that lives as long as it: Linux sends the death signal when the parent's
// thread ends.
func (p *Program) Start() error {
	cmd := exec.Command(p.Path, p.Args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "VELOZ_LISTEN_ADDRESS=" + p.Address, "VELOZ_LOG_FORMAT=json"}, p.Env...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = &p.Log, &p.Log, dieWithParent()
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
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	p.cmd, p.done = cmd, done
	return nil
}

// Started tells whether the program was ever started.
func (p *Program) Started() bool { return p.cmd != nil }

// Pid is the process's number at the operating system. Call it after Start.
func (p *Program) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the process that was started last is gone.
func (p *Program) Done() <-chan struct{} { return p.done }

// State is how the process ended, once it is done.
func (p *Program) State() *os.ProcessState { return p.cmd.ProcessState }

// Signal sends a signal. That the process is gone is no error: Done says so.
func (p *Program) Signal(signal syscall.Signal) error {
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("send %s to %s: %w", signal, p.Name, err)
	}
	return nil
}

// End signals the process and waits until it is gone; one that stays for longer than limit is killed, and that is an error.
func (p *Program) End(signal syscall.Signal, limit time.Duration) error {
	if p.cmd == nil {
		return nil
	}
	if err := p.Signal(signal); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(limit):
	}
	err := p.Signal(syscall.SIGKILL)
	<-p.done
	return errors.Join(fmt.Errorf("%s was not gone %s after %s", p.Name, limit, signal), err)
}

// AwaitReady returns when path is answered with 200. It polls, since no signal of readiness comes over HTTP.
func (p *Program) AwaitReady(ctx context.Context, path string) error {
	for tick := time.Tick(20 * time.Millisecond); ; {
		if status, err := probe(ctx, p.URL()+path); err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-tick:
		case <-p.done:
			return fmt.Errorf("%s ended instead of becoming ready: %s", p.Name, p.State())
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready on %s: %w", p.Name, path, ctx.Err())
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

// Log keeps what a program writes.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is all that was written.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Tail is the end of what was written, of at most so many bytes.
func (l *Log) Tail(most int) string {
	text := l.String()
	return text[max(0, len(text)-most):]
}

// Accident is what no program may ever write, with what follows it; empty when there is nothing such.
func (l *Log) Accident() string {
	text := l.String()
	for _, sign := range []string{"WARNING: DATA RACE", "panic: ", "goroutine 1 ["} {
		if at := strings.Index(text, sign); at >= 0 {
			return text[at:min(len(text), at+4<<10)]
		}
	}
	return ""
}

// nextPort begins at a random place, so that two suites on one machine seldom meet.
var nextPort atomic.Int32

func init() { nextPort.Store(18000 + int32(time.Now().UnixNano()%8000)) }

// FreeAddress picks a port below those that the system gives to outgoing connections: one of these could take the port
// of a program while it is down.
func FreeAddress() (string, error) {
	for range 1000 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(int(nextPort.Add(1))))
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			return "", fmt.Errorf("free %s: %w", address, err)
		}
		return address, nil
	}
	return "", errors.New("no free port")
}
