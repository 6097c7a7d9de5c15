package batch_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/batch"
)

func stage(t testing.TB, cfg batch.Config, work func(context.Context, []int)) *batch.Stage[int] {
	t.Helper()
	s, err := batch.NewStage(cfg, work)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAStepTakesWhatIsQueuedUpToItsMaximum(t *testing.T) {
	t.Parallel()
	var batches [][]int
	s := stage(t, batch.Config{Name: "s", Queue: 10, MaxBatch: 4, Workers: 1}, func(_ context.Context, items []int) { batches = append(batches, items) })
	for i := range 6 {
		if err := s.Submit(i); err != nil {
			t.Fatal(err)
		}
	}
	for s.Step(t.Context()) {
	}
	if len(batches) != 2 || !slices.Equal(batches[0], []int{0, 1, 2, 3}) || !slices.Equal(batches[1], []int{4, 5}) {
		t.Errorf("%v", batches)
	}
}

func TestAFullQueueSaysSo(t *testing.T) {
	t.Parallel()
	s := stage(t, batch.Config{Name: "s", Queue: 2, MaxBatch: 1, Workers: 1}, func(context.Context, []int) {})
	for i := range 2 {
		if err := s.Submit(i); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Submit(3); !errors.Is(err, batch.ErrFull) || s.Queued() != 2 {
		t.Errorf("%v, %d queued", err, s.Queued())
	}
}

// TestRunWorksOffWhatIsQueued: an end of the context loses nothing, and does not cut the work.
func TestRunWorksOffWhatIsQueued(t *testing.T) {
	t.Parallel()
	var sum atomic.Int64
	s := stage(t, batch.Config{Name: "s", Queue: 100, MaxBatch: 7, Workers: 3}, func(ctx context.Context, items []int) {
		if ctx.Err() != nil {
			t.Error("the work was canceled")
		}
		for _, i := range items {
			sum.Add(int64(i))
		}
	})
	want := int64(0)
	for i := range 100 {
		want += int64(i)
		if err := s.Submit(i); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Run(ctx)
	if sum.Load() != want {
		t.Errorf("%d, want %d", sum.Load(), want)
	}
}

type observer struct {
	limit  int
	queued func() int

	mu    sync.Mutex
	sizes []int
}

// Stage implements batch.Observer.
func (o *observer) Stage(_ string, limit int, queued func() int) { o.limit, o.queued = limit, queued }

// Batch implements batch.Observer.
func (o *observer) Batch(_ string, size int, _, _ time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sizes = append(o.sizes, size)
}

// TestLoadMakesBatchesLarge: what arrives while a batch is worked on goes into the next one.
func TestLoadMakesBatchesLarge(t *testing.T) {
	t.Parallel()
	began, release := make(chan struct{}, 10), make(chan struct{})
	seen := &observer{}
	s := stage(t, batch.Config{Name: "s", Queue: 100, MaxBatch: 100, Workers: 1, Observer: seen}, func(context.Context, []int) {
		began <- struct{}{}
		<-release
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	_ = s.Submit(0)
	<-began
	for i := range 50 {
		_ = s.Submit(i)
	}
	if queued := seen.queued(); queued != 50 || seen.limit != 100 {
		t.Errorf("while a batch is worked on %d of %d wait, want 50 of 100", queued, seen.limit)
	}
	close(release)
	<-began
	cancel()
	<-done
	if !slices.Equal(seen.sizes, []int{1, 50}) {
		t.Errorf("batches of %v", seen.sizes)
	}
}

// TestIsolate: whatever is poisonous fails alone, all others are done once, and the calls are bounded.
func TestIsolate(t *testing.T) {
	t.Parallel()
	errPoison := errors.New("poison")
	rapid.Check(t, func(t *rapid.T) {
		poison := rapid.SliceOfN(rapid.Bool(), 1, 64).Draw(t, "poison")
		items := make([]int, len(poison))
		for i := range items {
			items[i] = i
		}
		done, failed, calls := map[int]int{}, map[int]int{}, 0
		batch.Isolate(items, func(part []int) error {
			calls++
			if slices.ContainsFunc(part, func(i int) bool { return poison[i] }) {
				return errPoison
			}
			for _, i := range part {
				done[i]++
			}
			return nil
		}, func(error) bool { return true }, func(part []int, err error) {
			for _, i := range part {
				failed[i]++
			}
			if !errors.Is(err, errPoison) || len(part) != 1 {
				t.Fatalf("%d failed together: %v", len(part), err)
			}
		})
		for i, bad := range poison {
			if bad && (failed[i] != 1 || done[i] != 0) || !bad && (done[i] != 1 || failed[i] != 0) {
				t.Fatalf("item %d, poison %t: done %d, failed %d", i, bad, done[i], failed[i])
			}
		}
		if calls > 2*len(items) {
			t.Fatalf("%d calls for %d items", calls, len(items))
		}
	})
	calls := 0
	batch.Isolate([]int{1, 2, 3}, func([]int) error { calls++; return errPoison }, func(error) bool { return false }, func(part []int, _ error) {
		if len(part) != 3 {
			t.Errorf("%d failed", len(part))
		}
	})
	if calls != 1 {
		t.Errorf("%d calls of what isolation cannot help", calls)
	}
}

func BenchmarkStage(b *testing.B) {
	s := stage(b, batch.Config{Name: "s", Queue: 1024, MaxBatch: 256, Workers: 1}, func(context.Context, []int) {})
	b.ReportAllocs()
	for b.Loop() {
		for i := range 256 {
			_ = s.Submit(i)
		}
		s.Step(b.Context())
	}
}
