package batch_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/batch"
)

// rail is a line whose stages pass their items on, and what was seen of it.
type rail struct {
	line   *batch.Line
	stages []*batch.Stage[int]

	mu      sync.Mutex
	batches [][]int // the sizes of each stage's batches
	working []int
	most    []int // batches at once, a stage
	out     []int // items that left the last stage
}

const patience = 20 * time.Millisecond

// newRail makes a line of stages; work sleeps for as long as it takes. The time is synctest's in all these tests: a sleep says how long
// something takes, and nobody waits for it.
func newRail(t *testing.T, crews int, workers []int, work func(stage int, items []int)) *rail {
	t.Helper()
	r := &rail{line: batch.NewLine(crews, batch.Patience{Batch: patience}), batches: make([][]int, len(workers)), working: make([]int, len(workers)), most: make([]int, len(workers))}
	for i := range workers {
		cfg := batch.Config{Name: string(rune('a' + i)), Queue: 1000, MaxBatch: 100, Workers: workers[i], Line: r.line}
		r.stages = append(r.stages, stage(t, cfg, func(_ context.Context, items []int) {
			r.begins(i, len(items))
			work(i, items)
			r.ends(i, items)
		}))
	}
	return r
}

func (r *rail) begins(stage, size int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.batches[stage] = append(r.batches[stage], size)
	r.working[stage]++
	r.most[stage] = max(r.most[stage], r.working[stage])
}

func (r *rail) ends(stage int, items []int) {
	r.mu.Lock()
	r.working[stage]--
	if stage == len(r.stages)-1 {
		r.out = append(r.out, items...)
	}
	r.mu.Unlock()
	if stage < len(r.stages)-1 {
		for _, item := range items {
			_ = r.stages[stage+1].Submit(item) // there is room for all
		}
	}
}

// seen is what came out so far, and how many batches of a stage are at work.
func (r *rail) seen(stage int) (out []int, working int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.out), r.working[stage]
}

// run works the line until the end of during, and then until nothing is left.
func (r *rail) run(t *testing.T, during func()) {
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { r.line.Run(ctx); close(ended) }()
	during()
	stop()
	<-ended
}

// TestLineTakesLatecomersAlong: what arrives at a stage while the one before it is at work waits for what comes from there,
// and a stage far enough away does not wait.
func TestLineTakesLatecomersAlong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const length = patience / 4
		r := newRail(t, 2, []int{1, 1, 1}, func(int, []int) { time.Sleep(length) })
		r.run(t, func() {
			_ = r.stages[0].Submit(1)
			synctest.Wait()
			_ = r.stages[1].Submit(2)
			_ = r.stages[2].Submit(3)
			time.Sleep(10 * length)
		})
		if want := [][]int{{1}, {2}, {1, 2}}; !slices.EqualFunc(r.batches, want, slices.Equal) {
			t.Errorf("batches of %v, want %v", r.batches, want)
		}
	})
}

// TestLineGathersBeforeABusyStage: what arrives at a stage while the next one is at work goes on together when that is over.
func TestLineGathersBeforeABusyStage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const length = patience / 2
		r := newRail(t, 2, []int{1, 1, 1}, func(stage int, _ []int) {
			if stage == 2 {
				time.Sleep(length)
			}
		})
		r.run(t, func() {
			for item := range 4 { // the first is in the last stage when the others come
				_ = r.stages[0].Submit(item)
				time.Sleep(length / 4)
			}
		})
		if want := [][]int{{1, 1, 1, 1}, {1, 3}, {1, 3}}; !slices.EqualFunc(r.batches, want, slices.Equal) {
			t.Errorf("batches of %v, want %v", r.batches, want)
		}
	})
}

// TestLinePatienceGrowsWithTheBatch: a large batch is waited for longer than a small one.
func TestLinePatienceGrowsWithTheBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const most, each = 10, patience / 2
		r := &rail{line: batch.NewLine(1, batch.Patience{Batch: patience, Item: each})}
		var begun []time.Duration
		start := time.Now()
		cfg := batch.Config{Name: "a", Queue: 100, MaxBatch: most, Workers: 2, Line: r.line}
		r.stages = append(r.stages, stage(t, cfg, func(context.Context, []int) {
			r.mu.Lock()
			begun = append(begun, time.Since(start))
			r.mu.Unlock()
			time.Sleep(time.Second)
		}))
		for item := range 3 * most { // more than a batch holds
			_ = r.stages[0].Submit(item)
		}
		r.run(t, synctest.Wait)
		if want := []time.Duration{0, patience + most*each, time.Second}; !slices.Equal(begun, want) {
			t.Errorf("batches begun after %v, want %v", begun, want)
		}
	})
}

// TestLineDoesNotWaitForTheSlow: a batch that is out of patience holds up neither its neighbours nor its own stage, as far as that
// has workers.
func TestLineDoesNotWaitForTheSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRail(t, 2, []int{1, 3, 1}, func(stage int, items []int) {
			if stage == 1 && items[0] < 3 {
				time.Sleep(time.Second)
			}
		})
		r.run(t, func() {
			for item := range 6 {
				_ = r.stages[0].Submit(item)
				time.Sleep(2 * patience)
			}
			// 0, 1 and 2 take all workers of the stage for a second; 3, 4 and 5 wait for one.
			if out, working := r.seen(1); len(out) != 0 || working != 3 || r.stages[1].Queued() != 3 {
				t.Errorf("%v came out, %d batches are at work and %d items wait, want none, 3 and 3", out, working, r.stages[1].Queued())
			}
			_ = r.stages[2].Submit(6) // the stage after it goes on
			synctest.Wait()
			if out, _ := r.seen(1); !slices.Equal(out, []int{6}) {
				t.Errorf("%v came out, want 6", out)
			}
			time.Sleep(time.Second)
		})
		slices.Sort(r.out)
		if want := []int{0, 1, 2, 3, 4, 5, 6}; !slices.Equal(r.out, want) || r.most[1] != 3 {
			t.Errorf("%v came out, want %v; %d batches at once, want 3", r.out, want, r.most[1])
		}
	})
}

// TestLineLosesNothing has items arrive anywhere and work take from no time to far too long: each comes out once, no stage
// has more batches at once than workers, and an end in the middle of it leaves nothing behind.
func TestLineLosesNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			var mu sync.Mutex
			draw := func(n int) int {
				mu.Lock()
				defer mu.Unlock()
				return random.IntN(n)
			}
			workers := []int{1, 1 + draw(3), 1, 1 + draw(4)}
			r := newRail(t, 1+draw(3), workers, func(int, []int) { time.Sleep(time.Duration(draw(draw(40)+1)) * time.Millisecond) })
			items := 1 + draw(100)
			r.run(t, func() {
				for item := range items {
					_ = r.stages[draw(len(workers))].Submit(item)
					time.Sleep(time.Duration(draw(4)) * time.Millisecond)
				}
			})
			slices.Sort(r.out)
			for item := range items {
				if len(r.out) != items || r.out[item] != item {
					t.Fatalf("seed %d: of %d items came out %v", seed, items, r.out)
				}
			}
			for i, most := range r.most {
				if most > workers[i] {
					t.Errorf("seed %d: stage %d had %d batches at once, and has %d workers", seed, i, most, workers[i])
				}
			}
		})
	}
}
