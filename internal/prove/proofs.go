//go:build linux

package prove

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"

	"github.com/pedidos-veloz/pedidos-veloz/internal/crash"
	"github.com/pedidos-veloz/pedidos-veloz/internal/overload"
)

// Dir is where the proofs leave what they print and count, from the module's root.
const Dir = "bin/prove"

// All are the proofs, the quick ones first.
var All = []Proof{
	{"simulation", "never oversell, charge twice or lose an order; every order ends; money balances", []string{"sim"}, "internal/sim", words{
		tried: []found{{`worlds, (\d+) orders`, "order histories"}, {`(\d+) faults`, "faults"}, {`(\d+) of \d+ named fault points`, "named fault points hit"}},
		wrong: []found{{`replay: `, "worlds with a broken promise"}},
	}.read},
	{"linearizability", "stock is one truth, whoever asks", []string{"linear"}, "internal/linear", words{
		tried:    []found{{`(\d+) histories of`, "histories"}, {`histories of (\d+) calls`, "calls"}, {`outcome of (\d+) calls`, "calls with an unknown outcome"}},
		wrong:    []found{{`the history is `, "histories that are not linearizable"}},
		controls: []found{{`--- PASS: TestBrokenStoresAreCaught/`, "broken stores that were caught"}},
	}.read},
	{"last-unit", "one unit, 1,000 buyers, one winner", []string{"last-unit"}, "internal/linear", words{
		tried: []found{{`(\d+) rounds of 1000 buyers`, "rounds"}},
		wrong: []found{{`round \d+: `, "rounds without exactly one winner"}},
	}.read},
	{"hostile", "bad input gets a 4xx; nobody sees what is another's; nothing personal is told", []string{"hostile"}, "internal/acceptance", words{
		tried: []found{{`(?m)^\s*--- PASS: `, "tests"}},
		wrong: []found{{`(?m)^\s*--- FAIL: `, "tests that failed"}},
	}.read},
	{"fuzz", "no input makes a decoder panic or lie", []string{"fuzz", "FUZZTIME=20s"}, "Makefile", words{
		tried: []found{{`(?m)^--- \./`, "targets"}},
		wrong: []found{{`(?m)^\s*--- FAIL: `, "targets that failed"}},
	}.read},
	{"rolls", "a roll fails no request", []string{"test-rolls"}, "internal/rolling", words{
		tried: []found{{`(\d+) rolls`, "rolls"}, {`rolls, (\d+) orders`, "orders"}},
		wrong: []found{{`rolls, \d+ orders, (\d+) failed`, "failed requests"}},
	}.read},
	{"mutants", "the proofs have teeth", []string{"mutants"}, "", words{
		wrong:    []found{{` SURVIVES `, "mutants that nobody noticed"}},
		controls: []found{{`(?m)^(\d+) of \d+ mutants killed$`, "mutants killed"}},
	}.read},
	{"overload", "what is too much is refused at once, and costs the rest nothing", []string{"overload", "OVERLOAD_JSON=" + overloadFile}, "internal/overload", readOverload},
	{"crash", "no acknowledged order is lost, doubled or stuck, whatever dies", []string{"crash", "CRASH_JSON=" + crashFile}, "internal/crash", readCrash},
}

const (
	overloadFile = Dir + "/overload.json"
	crashFile    = Dir + "/crash.json"
)

// found is a count in what a proof prints: the sum of the pattern's first group over all matches, or how many there are.
type found struct{ pattern, name string }

func (f found) in(said string) Count {
	c := Count{Name: f.name}
	for _, match := range regexp.MustCompile(f.pattern).FindAllStringSubmatch(said, -1) {
		if len(match) == 1 {
			c.N++
			continue
		}
		n, _ := strconv.ParseInt(match[1], 10, 64) // digits, and few
		c.N += n
	}
	return c
}

// words are the counts of a proof that prints them.
type words struct{ tried, wrong, controls []found }

// read wants every count of what was tried: silence is no proof.
func (w words) read(said string) (findings Findings, err error) {
	for _, f := range w.tried {
		c := f.in(said)
		findings.Tried = append(findings.Tried, c)
		if c.N == 0 {
			err = fmt.Errorf("it does not tell the number of %s", f.name)
		}
	}
	for _, f := range w.wrong {
		findings.Wrong = append(findings.Wrong, f.in(said))
	}
	for _, f := range w.controls {
		findings.Controls = append(findings.Controls, f.in(said))
	}
	return findings, err
}

func readOverload(string) (Findings, error) {
	var verdict overload.Verdict
	if err := decode(overloadFile, &verdict); err != nil {
		return Findings{}, err
	}
	var acknowledged, refused int64
	for _, s := range verdict.Surges {
		acknowledged, refused = acknowledged+s.Acknowledged, refused+s.Refused
	}
	for _, f := range verdict.Faults {
		acknowledged, refused = acknowledged+f.Acknowledged, refused+f.Refused
	}
	return Findings{
		Tried: []Count{{"surges", int64(len(verdict.Surges))}, {"parts taken away", int64(len(verdict.Faults))},
			{"acknowledged orders", acknowledged}, {"refused", refused}, {"checks", int64(len(verdict.Checks))}},
		Wrong:    []Count{{"checks that failed", int64(verdict.Failed())}},
		Controls: []Count{{"platforms made wrong", int64(len(verdict.Controls))}},
	}, nil
}

func readCrash(string) (Findings, error) {
	var report crash.Report
	if err := decode(crashFile, &report); err != nil {
		return Findings{}, err
	}
	var services, databases, faults, acknowledged, lost, doubled, stuck, oversold, mischarged int
	for i := range report.Results {
		r := &report.Results[i]
		services, databases = services+r.ServiceKills, databases+r.DatabaseKills
		for _, n := range r.Faults {
			faults += n
		}
		acknowledged, lost, doubled, stuck = acknowledged+r.Acknowledged, lost+r.Lost, doubled+r.Doubled, stuck+r.Stuck
		oversold, mischarged = oversold+r.Oversold, mischarged+r.Mischarged
	}
	findings := Findings{
		Tried: []Count{{"faults", int64(faults)}, {"kills of services", int64(services)}, {"kills of databases", int64(databases)},
			{"acknowledged orders", int64(acknowledged)}},
		Wrong: []Count{{"lost", int64(lost)}, {"doubled", int64(doubled)}, {"stuck", int64(stuck)}, {"oversold", int64(oversold)}, {"mischarged", int64(mischarged)}},
	}
	for _, c := range report.Controls {
		findings.Controls = append(findings.Controls, Count{"orders lost, " + c.Name, int64(c.Lost)})
	}
	if len(report.LeftOut) > 0 {
		return findings, fmt.Errorf("left out: %v", report.LeftOut)
	}
	return findings, nil
}

func decode(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read what was counted: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read what was counted in %s: %w", path, err)
	}
	return nil
}
