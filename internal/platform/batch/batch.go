// Package batch turns requests that are in flight together into one piece of work.
//
// A Stage is a bounded queue, a few workers and a function over a batch. A worker takes whatever is queued, up to a
// maximum, and never waits for a batch to fill: an idle stage works in one item's time, a loaded one in large batches.
// Stages that the same items pass one after the other can be a Line, whose crews are their workers.
package batch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrFull says that the queue has no room: the caller sheds the request.
var ErrFull = errors.New("queue is full")

// Observer hears what a stage does. A nil Observer in Config hears nothing.
type Observer interface {
	// Stage reports a stage that was made: how many items may wait for it, and queued, which tells at any time how many do.
	// It is asked and does not tell: a stage whose work hangs tells nothing, just when its queue grows.
	Stage(name string, limit int, queued func() int)
	// Batch reports one batch: its size, how long its oldest item was queued, and how long the work took.
	Batch(stage string, size int, wait, work time.Duration)
}

// Config shapes a stage. Every field but Line and Observer is required.
type Config struct {
	Name     string
	Queue    int   // items that may wait
	MaxBatch int   // items a batch holds at most
	Workers  int   // batches that are worked on at once
	Line     *Line // works the stage, after those that were made with it before; Run does then nothing
	Observer Observer
}

func (c Config) validate() error {
	if c.Line != nil && c.Line.crews < 1 {
		return fmt.Errorf("batch stage %q: its line has %d crews, which is none", c.Name, c.Line.crews)
	}
	if c.Name == "" || c.Queue < 1 || c.MaxBatch < 1 || c.Workers < 1 {
		return fmt.Errorf("batch stage %q: name, queue (%d), max batch (%d) and workers (%d) must be set", c.Name, c.Queue, c.MaxBatch, c.Workers)
	}
	return nil
}

type queued[T any] struct {
	item T
	at   time.Time
}

// Stage runs a function over batches of queued items.
type Stage[T any] struct {
	cfg   Config
	queue chan queued[T]
	work  func(ctx context.Context, items []T)
	at    int // its place in the line
}

// NewStage makes a stage. work is called with 1 to MaxBatch items, by up to Workers goroutines at once; it answers each
// item by means of the item itself.
func NewStage[T any](cfg Config, work func(ctx context.Context, items []T)) (*Stage[T], error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s := &Stage[T]{cfg: cfg, queue: make(chan queued[T], cfg.Queue), work: work}
	if cfg.Line != nil {
		s.at = cfg.Line.add(&station{queued: s.Queued, most: cfg.MaxBatch, step: s.Step, workers: cfg.Workers})
	}
	if cfg.Observer != nil {
		cfg.Observer.Stage(cfg.Name, cfg.Queue, s.Queued)
	}
	return s, nil
}

// Submit queues an item, or answers ErrFull at once.
func (s *Stage[T]) Submit(item T) error {
	select {
	case s.queue <- queued[T]{item, time.Now()}:
		if s.cfg.Line != nil {
			s.cfg.Line.submitted(s.at)
		}
		return nil
	default:
		return ErrFull
	}
}

// Queued is the number of items that wait.
func (s *Stage[T]) Queued() int { return len(s.queue) }

// Run works until ctx ends, then works off what is queued and returns. Submit nothing after that.
// The work itself is not canceled: it runs under a context that outlives ctx.
func (s *Stage[T]) Run(ctx context.Context) {
	if s.cfg.Line != nil {
		return
	}
	var wg sync.WaitGroup
	for range s.cfg.Workers {
		wg.Go(func() { s.loop(ctx) })
	}
	wg.Wait()
}

func (s *Stage[T]) loop(ctx context.Context) {
	work := context.WithoutCancel(ctx)
	for {
		select {
		case first := <-s.queue:
			s.step(work, first)
		case <-ctx.Done():
			for s.Step(work) {
			}
			return
		}
	}
}

// Step works on one batch of what is queued now and tells whether there was any. It waits for nothing.
func (s *Stage[T]) Step(ctx context.Context) bool {
	select {
	case first := <-s.queue:
		s.step(ctx, first)
		return true
	default:
		return false
	}
}

func (s *Stage[T]) step(ctx context.Context, first queued[T]) {
	start := time.Now()
	items := s.gather(first.item)
	s.work(ctx, items)
	if s.cfg.Observer != nil {
		s.cfg.Observer.Batch(s.cfg.Name, len(items), start.Sub(first.at), time.Since(start))
	}
}

func (s *Stage[T]) gather(first T) []T {
	items := make([]T, 1, min(len(s.queue)+1, s.cfg.MaxBatch))
	items[0] = first
	for len(items) < s.cfg.MaxBatch {
		select {
		case next := <-s.queue:
			items = append(items, next.item)
		default:
			return items
		}
	}
	return items
}

// Isolate runs do over items. When that fails for a reason that isolation can help (retry says so), it runs the halves
// by themselves, so that one poisonous item fails alone: failed hears of it. At most 2·len(items) calls.
func Isolate[T any](items []T, do func([]T) error, splittable func(error) bool, failed func([]T, error)) {
	err := do(items)
	if err == nil {
		return
	}
	if len(items) == 1 || !splittable(err) {
		failed(items, err)
		return
	}
	half := len(items) / 2
	Isolate(items[:half], do, splittable, failed)
	Isolate(items[half:], do, splittable, failed)
}
