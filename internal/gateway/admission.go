package gateway

import (
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

const (
	// alwaysAdmitted is how many new orders may be under way whatever was measured: enough to measure by.
	alwaysAdmitted = 256
	// unknownAdmitted is how many may be under way as long as nothing was measured: ten seconds, as long as a caller waits, of
	// a platform that does 100 orders a second.
	unknownAdmitted = 1024
	// admissionWindow is how long is measured before the limit moves.
	admissionWindow = 500 * time.Millisecond
	// admissionMemory is how many windows make a rate: orders end in bursts of a batch each, and a window may fall between two.
	admissionMemory = 4
	// admissionRest is how long nothing has to be under pressure for what was learned to be forgotten.
	admissionRest = time.Minute
)

// overloaded is errOverloaded as it is written: at ten times capacity most answers are this one, so it is encoded once.
var overloaded = encodeProblem(errOverloaded)

// encodedProblem is an answer that is always the same. Its header's values are shared by all answers: nobody appends to them.
type encodedProblem struct {
	status int
	header http.Header
	body   []byte
}

func encodeProblem(problem *httpx.Error) *encodedProblem {
	r := recording{header: http.Header{}}
	httpx.WriteProblem(&r, problem)
	for name, values := range r.header {
		r.header[name] = slices.Clip(values)
	}
	return &encodedProblem{r.status, r.header, r.body}
}

func (p *encodedProblem) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), p.header)
	w.WriteHeader(p.status)
	_, _ = w.Write(p.body) // the client is gone: nobody is left to tell
}

// recording is an answer to nobody.
type recording struct {
	header http.Header
	status int
	body   []byte
}

// Header implements http.ResponseWriter.
func (r *recording) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recording) WriteHeader(status int) { r.status = status }

// Write implements http.ResponseWriter.
func (r *recording) Write(p []byte) (int, error) {
	r.body = append(r.body, p...)
	return len(p), nil
}

// admission bounds the new orders under way by what the platform gets done: as many as it finishes within the wait that
// an order may have (Little's law). A fixed bound alone is right for one speed of the database: 3,276 orders are half a
// second of a fast one, and 25 seconds of one that does 130 a second, where all would be answered too late, and those that
// are refused learn it last (`make overload`).
//
// Only windows under pressure teach that the platform is slow: in an idle one nothing is known of what could be done. And a
// crowd's first window teaches nothing by its time, for its orders are on their way and none of them can have ended: taken
// for the platform's speed, it had 1,024 buyers in front of an idle platform refused 7,000 times in a second. What is
// finished, on the other hand, counts at once, and its best is remembered: rest makes a slow platform an unknown one, and
// a fast one stays fast.
type admission struct {
	most int64
	wait time.Duration

	limit    atomic.Int64
	underway atomic.Int64
	finished atomic.Int64 // in this window
	refused  atomic.Bool  // somebody, in this window
	calm     atomic.Bool  // fewer than alwaysAdmitted were under way at a time of this window
	until    atomic.Int64 // the window's end, in nanoseconds since born
	known    atomic.Bool  // admissionMemory windows have taught since the platform last rested
	born     time.Time

	mu      sync.Mutex    // of whoever ends a window
	windows []window      // the last that taught, admissionMemory of them at most
	rested  time.Duration // for how long no window has taught
	best    int64         // limit that a window has earned
}

// window is what was finished in a time under pressure.
type window struct {
	took     time.Duration
	finished int64
}

func newAdmission(most int64, wait time.Duration) *admission {
	a := &admission{most: most, wait: wait, born: time.Now()}
	a.limit.Store(min(most, unknownAdmitted))
	a.calm.Store(true)
	a.until.Store(int64(admissionWindow))
	return a
}

// enter lets an order in, or tells that there is no room.
func (a *admission) enter(now time.Time) bool {
	a.tick(now)
	n := a.underway.Add(1)
	if n < alwaysAdmitted {
		a.calm.Store(true)
	}
	if n > a.limit.Load() {
		a.underway.Add(-1)
		a.refused.Store(true)
		return false
	}
	return true
}

// leave counts an order out. done tells whether the platform finished it: what was refused says nothing about its speed.
func (a *admission) leave(now time.Time, done bool) {
	if a.underway.Add(-1) < alwaysAdmitted {
		a.calm.Store(true)
	}
	if done {
		a.earn(a.finished.Add(1))
	}
	a.tick(now)
}

// earn raises the limit of an unknown platform as soon as more was finished in this window than it stands for, before the
// window ends. Of a known one a window's best would be too much: it finishes in bursts.
func (a *admission) earn(finished int64) {
	if a.known.Load() {
		return
	}
	earned := min(a.most, a.within(window{admissionWindow, finished}))
	for limit := a.limit.Load(); earned > limit; limit = a.limit.Load() {
		if a.limit.CompareAndSwap(limit, earned) {
			return
		}
	}
}

// within is how many orders the platform finishes within the wait, at the speed of a window.
func (a *admission) within(w window) int64 {
	return int64(float64(w.finished) / w.took.Seconds() * a.wait.Seconds())
}

// finishedWith tells whether an order that took so long was finished by the status that it was answered with. One that is
// refused as malformed cost no store anything; one that its caller was told to look for later, after a long wait, or did not
// wait for is still under way: counted, a platform that finishes nothing in time would look like a fast one as soon as its
// callers give up.
func (a *admission) finishedWith(status int, took time.Duration) bool {
	switch {
	case status == http.StatusAccepted:
		return took < a.wait
	case status == http.StatusBadRequest, status == http.StatusTooManyRequests, status == httpx.StatusClientGone:
		return false
	}
	return status >= http.StatusOK && status < http.StatusInternalServerError
}

// tick ends the window when it is over.
func (a *admission) tick(now time.Time) {
	at := int64(now.Sub(a.born))
	if at < a.until.Load() || !a.mu.TryLock() {
		return
	}
	defer a.mu.Unlock()
	end := a.until.Load()
	if at < end {
		return // somebody was faster
	}
	took := time.Duration(at-end) + admissionWindow
	a.until.Store(at + int64(admissionWindow))
	// The next window begins with what is under way now: one in which nobody enters or leaves is as calm as its beginning.
	calm, refused := a.calm.Swap(a.underway.Load() < alwaysAdmitted), a.refused.Swap(false)
	a.learn(window{took, a.finished.Swap(0)}, calm && !refused)
}

// learn takes a window for the platform's speed, unless it was calm.
func (a *admission) learn(last window, calm bool) {
	a.best = max(a.best, a.within(last))
	if calm {
		if a.rested += last.took; a.rested >= admissionRest {
			a.windows = nil
			a.known.Store(false)
			a.limit.Store(min(a.most, max(unknownAdmitted, a.best)))
		}
		return
	}
	a.rested = 0
	if len(a.windows) == admissionMemory {
		a.windows = a.windows[1:]
	}
	a.windows = append(a.windows, last)
	if len(a.windows) == admissionMemory {
		a.known.Store(true)
	}
	if speed, ok := a.speed(); ok {
		a.limit.Store(min(a.most, max(alwaysAdmitted, a.within(speed))))
	}
}

// speed is what the platform finished in the last windows, once it is known. A crowd that comes to a platform at rest fills
// it before anything can be finished: the first window's time does not count then, nor does a start in which nothing was.
func (a *admission) speed() (all window, ok bool) {
	for _, w := range a.windows {
		all.took += w.took
		all.finished += w.finished
	}
	if a.known.Load() {
		return all, true
	}
	all.took -= a.windows[0].took
	return all, len(a.windows) > 1 && all.finished > 0
}
