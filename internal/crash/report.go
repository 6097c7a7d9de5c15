//go:build linux

package crash

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// readyLimit is how soon a service must be back, as a rule. The worst is shown and decides nothing: a start takes as long as
// the machine has others to work for.
const readyLimit = 5 * time.Second

// busyLimit is the quick form's: its few kills, with all shapes at once, make the median a start while the others start too.
const busyLimit = 45 * time.Second

// Report is the outcome of a run.
type Report struct {
	Seed     uint64        `json:"seed"`
	Quick    bool          `json:"quick"`
	Began    time.Time     `json:"began"`
	Took     time.Duration `json:"took_ns"`
	Passed   bool          `json:"passed"`
	Results  []Result      `json:"results"`
	Controls []Control     `json:"controls"`
	// LeftOut is what the run was told not to do.
	LeftOut []string `json:"left_out,omitempty"`

	mu sync.Mutex
}

func (r *Report) add(result Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Results = append(r.Results, result)
	slices.SortFunc(r.Results, func(a, b Result) int { return strings.Compare(a.Shape, b.Shape) })
}

func (r *Report) addControl(control Control) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Controls = append(r.Controls, control)
	slices.SortFunc(r.Controls, func(a, b Control) int { return strings.Compare(a.Name, b.Name) })
}

func (r *Report) clean() bool {
	return !slices.ContainsFunc(r.Results, func(result Result) bool { return !result.Clean() || r.slow(&result) })
}

// limit is how soon a service must be back, in the median.
func (r *Report) limit() time.Duration {
	if r.Quick {
		return busyLimit
	}
	return readyLimit
}

func (r *Report) slow(result *Result) bool {
	return max(result.ReadyMS.Median, result.BackMS.Median) > r.limit().Milliseconds()
}

// row is a line of the table: what it counts in one result.
type row struct {
	name  string
	value func(*Result) int64
	total func(a, b int64) int64
}

func sum(a, b int64) int64 { return a + b }

func most(a, b int64) int64 { return max(a, b) }

func rows() (rows []row) {
	for kind := Kill; kind < kindEnd; kind++ {
		rows = append(rows, row{kind.String(), func(r *Result) int64 { return int64(r.Faults[kind]) }, sum})
	}
	return append(rows,
		row{"kills of services", func(r *Result) int64 { return int64(r.ServiceKills) }, sum},
		row{"kills of databases", func(r *Result) int64 { return int64(r.DatabaseKills) }, sum},
		row{"deaths at failpoints", func(r *Result) (n int64) {
			for _, times := range r.Failpoints {
				n += int64(times)
			}
			return n
		}, sum},
		row{"tries that failed", func(r *Result) int64 { return r.FailedTries }, sum},
		row{"acknowledged orders", func(r *Result) int64 { return int64(r.Acknowledged) }, sum},
		row{"LOST", func(r *Result) int64 { return int64(r.Lost) }, sum},
		row{"DOUBLED", func(r *Result) int64 { return int64(r.Doubled) }, sum},
		row{"STUCK", func(r *Result) int64 { return int64(r.Stuck) }, sum},
		row{"OVERSOLD", func(r *Result) int64 { return int64(r.Oversold) }, sum},
		row{"MISCHARGED", func(r *Result) int64 { return int64(r.Mischarged) }, sum},
		row{"service ready, median (ms)", func(r *Result) int64 { return r.ReadyMS.Median }, most},
		row{"service ready, worst (ms)", func(r *Result) int64 { return r.ReadyMS.Max }, most},
		row{"ready after database, worst (ms)", func(r *Result) int64 { return r.BackMS.Max }, most},
		row{"all orders ended after (ms)", func(r *Result) int64 { return r.SettledMS }, most},
	)
}

// Write prints the table, on one page.
func (r *Report) Write(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "\t")
	for i, result := range r.Results {
		fmt.Fprintf(w, "(%c) %s\n", 'a'+i, result.Shape)
		fmt.Fprintf(table, "(%c)\t", 'a'+i)
	}
	fmt.Fprint(table, "all\t\n")
	for _, line := range rows() {
		fmt.Fprintf(table, "%s\t", line.name)
		total := int64(0)
		for i := range r.Results {
			value := line.value(&r.Results[i])
			total = line.total(total, value)
			fmt.Fprintf(table, "%d\t", value)
		}
		fmt.Fprintf(table, "%d\t\n", total)
	}
	_ = table.Flush() // who reads it sees whether it came
	r.writeWords(w)
}

func (r *Report) writeWords(w io.Writer) {
	for _, c := range r.Controls {
		fmt.Fprintf(w, "%s: %d of %d acknowledged orders lost, and seen\n", c.Name, c.Lost, c.Acknowledged)
	}
	for _, what := range r.LeftOut {
		fmt.Fprintf(w, "LEFT OUT: %s\n", what)
	}
	for _, result := range r.Results {
		for i, finding := range result.Findings {
			if i == 20 {
				fmt.Fprintf(w, "%s: and %d more\n", result.Shape, len(result.Findings)-i)
				break
			}
			fmt.Fprintf(w, "%s: %s\n", result.Shape, finding)
		}
	}
	for i := range r.Results {
		if result := &r.Results[i]; r.slow(result) {
			fmt.Fprintf(w, "%s: services were ready after %d ms, and %d ms after their database was, in the median; want %s at most\n",
				result.Shape, result.ReadyMS.Median, result.BackMS.Median, r.limit())
		}
	}
	verdict := "PASSED"
	if !r.Passed {
		verdict = "FAILED"
	}
	fmt.Fprintf(w, "%s in %s, seed %d\n", verdict, r.Took, r.Seed)
}
