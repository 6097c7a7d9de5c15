package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// DefaultShutdownTimeout is less than the 30 s after which Kubernetes kills.
const DefaultShutdownTimeout = 25 * time.Second

// Runner runs a program until a signal or a failure. Its zero value is ready.
type Runner struct {
	ShutdownTimeout time.Duration // for everything on the stack together; 25 s by default
	Logger          *slog.Logger

	// Tests own these two.
	signals <-chan os.Signal
	exit    func(code int)
}

// Run is Runner.Run with the defaults.
func Run(ctx context.Context, start func(ctx context.Context, stack *Stack) error) error {
	return Runner{}.Run(ctx, start)
}

// Run calls start, which registers what it acquires on the stack and returns once the program serves. It then waits for
// SIGINT, SIGTERM, the end of ctx, or Stack.Fail, and closes the stack. The context of start ends with the first signal:
// give it to what start waits for, not to loops, which Stack.Go stops in their turn. A second signal exits at once with
// 128 and the signal's number. The error is that of start, of Fail and of the clean-ups; a signal is none.
func (r Runner) Run(ctx context.Context, start func(ctx context.Context, stack *Stack) error) error {
	r, stop := r.withDefaults()
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stack := NewStack(r.Logger)
	finished := make(chan struct{})
	defer close(finished)
	go r.watch(cancel, finished)

	err := start(ctx, stack)
	if err == nil {
		err = r.wait(ctx, stack)
	} else if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil // the signal came while starting
	}
	closing, done := context.WithTimeout(context.WithoutCancel(ctx), r.ShutdownTimeout)
	defer done()
	return errors.Join(err, stack.Close(closing))
}

func (r Runner) wait(ctx context.Context, stack *Stack) error {
	select {
	case <-ctx.Done():
		r.Logger.Info("shutting down", "timeout", r.ShutdownTimeout.String())
		return nil
	case err := <-stack.Failed():
		r.Logger.Error("shutting down after a failure", "error", err)
		return err
	}
}

func (r Runner) watch(drain func(), finished <-chan struct{}) {
	for drained := false; ; drained = true {
		select {
		case s := <-r.signals:
			if drained {
				r.exit(exitCode(s))
				return
			}
			r.Logger.Info("signal: draining; a second one exits at once", "signal", s.String())
			drain()
		case <-finished:
			return
		}
	}
}

func exitCode(s os.Signal) int {
	if number, ok := s.(syscall.Signal); ok {
		return 128 + int(number)
	}
	return 1
}

func (r Runner) withDefaults() (Runner, func()) {
	if r.Logger == nil {
		r.Logger = slog.Default()
	}
	if r.ShutdownTimeout <= 0 {
		r.ShutdownTimeout = DefaultShutdownTimeout
	}
	if r.exit == nil {
		r.exit = os.Exit
	}
	if r.signals != nil {
		return r, func() {}
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	r.signals = signals
	return r, func() { signal.Stop(signals) }
}
