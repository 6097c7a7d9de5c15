package load

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Kind is what a request was for.
type Kind string

// The kinds.
const (
	Place  Kind = "place"
	Read   Kind = "read"
	List   Kind = "list"
	Cancel Kind = "cancel"
	Pay    Kind = "pay"
	Wait   Kind = "wait" // from a payment until the order says so
)

// Outcome is what came of a request: an order's status, a problem's code, one of the constants, or `http_` and a status
// that came without a code.
type Outcome string

// The outcomes that are no platform's words.
const (
	OK         Outcome = "ok"
	Accepted   Outcome = "accepted"         // 202
	Timeout    Outcome = "timeout"          // no answer
	Connection Outcome = "connection_error" // no answer
	Other      Outcome = "other"            // more codes than are told apart
)

// The problems whose detail says that nobody knows whether the request took effect: a service broke off, or its database did.
const (
	brokeOff    Outcome = "backend_unavailable"
	lateAnswer  Outcome = "backend_timeout"
	unavailable Outcome = "unavailable"
)

// foreign begins the outcome of an answer that is not the platform's: `http_502` has the words of a balancer or a proxy.
const foreign = "http_"

// Unknown tells whether the request may or may not have had its effect. What stands in front of a platform, and answers 5xx
// for it, does not know what became of a request that it passed on.
func (o Outcome) Unknown() bool {
	switch o {
	case Timeout, Connection, brokeOff, lateAnswer, unavailable:
		return true
	}
	return strings.HasPrefix(string(o), foreign+"5")
}

func classify(a answer, err error) Outcome {
	switch {
	case errors.Is(err, errTimeout):
		return Timeout
	case err != nil:
		return Connection
	case a.status == 202:
		return Accepted
	case a.status == 201:
		return Outcome(known(member(a.body, "status")))
	case a.status < 300:
		return OK
	}
	if code := member(a.body, "code"); len(code) > 0 && (a.status < 500 || platforms(code)) {
		return Outcome(known(code))
	}
	return Outcome(fmt.Sprintf("%s%d", foreign, a.status))
}

// platforms tells whether a code of an answer 5xx is the platform's, and not that of something in front of it.
func platforms(code []byte) bool {
	switch Outcome(code) {
	case brokeOff, lateAnswer, unavailable, "overloaded", "backend_down", "not_implemented", "internal":
		return true
	}
	return false
}

// known spares the most frequent words an allocation.
func known(word []byte) string {
	switch string(word) {
	case "confirmed":
		return "confirmed"
	case "out_of_stock":
		return "out_of_stock"
	}
	return string(word)
}

// fails tells whether an outcome is the platform's failure, rather than its decision.
func (o Outcome) fails() bool {
	switch o {
	case OK, Accepted, "confirmed", "awaiting_payment", "out_of_stock", "payment_declined", "price_changed", "limit_exceeded",
		"not_cancelable":
		return false
	}
	return true
}

// Latencies are kept from a microsecond to ten minutes, to three digits.
const (
	lowest  = 1
	highest = int64(10 * time.Minute / time.Microsecond)
	digits  = 3
)

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(lowest, highest, digits) }

// recorder counts what happens. One lock is enough: it is held for 100 ns, and a request takes a hundred times that.
type recorder struct {
	mu        sync.Mutex
	began     time.Time
	counted   time.Time // from when latencies and outcomes are
	latencies map[Kind]*hdrhistogram.Histogram
	outcomes  map[Kind]map[Outcome]int64
	each      map[Kind]map[Outcome]*hdrhistogram.Histogram // latencies by outcome: what was refused must not flatter what was served
	hasty     int64                                        // refusals for lack of room that did not say when to come back
	second    *hdrhistogram.Histogram                      // of the current second
	secondOf  map[Outcome]int64
	seconds   []Second
	protocol  []string // answers that make no sense, the first few
}

func newRecorder() *recorder {
	return &recorder{latencies: map[Kind]*hdrhistogram.Histogram{}, outcomes: map[Kind]map[Outcome]int64{},
		each: map[Kind]map[Outcome]*hdrhistogram.Histogram{}, second: newHistogram(), secondOf: map[Outcome]int64{}}
}

func (r *recorder) begin(at time.Time, warmUp time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.began, r.counted = at, at.Add(warmUp)
}

// mostOutcomes bounds the codes that are told apart.
const mostOutcomes = 64

func (r *recorder) record(kind Kind, outcome Outcome, took time.Duration) {
	us := min(max(took.Microseconds(), lowest), highest)
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secondOf[outcome]++
	_ = r.second.RecordValue(us) // within bounds
	if now.Before(r.counted) {
		return
	}
	counts := r.outcomes[kind]
	if counts == nil {
		counts = map[Outcome]int64{}
		r.outcomes[kind], r.latencies[kind], r.each[kind] = counts, newHistogram(), map[Outcome]*hdrhistogram.Histogram{}
	}
	if _, seen := counts[outcome]; !seen && len(counts) >= mostOutcomes {
		outcome = Other
	}
	if counts[outcome]++; counts[outcome] == 1 {
		r.each[kind][outcome] = newHistogram()
	}
	_ = r.each[kind][outcome].RecordValue(us) // within bounds
	_ = r.latencies[kind].RecordValue(us)
}

// refused notes an answer 429 or 503.
func (r *recorder) refused(saysWhen bool) {
	if saysWhen {
		return
	}
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !now.Before(r.counted) {
		r.hasty++
	}
}

func (r *recorder) protocolError(format string, args ...any) {
	const few = 10
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.protocol) < few {
		r.protocol = append(r.protocol, fmt.Sprintf(format, args...))
	}
}

// Second is what ended within one second of a run.
type Second struct {
	AtSeconds float64           `json:"at_seconds"`
	Requests  int64             `json:"requests"`
	P50US     int64             `json:"p50_us"`
	P99US     int64             `json:"p99_us"`
	MaxUS     int64             `json:"max_us"`
	Outcomes  map[Outcome]int64 `json:"outcomes"`
}

// Snapshot is how a run stands.
type Snapshot struct {
	Elapsed   time.Duration
	WarmingUp bool // Total does not count yet
	Last      Second
	Total     map[Outcome]int64
}

// mostSeconds bounds the series: a longer run is told in its last part alone.
const mostSeconds = 7200

// watch closes a second after the other until stop.
func (r *recorder) watch(stop <-chan struct{}, progress func(Snapshot)) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			snapshot := r.closeSecond()
			if progress != nil {
				progress(snapshot)
			}
		case <-stop:
			r.closeSecond()
			r.mergeLast()
			return
		}
	}
}

func (r *recorder) closeSecond() Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	elapsed := time.Since(r.began)
	last := Second{AtSeconds: elapsed.Seconds(), Requests: r.second.TotalCount(), P50US: r.second.ValueAtPercentile(50),
		P99US: r.second.ValueAtPercentile(99), MaxUS: r.second.Max(), Outcomes: r.secondOf}
	r.second.Reset()
	r.secondOf = map[Outcome]int64{}
	if len(r.seconds) == mostSeconds {
		r.seconds = r.seconds[1:]
	}
	r.seconds = append(r.seconds, last)
	total := map[Outcome]int64{}
	for _, counts := range r.outcomes {
		for outcome, n := range counts {
			total[outcome] += n
		}
	}
	return Snapshot{Elapsed: elapsed, WarmingUp: r.began.Add(elapsed).Before(r.counted), Last: last, Total: total}
}

// mergeLast makes the last piece of a second a part of the one before: alone it would look like a slump.
func (r *recorder) mergeLast() {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.seconds)
	if n < 2 || r.seconds[n-1].AtSeconds-r.seconds[n-2].AtSeconds > 0.5 {
		return
	}
	into, last := &r.seconds[n-2], r.seconds[n-1]
	into.AtSeconds = last.AtSeconds
	into.Requests += last.Requests
	into.P50US, into.P99US, into.MaxUS = max(into.P50US, last.P50US), max(into.P99US, last.P99US), max(into.MaxUS, last.MaxUS)
	for outcome, count := range last.Outcomes {
		into.Outcomes[outcome] += count
	}
	r.seconds = r.seconds[:n-1]
}
