package acceptance_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/launch"
)

const (
	startLimit = 3 * time.Minute // generous: eight systems may start at once on two cores, under the race detector
	stopLimit  = 30 * time.Second
	// logTail is how much of a program's log a failed test shows.
	logTail = 24 << 10
)

// program is one of the product's processes, whose mishaps fail a test.
type program struct{ launch.Program }

func newProgram(t *testing.T, name string, args, env []string) *program {
	t.Helper()
	return &program{launch.Program{Name: name, Path: filepath.Join(binaries, name), Args: args, Env: env, Address: freeAddress(t)}}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := launch.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func (p *program) start(t *testing.T) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
}

// end signals the process and waits until it is gone.
func (p *program) end(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := p.End(signal, stopLimit); err != nil {
		t.Error(err)
	}
}

// stop ends the process in order and checks that it left without an error.
func (p *program) stop(t *testing.T) {
	t.Helper()
	p.end(t, syscall.SIGTERM)
	if p.Started() && !p.State().Success() && !killed(p.State()) {
		t.Errorf("%s ended with %s", p.Name, p.State())
	}
}

// killed tells whether a test has killed the process itself.
func killed(state *os.ProcessState) bool {
	return state.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
}

func (p *program) awaitReady(t *testing.T, path string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	if err := p.AwaitReady(ctx, path); err != nil {
		t.Fatal(err)
	}
}

// check fails the test for what no program may ever write, and shows the log of one that failed.
func (p *program) check(t *testing.T) {
	t.Helper()
	if accident := p.Log.Accident(); accident != "" {
		t.Errorf("%s wrote %s", p.Name, accident)
	}
	if t.Failed() {
		t.Logf("--- the end of %s's log ---\n%s", p.Name, p.Log.Tail(logTail))
	}
}
