//go:build linux

package crash

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/failpoint"
)

// Kind is a kind of fault. Its zero value is invalid.
type Kind int

// The faults.
const (
	Kill         Kind = iota + 1 // SIGKILL of one process or several at once
	Failpoint                    // a process that was killed comes back and dies at a named place
	Pause                        // SIGSTOP for longer than an order's lease
	LongPause                    // SIGSTOP for longer than a payment's lease
	Cut                          // connections break and are refused
	Silence                      // connections stay, and nothing comes through
	Slow                         // a third of a second more, each way
	DatabaseKill                 // SIGKILL of PostgreSQL, which comes back
	FailOver                     // SIGKILL of PostgreSQL, which does not: its standby takes over
	DiskFull                     // no byte is free where the database writes
	kindEnd
)

var kindNames = map[Kind]string{Kill: "kill", Failpoint: "failpoint", Pause: "pause", LongPause: "long pause", Cut: "cut", Silence: "silence",
	Slow: "slow", DatabaseKill: "database kill", FailOver: "fail-over", DiskFull: "disk full"}

// String names the kind in tables.
func (k Kind) String() string {
	if name, ok := kindNames[k]; ok {
		return name
	}
	return fmt.Sprintf("Kind(%d)", int(k))
}

// MarshalText implements encoding.TextMarshaler, for the report.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *Kind) UnmarshalText(text []byte) error {
	for kind, name := range kindNames {
		if name == string(text) {
			*k = kind
			return nil
		}
	}
	return fmt.Errorf("there is no fault of the kind %q", text)
}

// Fault is one step of a plan.
type Fault struct {
	Kind    Kind
	After   time.Duration // of undisturbed work before it
	For     time.Duration // how long it lasts, where it lasts
	Targets []int         // which processes or links, by number modulo how many there are
	Moment  string        // of a failpoint
	Passing int           // at which passing of the moment
}

// String tells the fault in the progress lines.
func (f Fault) String() string {
	text := fmt.Sprintf("%s %v", f.Kind, f.Targets)
	switch {
	case f.Kind == Failpoint:
		text = fmt.Sprintf("%s %s:%d", f.Kind, f.Moment, f.Passing)
	case f.For > 0:
		text += " for " + f.For.Round(time.Millisecond).String()
	}
	return text
}

// plan is the schedule of faults that a seed stands for: counts says how many of each kind. The same seed and counts make
// the same plan; what the processes are doing when a fault meets them is theirs.
func plan(seed uint64, counts map[Kind]int) []Fault {
	rng := rand.New(rand.NewPCG(seed, 0))
	var faults []Fault
	points := moments()
	for kind := Kill; kind < kindEnd; kind++ {
		for i := range counts[kind] {
			f := Fault{Kind: kind, After: upTo(rng, 300*time.Millisecond, 1200*time.Millisecond), Targets: []int{rng.IntN(1000)}}
			f.For = duration(rng, kind)
			if kind == Kill && rng.IntN(4) == 0 {
				f.Targets = append(f.Targets, f.Targets[0]+1+rng.IntN(2))
			}
			if kind == Failpoint {
				if i%len(points) == 0 {
					rng.Shuffle(len(points), func(a, b int) { points[a], points[b] = points[b], points[a] })
				}
				f.Moment, f.Passing = points[i%len(points)], 1+rng.IntN(4)
			}
			faults = append(faults, f)
		}
	}
	rng.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
	return faults
}

func duration(rng *rand.Rand, kind Kind) time.Duration {
	switch kind {
	case Pause:
		return upTo(rng, orderLease+orderLease/4, 2*orderLease)
	case LongPause:
		return paymentLease + 2*time.Second
	case Cut, Silence, Slow, DiskFull:
		return upTo(rng, 300*time.Millisecond, 2500*time.Millisecond)
	case DatabaseKill:
		return upTo(rng, 0, time.Second)
	default:
		return 0
	}
}

func upTo(rng *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(rng.Int64N(int64(most-least)))
}

// moments are all moments of all failpoints that orders pass in a run.
func moments() (all []string) {
	for _, p := range failpoint.Places() {
		all = append(all, p.Before(), p.After())
	}
	return all
}

// owner is the program that passes a moment, in a system of four processes.
func owner(moment string) string {
	switch name, _, _ := strings.Cut(moment, "."); name {
	case "orders":
		return "servico-pedidos"
	case "inventory":
		return "servico-estoque"
	default:
		return "servico-pagamentos"
	}
}
