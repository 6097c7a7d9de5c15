package batch

import (
	"context"
	"sync"
	"time"
)

// Line works stages that the same items pass one after the other, in that order, like a train that everybody who waits at a
// station gets on: a crew that has worked in a stage goes to the next one, takes what waits there along, and after the last
// begins anew. What a free worker a stage would do, small batches that overtake each other, costs a transaction each.
//
// A stage is not begun while the one before it is at work, for what comes out of that can go along; nor while the next one
// is, for what came out would only wait there, and what arrives meanwhile can go along. A batch that takes longer than its
// patience, because whoever it calls is slow, is no longer waited for, and another crew takes its place; how many batches
// may be under way in a stage by then, its Workers say.
type Line struct {
	crews    int
	patience Patience

	mu      sync.Mutex
	ready   sync.Cond // a stage may be begun, or all may end
	stages  []*station
	asleep  int
	working int
	ending  bool
}

// Patience is how long a batch is waited for: a time for itself, and one for each of its items.
type Patience struct{ Batch, Item time.Duration }

func (p Patience) with(items int) time.Duration { return p.Batch + time.Duration(items)*p.Item }

// station is a stage of a line.
type station struct {
	queued  func() int
	most    int                        // items a batch holds
	step    func(context.Context) bool // one batch of what is queued
	workers int

	working int  // batches under way
	awaited bool // whether one of them is within its patience
}

// NewLine makes a line for crews batches at once, at least one, besides those that lost their patience.
func NewLine(crews int, patience Patience) *Line {
	l := &Line{crews: crews, patience: patience}
	l.ready.L = &l.mu
	return l
}

// add puts a stage at the end of the line and tells its place.
func (l *Line) add(s *station) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stages = append(l.stages, s)
	return len(l.stages) - 1
}

// Run works until ctx ends, then works off what is queued and returns. Submit nothing after that.
// The work itself is not canceled: it runs under a context that outlives ctx.
func (l *Line) Run(ctx context.Context) {
	var crews sync.WaitGroup
	for range l.crews {
		crews.Go(func() { l.crew(context.WithoutCancel(ctx), &crews, 0) })
	}
	<-ctx.Done()
	l.mu.Lock()
	l.ending = true
	l.mu.Unlock()
	l.ready.Broadcast()
	crews.Wait()
}

// crew goes from stage to stage, the first of them next, until the line ends or another crew had to take its place.
func (l *Line) crew(ctx context.Context, crews *sync.WaitGroup, next int) {
	var s *station // where it is; as next, written and read under the line's lock
	replaced := make(chan struct{})
	timer := time.AfterFunc(time.Hour, func() { // it must not run before it is stopped, however busy the machine is
		l.mu.Lock()
		s.awaited = false
		after := next
		l.mu.Unlock()
		crews.Go(func() { l.crew(ctx, crews, after) })
		close(replaced)
	})
	timer.Stop()
	for l.begin(&s, &next) {
		timer.Reset(l.patience.with(min(s.queued(), s.most)))
		s.step(ctx)
		inTime := timer.Stop()
		l.end(s, inTime)
		if !inTime {
			<-replaced
			return
		}
	}
}

// begin waits for a stage that may be begun, looking from next on, or answers that all is over.
func (l *Line) begin(s **station, next *int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		for i := range l.stages {
			at := (*next + i) % len(l.stages)
			if !l.mayBegin(at) {
				continue
			}
			*s = l.stages[at]
			(*s).working++
			(*s).awaited = true
			l.working++
			*next = at + 1
			l.wake()
			return true
		}
		if l.ending && l.working == 0 {
			l.ready.Broadcast()
			return false
		}
		l.asleep++
		l.ready.Wait()
		l.asleep--
	}
}

// wake wakes a crew, if one sleeps and there is a stage for it.
func (l *Line) wake() {
	if l.asleep == 0 {
		return
	}
	for at := range l.stages {
		if l.mayBegin(at) {
			l.ready.Signal()
			return
		}
	}
}

func (l *Line) mayBegin(at int) bool {
	s := l.stages[at]
	if at > 0 && l.stages[at-1].awaited || at+1 < len(l.stages) && l.stages[at+1].awaited {
		return false
	}
	return s.queued() > 0 && !s.awaited && s.working < s.workers
}

func (l *Line) end(s *station, inTime bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.working--
	l.working--
	if inTime {
		s.awaited = false
	} else {
		l.wake() // this crew goes, and the one that took its place may be asleep
	}
	if l.ending {
		l.ready.Broadcast()
	}
}

// submitted wakes a crew for a stage that something was submitted to.
func (l *Line) submitted(at int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asleep > 0 && l.mayBegin(at) {
		l.ready.Signal()
	}
}
