package overload

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// Verdict is what a run found.
type Verdict struct {
	Surges []Surge `json:"surges"`
	Faults []Fault `json:"faults"`
	// Controls are goodputs of platforms that were made wrong, in percent of their peak: the checks have to fail there.
	Controls map[string]float64 `json:"controls_goodput_percent"`
	Checks   []Check            `json:"checks"`
	// Repeated are the parts that were measured once more, for nothing but timed checks failed at first.
	Repeated []string `json:"repeated,omitempty"`
}

// Surge is one platform under one multiple of its peak.
type Surge struct {
	Platform        string        `json:"platform"`
	Factor          int           `json:"factor"`
	Peak            float64       `json:"peak_orders_per_second"`
	Offered         float64       `json:"offered_per_second"`
	Goodput         float64       `json:"goodput_orders_per_second"`
	Later           int64         `json:"answered_202"`
	Refused         int64         `json:"refused"`
	NoAnswer        int64         `json:"without_answer"`
	AcceptedP99     time.Duration `json:"accepted_p99_ns"`
	RefusedP99      time.Duration `json:"refused_p99_ns"`
	Recovery        time.Duration `json:"recovery_ns"`
	ResidentMiB     int64         `json:"resident_mib"`
	Noise           time.Duration `json:"timer_lateness_p99_ns"` // of the generator: what the machine was busy with
	GeneratorCPUPct float64       `json:"generator_cpu_percent_of_one_core"`
	Acknowledged    int64         `json:"acknowledged"`
}

// Fault is one platform that lost a part for a while.
type Fault struct {
	What         string        `json:"what"`
	Confirmed    int64         `json:"confirmed"`
	Later        int64         `json:"answered_202"`
	Refused      int64         `json:"refused"`
	NoAnswer     int64         `json:"without_answer"`
	Acknowledged int64         `json:"acknowledged"`
	Others       int           `json:"requests_to_others"`
	OthersFailed int           `json:"requests_to_others_failed"`
	OthersP99    time.Duration `json:"others_p99_ns"`
	Settled      time.Duration `json:"settled_after_ns"`
	ResidentMiB  int64         `json:"resident_mib"`
}

// Check is one thing that was asked of the product.
type Check struct {
	Where string `json:"where"`
	What  string `json:"what"`
	Got   string `json:"got"`
	Want  string `json:"want"`
	OK    bool   `json:"ok"`
	// Timed says that the figure depends on how much of the machine there was, too.
	Timed bool `json:"timed,omitempty"`
}

// OK tells whether everything that was asked for was found.
func (v Verdict) OK() bool { return v.Failed() == 0 && len(v.Checks) > 0 }

// Failed counts the checks that did not hold.
func (v Verdict) Failed() (n int) {
	for _, c := range v.Checks {
		if !c.OK {
			n++
		}
	}
	return n
}

// WriteJSON writes all of it.
func (v Verdict) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// WriteText writes what a person wants to know.
func (v Verdict) WriteText(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nplatform\tload\tpeak/s\toffered/s\tgoodput/s\tof peak\taccepted p99\trefused\trefused p99\trecovered in\tmemory\tgenerator\tnoise")
	for _, s := range v.Surges {
		fmt.Fprintf(table, "%s\t%dx\t%.0f\t%.0f\t%.0f\t%.0f %%\t%s\t%d\t%s\t%s\t%d MiB\t%.0f %% of a core\t%s\n", s.Platform, s.Factor, s.Peak, s.Offered, s.Goodput,
			100*s.Goodput/s.Peak, milliseconds(s.AcceptedP99), s.Refused, milliseconds(s.RefusedP99), s.Recovery.Round(time.Second), s.ResidentMiB, s.GeneratorCPUPct, milliseconds(s.Noise))
	}
	fmt.Fprintln(table, "\nwhat was taken away\tconfirmed\t202\trefused\tno answer\tothers asked\tfailed\tothers' p99\tsettled after\tmemory")
	for _, f := range v.Faults {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%d MiB\n", f.What, f.Confirmed, f.Later, f.Refused, f.NoAnswer, f.Others, f.OthersFailed,
			milliseconds(f.OthersP99), f.Settled.Round(time.Second), f.ResidentMiB)
	}
	fmt.Fprintln(table)
	for _, c := range v.Checks {
		word := "holds"
		if !c.OK {
			word = "FAILS"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\twant %s\n", word, c.Where, c.What, c.Got, c.Want)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, what := range v.Repeated {
		fmt.Fprintf(w, "\nMeasured once more: %s.\n", what)
	}
	_, err := fmt.Fprintf(w, "\n%d of %d checks hold.\n", len(v.Checks)-v.Failed(), len(v.Checks))
	return err
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.0f ms", float64(d.Microseconds())/1000)
}
