package load

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Report is what came of a run.
type Report struct {
	Scenario  Scenario  `json:"scenario"`
	URL       string    `json:"url"`
	Loop      string    `json:"loop"` // open or closed
	Rate      float64   `json:"rate_per_second,omitempty"`
	RateEnd   float64   `json:"rate_end_per_second,omitempty"`
	Clients   int       `json:"clients"`
	SKUs      int       `json:"skus"`
	Items     int       `json:"items_per_order"`
	Stock     int64     `json:"stock_per_sku"`
	Seed      uint64    `json:"seed"`
	StartedAt time.Time `json:"started_at"`
	Seconds   float64   `json:"seconds"`
	// WarmUpSeconds came before, and are in no figure but those of Series and Unsent.
	WarmUpSeconds float64 `json:"warm_up_seconds,omitempty"`
	// Interrupted runs were ended before their time. Unsent arrivals of an open loop were due by then and not sent, as of a
	// platform that stalls: no latency tells of them.
	Interrupted bool  `json:"interrupted,omitempty"`
	Unsent      int64 `json:"arrivals_due_and_not_sent,omitempty"`
	// OrdersPerSecond counts acknowledged orders alone.
	OrdersPerSecond   float64 `json:"orders_per_second"`
	RequestsPerSecond float64 `json:"requests_per_second"`
	// Hasty counts the refusals for lack of room, 429 and 503, that did not say when to come back.
	Hasty     int64     `json:"refusals_without_retry_after"`
	Kinds     []Summary `json:"kinds"`
	Series    []Second  `json:"series"`
	Generator Generator `json:"generator"`
	// Truth is nil when it was not asked for.
	Truth *Truth `json:"truth,omitempty"`
}

// Summary is one kind of request.
type Summary struct {
	Kind     Kind              `json:"kind"`
	Requests int64             `json:"requests"`
	Outcomes map[Outcome]int64 `json:"outcomes"`
	MeanUS   float64           `json:"mean_us"`
	// Percentiles are of latency.
	Percentiles []Percentile `json:"percentiles"`
	// ByOutcome are the latencies of each outcome alone.
	ByOutcome map[Outcome][]Percentile `json:"percentiles_by_outcome"`
}

// Percentile is one point of a distribution.
type Percentile struct {
	Percent float64 `json:"percent"`
	US      int64   `json:"us"`
}

// Generator is what the load itself cost.
type Generator struct {
	CPUSeconds      float64 `json:"cpu_seconds"`
	CPUPerRequestUS float64 `json:"cpu_per_request_us"`
}

var percents = []float64{50, 75, 90, 95, 99, 99.9, 99.99, 100}

func (r *run) report(m measured) Report {
	cfg, rec := r.cfg, r.recorder
	report := Report{Scenario: cfg.Scenario, URL: cfg.URL, Loop: "closed", Rate: cfg.Rate, RateEnd: cfg.RateEnd, Clients: cfg.Clients, SKUs: cfg.SKUs,
		Items: cfg.Items, Stock: cfg.Stock, Seed: cfg.Seed, StartedAt: m.began.UTC(), Seconds: m.elapsed.Seconds(), WarmUpSeconds: m.warmUp.Seconds(),
		Interrupted: m.interrupted, Unsent: m.unsent, Kinds: []Summary{}, Series: rec.seconds}
	if cfg.Rate > 0 {
		report.Loop = "open"
	}
	requests := int64(0)
	for _, kind := range []Kind{Place, Read, List, Cancel, Pay, Wait} {
		histogram := rec.latencies[kind]
		if histogram == nil {
			continue
		}
		s := Summary{Kind: kind, Requests: histogram.TotalCount(), Outcomes: rec.outcomes[kind], MeanUS: histogram.Mean(),
			Percentiles: percentiles(histogram), ByOutcome: map[Outcome][]Percentile{}}
		for outcome, latencies := range rec.each[kind] {
			s.ByOutcome[outcome] = percentiles(latencies)
		}
		report.Kinds = append(report.Kinds, s)
		requests += s.Requests
	}
	placed := rec.outcomes[Place]
	report.OrdersPerSecond = float64(placed["confirmed"]+placed["awaiting_payment"]+placed[Accepted]) / m.elapsed.Seconds()
	report.RequestsPerSecond = float64(requests) / m.elapsed.Seconds()
	report.Hasty = rec.hasty
	report.Generator = Generator{CPUSeconds: m.cpu.Seconds(), CPUPerRequestUS: float64(m.cpu.Microseconds()) / float64(max(1, requests))}
	return report
}

func percentiles(h *hdrhistogram.Histogram) (points []Percentile) {
	for _, percent := range percents {
		points = append(points, Percentile{percent, h.ValueAtPercentile(percent)})
	}
	return points
}

// Began tells whether anything was sent, and the report so tells anything.
func (r Report) Began() bool { return !r.StartedAt.IsZero() }

// Failures counts the requests that the platform failed, and answers 503 and 429 among them.
func (r Report) Failures() (n int64) {
	for _, kind := range r.Kinds {
		for outcome, count := range kind.Outcomes {
			if outcome.fails() {
				n += count
			}
		}
	}
	return n
}

// Percentile is a latency of a kind, or 0 where there is none.
func (r Report) Percentile(kind Kind, percent float64) time.Duration {
	for _, s := range r.Kinds {
		for _, p := range s.Percentiles {
			if s.Kind == kind && p.Percent == percent {
				return time.Duration(p.US) * time.Microsecond
			}
		}
	}
	return 0
}

// PercentileOf is the latency of a kind's requests that had one outcome, or 0 where there was none.
func (r Report) PercentileOf(kind Kind, outcome Outcome, percent float64) time.Duration {
	for _, s := range r.Kinds {
		if s.Kind != kind {
			continue
		}
		for _, p := range s.ByOutcome[outcome] {
			if p.Percent == percent {
				return time.Duration(p.US) * time.Microsecond
			}
		}
	}
	return 0
}

// Count is how many of a kind's requests had an outcome.
func (r Report) Count(kind Kind, outcome Outcome) int64 {
	for _, s := range r.Kinds {
		if s.Kind == kind {
			return s.Outcomes[outcome]
		}
	}
	return 0
}

// WriteJSON writes the whole report.
func (r Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// WriteText writes what a person wants to know.
func (r Report) WriteText(w io.Writer) error {
	warmUp := ""
	if r.WarmUpSeconds > 0 {
		warmUp = fmt.Sprintf(" after %.1f s of warm-up", r.WarmUpSeconds)
	}
	fmt.Fprintf(w, "\n%s, %s loop, %d clients, %d SKUs, %.1f s%s: %.0f orders/s, %.0f requests/s\n\n", r.Scenario, r.Loop, r.Clients, r.SKUs,
		r.Seconds, warmUp, r.OrdersPerSecond, r.RequestsPerSecond)
	if err := r.writeLatencies(w); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, s := range r.Kinds {
		fmt.Fprintf(w, "%-7s %s\n", s.Kind, outcomeText(s.Outcomes))
	}
	if warnings := r.Warnings(); len(warnings) > 0 {
		fmt.Fprintf(w, "\n%s\n", strings.Join(warnings, "\n"))
	}
	fmt.Fprintf(w, "\nThe generator used %.1f s of CPU, %.0f µs a request.\n", r.Generator.CPUSeconds, r.Generator.CPUPerRequestUS)
	if r.Truth == nil {
		fmt.Fprintln(w, "The truth was not checked.")
		return nil
	}
	return r.Truth.writeText(w)
}

func (r Report) writeLatencies(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "\trequests\tmean\t")
	for _, percent := range percents {
		fmt.Fprintf(table, "%s\t", percentName(percent))
	}
	fmt.Fprintln(table)
	for _, s := range r.Kinds {
		for _, row := range s.Rows() {
			fmt.Fprintf(table, "%s\t%d\t%s\t", row.Name, row.Requests, row.Mean)
			for _, p := range row.Percentiles {
				fmt.Fprintf(table, "%s\t", milliseconds(p.US))
			}
			fmt.Fprintln(table)
		}
	}
	return table.Flush()
}

// Row is a line of the table of latencies.
type Row struct {
	Name        string
	Requests    int64
	Mean        string // of a kind as a whole
	Percentiles []Percentile
}

// Rows are a kind as a whole, and, where it had several outcomes, each of them alone: what was refused at once must not
// flatter what was served.
func (s Summary) Rows() []Row {
	rows := []Row{{string(s.Kind), s.Requests, milliseconds(int64(s.MeanUS)), s.Percentiles}}
	if len(s.Outcomes) < 2 {
		return rows
	}
	for _, outcome := range byCount(s.Outcomes) {
		rows = append(rows, Row{string(s.Kind) + " " + string(outcome), s.Outcomes[outcome], "", s.ByOutcome[outcome]})
	}
	return rows
}

// Warnings are what whoever reads the figures has to know of them.
func (r Report) Warnings() (warnings []string) {
	requests := int64(0)
	for _, s := range r.Kinds {
		requests += s.Requests
	}
	if failures := r.Failures(); failures > 0 {
		warnings = append(warnings, fmt.Sprintf("%d of %d requests were not served.", failures, requests))
	}
	if r.Interrupted {
		warnings = append(warnings, "The run was interrupted: the figures are of what was sent until then.")
	}
	if r.Unsent > 0 {
		warnings = append(warnings, fmt.Sprintf("%d arrivals were due and not sent.", r.Unsent))
	}
	return warnings
}

func (t Truth) writeText(w io.Writer) error {
	how := "all orders of the run were listed"
	switch {
	case t.BrokenOff:
		how = "until the check broke off"
	case !t.Complete:
		how = "acknowledged orders were sampled"
	}
	_, err := fmt.Fprintf(w, "%s: %d orders acknowledged, %d read back (%s), %d missing, %d different, %d doubled, %d nobody was told of, %d unsettled;\n"+
		"%d placements without an answer, of which %d are there; stock of %d SKUs: %d units held, %d SKUs wrong, %d oversold. (%.1f s)\n",
		t.verdict(), t.Acknowledged, t.ReadBack, how, t.Missing, t.Different, t.Doubled, t.Unasked, t.Unsettled, t.Unknown, t.Resolved,
		t.SKUs, t.UnitsHeld, t.WrongStock, t.Oversold, t.Seconds)
	for _, problem := range t.Problems {
		fmt.Fprintf(w, "  - %s\n", problem)
	}
	return err
}

func (t Truth) verdict() string {
	switch {
	case t.OK():
		return "The truth holds"
	case !t.Wrong():
		return "The truth is not known, for its check broke off"
	}
	return "THE TRUTH DOES NOT HOLD"
}

func percentName(percent float64) string {
	if percent == 100 {
		return "max"
	}
	return fmt.Sprintf("p%g", percent)
}

func milliseconds(us int64) string { return fmt.Sprintf("%.2f ms", float64(us)/1000) }

func outcomeText(outcomes map[Outcome]int64) string {
	words := make([]string, 0, len(outcomes))
	for _, outcome := range byCount(outcomes) {
		words = append(words, fmt.Sprintf("%s %d", outcome, outcomes[outcome]))
	}
	return strings.Join(words, ", ")
}

// byCount lists outcomes, the most frequent first.
func byCount(outcomes map[Outcome]int64) []Outcome {
	names := make([]Outcome, 0, len(outcomes))
	for name := range outcomes {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b Outcome) int {
		if outcomes[a] != outcomes[b] {
			return int(outcomes[b] - outcomes[a])
		}
		return strings.Compare(string(a), string(b))
	})
	return names
}
