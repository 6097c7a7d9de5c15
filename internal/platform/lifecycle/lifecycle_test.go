package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

var quiet = slog.New(slog.DiscardHandler)

func TestStackIsLastInFirstOut(t *testing.T) {
	t.Parallel()
	var order []string
	s := NewStack(quiet)
	note := func(name string, err error) func(context.Context) error {
		return func(context.Context) error { order = append(order, name); return err }
	}
	s.Defer("database", note("database", errors.New("busy")))
	stopped := make(chan struct{})
	s.Go("loop", func(ctx context.Context) { <-ctx.Done(); order = append(order, "loop"); close(stopped) })
	s.Defer("server", note("server", errors.New("cut off")))
	err := s.Close(context.Background())
	<-stopped
	if !slices.Equal(order, []string{"server", "loop", "database"}) {
		t.Error(order)
	}
	if err == nil || !strings.Contains(err.Error(), "stop server: cut off") || !strings.Contains(err.Error(), "stop database: busy") {
		t.Error(err)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Error("second Close:", err)
	}
	s.Defer("late", note("late", nil))
	if order[len(order)-1] != "late" {
		t.Error("a late clean-up did not run")
	}
}

func TestOneHangingCleanUpDoesNotKeepTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release, ran := make(chan struct{}), false
		s := NewStack(quiet)
		s.Defer("first", func(context.Context) error { ran = true; return nil })
		s.Defer("hangs", func(context.Context) error { <-release; return nil })
		s.Defer("panics", func(context.Context) error { panic("x") })
		err := s.Close(context.Background())
		if !ran || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "stop panics") {
			t.Errorf("ran %v, %v", ran, err)
		}
		close(release)
	})
}

func runner(signals chan os.Signal, exit func(int)) Runner {
	return Runner{Logger: quiet, signals: signals, exit: exit}
}

func TestFirstSignalDrains(t *testing.T) {
	t.Parallel()
	signals, closed := make(chan os.Signal, 2), false
	err := runner(signals, nil).Run(context.Background(), func(_ context.Context, s *Stack) error {
		s.Defer("x", func(context.Context) error { closed = true; return nil })
		signals <- syscall.SIGTERM
		return nil
	})
	if err != nil || !closed {
		t.Errorf("closed %v, %v", closed, err)
	}
}

func TestSecondSignalExits(t *testing.T) {
	t.Parallel()
	signals, code := make(chan os.Signal, 2), make(chan int, 1)
	var exited int
	err := runner(signals, func(c int) { code <- c }).Run(context.Background(), func(_ context.Context, s *Stack) error {
		s.Defer("slow", func(context.Context) error { exited = <-code; return nil })
		signals <- syscall.SIGTERM
		signals <- syscall.SIGTERM
		return nil
	})
	if err != nil || exited != 143 {
		t.Errorf("exit %d, %v", exited, err)
	}
}

func TestRunUndoesAFailedStart(t *testing.T) {
	t.Parallel()
	closed, broken := false, errors.New("no database")
	err := runner(make(chan os.Signal), nil).Run(context.Background(), func(_ context.Context, s *Stack) error {
		s.Defer("x", func(context.Context) error { closed = true; return nil })
		return broken
	})
	if !errors.Is(err, broken) || !closed {
		t.Errorf("closed %v, %v", closed, err)
	}
}

func TestSignalWhileStartingIsNoError(t *testing.T) {
	t.Parallel()
	signals := make(chan os.Signal, 1)
	signals <- syscall.SIGINT
	err := runner(signals, nil).Run(context.Background(), func(ctx context.Context, _ *Stack) error {
		<-ctx.Done()
		return ctx.Err()
	})
	if err != nil {
		t.Error(err)
	}
}

func TestALoopThatPanicsEndsTheProcess(t *testing.T) {
	t.Parallel()
	err := runner(make(chan os.Signal), nil).Run(context.Background(), func(_ context.Context, s *Stack) error {
		s.Go("relay", func(context.Context) { panic("ana@example.com") })
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "loop relay panicked") || strings.Contains(err.Error(), "ana@") {
		t.Error(err)
	}
}

// steps counts a loop's steps and when they were.
type steps struct {
	mu    sync.Mutex
	began time.Time
	at    []time.Duration
}

func (s *steps) add() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = append(s.at, time.Since(s.began))
	return len(s.at)
}

func (s *steps) times() []time.Duration {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.at)
}

func TestLoopRepeatsAtOnceWhileItWorks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		seen := &steps{began: time.Now()}
		l := &Loop{Name: "x", Interval: 10 * time.Second, Logger: quiet, Step: func(context.Context) (bool, error) {
			return seen.add() < 3, nil
		}}
		go l.Run(ctx)
		if at := seen.times(); len(at) != 3 || at[2] != 0 {
			t.Error(at)
		}
		time.Sleep(11*time.Second + time.Nanosecond)
		if at := seen.times(); len(at) != 4 || at[3] < 9*time.Second || at[3] > 11*time.Second {
			t.Error(at)
		}
		l.Wake()
		l.Wake()
		if at := seen.times(); len(at) != 5 {
			t.Error(at)
		}
		cancel()
		synctest.Wait()
	})
}

func TestLoopBacksOffAndIsNotWokenThen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		seen := &steps{began: time.Now()}
		l := &Loop{Name: "x", Interval: time.Second, Logger: quiet, Step: func(context.Context) (bool, error) {
			seen.add()
			return true, errors.New("down")
		}}
		go l.Run(ctx)
		for range 10 {
			synctest.Wait()
			l.Wake()
		}
		if at := seen.times(); len(at) != 1 {
			t.Errorf("%d steps while backing off", len(at))
		}
		time.Sleep(10 * time.Minute)
		if at := seen.times(); len(at) < 10 || len(at) > 30 {
			t.Errorf("%d steps in ten minutes", len(at))
		}
		cancel()
		synctest.Wait()
	})
}
