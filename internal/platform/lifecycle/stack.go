// Package lifecycle starts and stops what a program consists of: clean-ups and background loops in one LIFO stack,
// signals, and one shape for every loop.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// closeTimeout bounds one clean-up, so that one that hangs leaves time for those below it.
const closeTimeout = 30 * time.Second

// Stack undoes what was acquired, last first. Register a clean-up right after what it cleans was acquired: the same stack
// then undoes a start-up that failed half-way. The zero value is not usable; make one with NewStack.
type Stack struct {
	logger *slog.Logger
	failed chan error

	mu      sync.Mutex
	closed  bool
	entries []entry
}

type entry struct {
	name  string
	close func(ctx context.Context) error
}

// NewStack makes an empty stack. A nil logger is slog.Default.
func NewStack(logger *slog.Logger) *Stack {
	if logger == nil {
		logger = slog.Default()
	}
	return &Stack{logger: logger, failed: make(chan error, 1)}
}

// Defer registers a clean-up. On a stack that is closed already it runs at once.
func (s *Stack) Defer(name string, clean func(ctx context.Context) error) {
	if s.push(entry{name, clean}) {
		return
	}
	if err := s.run(context.Background(), entry{name, clean}); err != nil {
		s.logger.Error("late clean-up", "error", err)
	}
}

func (s *Stack) push(e entry) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.entries = append(s.entries, e)
	return true
}

// Go starts loop, which runs until its context ends. Close ends that context when the loop's turn comes and waits for it:
// what was registered before the loop is still there while it finishes. A loop that panics is logged and ends the process
// by way of Failed.
func (s *Stack) Go(name string, loop func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	if !s.push(entry{name, func(stop context.Context) error {
		cancel()
		return wait(stop, done)
	}}) {
		cancel()
		return
	}
	go func() {
		defer close(done)
		defer s.guard(name)
		loop(ctx)
	}()
}

func wait(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("still running: %w", ctx.Err())
	}
}

func (s *Stack) guard(name string) {
	if v := recover(); v != nil {
		// The value stays out of the log: it may hold personal data. Its type and the stack find the place.
		s.logger.Error("loop panicked", "loop", name, "type", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
		s.Fail(fmt.Errorf("loop %s panicked", name))
	}
}

// Fail reports an error that the process cannot live with. Only the first is kept.
func (s *Stack) Fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

// Failed gives the error of Fail.
func (s *Stack) Failed() <-chan error { return s.failed }

// Close runs the clean-ups, last first, each bounded by ctx and by 30 s, and joins their errors. Every one is called,
// even when ctx has ended. A second Close does nothing.
func (s *Stack) Close(ctx context.Context) error {
	s.mu.Lock()
	entries := s.entries
	s.entries, s.closed = nil, true
	s.mu.Unlock()
	var errs []error
	for _, e := range slices.Backward(entries) {
		if err := s.run(ctx, e); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// run returns when the time is over even if the clean-up does not: the process is about to end anyway.
func (s *Stack) run(ctx context.Context, e entry) error {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- fmt.Errorf("panicked with a %T\n%s", v, debug.Stack())
			}
		}()
		done <- e.close(ctx)
	}()
	select {
	case err := <-done:
		return wrap(e.name, err)
	case <-ctx.Done():
	}
	select { // one that returns as soon as its context ends has more to say
	case err := <-done:
		return wrap(e.name, err)
	case <-time.After(100 * time.Millisecond):
		return wrap(e.name, ctx.Err())
	}
}

func wrap(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("stop %s: %w", name, err)
}
