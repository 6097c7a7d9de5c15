//go:build linux

package prove

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

func TestWordsAreCounted(t *testing.T) {
	t.Parallel()
	w := words{
		tried:    []found{{`(\d+) rolls`, "rolls"}},
		wrong:    []found{{`(\d+) failed`, "failed requests"}, {`replay: `, "worlds"}},
		controls: []found{{` killed  `, "mutants killed"}},
	}
	got, err := w.read("20 rolls, 1 failed\n7 rolls, 2 failed\na killed   1s\nb killed   2s\n")
	if err != nil {
		t.Fatal(err)
	}
	want := "27 rolls / 3 failed requests, 0 worlds / 2 mutants killed"
	if said := counts(got.Tried) + " / " + counts(got.Wrong) + " / " + counts(got.Controls); said != want {
		t.Errorf("counted %q, want %q", said, want)
	}
	if _, err := w.read("nothing"); err == nil {
		t.Error("a proof that does not tell what it tried was believed")
	}
}

// TestMutantsAreCountedOnce: their names and tests may say what they like.
func TestMutantsAreCountedOnce(t *testing.T) {
	t.Parallel()
	for i := range All {
		if All[i].Name != "mutants" {
			continue
		}
		said := "a process that is killed  twice   killed   1.0s  go test ./x\nanother   killed   1.0s  go test ./x\n2 of 2 mutants killed\n"
		got, err := All[i].Read(said)
		if err != nil || counts(got.Controls) != "2 mutants killed" || counts(got.Wrong) != "0 mutants that nobody noticed" {
			t.Errorf("counted %+v, %v", got, err)
		}
		return
	}
	t.Error("no proof is of mutants")
}

func TestLineHolds(t *testing.T) {
	t.Parallel()
	good := Findings{Wrong: []Count{{"lost", 0}}, Controls: []Count{{"orders lost", 3}}}
	for name, test := range map[string]struct {
		line Line
		want bool
	}{
		"nothing wrong":                     {Line{Findings: good}, true},
		"something wrong":                   {Line{Findings: Findings{Wrong: []Count{{"lost", 1}}}}, false},
		"a control that was not noticed":    {Line{Findings: Findings{Controls: []Count{{"orders lost", 0}}}}, false},
		"a proof that failed by other ways": {Line{Findings: good, Err: errors.New("exit status 2")}, false},
	} {
		if got := test.line.Held(); got != test.want {
			t.Errorf("%s: held is %t", name, got)
		}
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	lines := []Line{
		{Proof: &Proof{Name: "simulation", Promise: "never oversell", Make: []string{"sim"}}, Findings: Findings{Tried: []Count{{"order histories", 1234567}}, Wrong: []Count{{"worlds", 0}}}, Took: time.Minute, Commit: "abc"},
	}
	var page strings.Builder
	if err := Write(&page, lines, Circumstances{Commit: "abc", Machine: "2 cores"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# Verdict: every promise held", "| 1,234,567 order histories | 0 worlds | – | abc | 1m0s |"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page has no %q:\n%s", want, page.String())
		}
	}
	lines[0].Err = errors.New("exit status 1")
	page.Reset()
	if err := Write(&page, lines, Circumstances{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.String(), "BROKEN") || !strings.Contains(page.String(), "exit status 1") {
		t.Errorf("a proof that failed is not told:\n%s", page.String())
	}
}

// TestARunIsResumed: what held for the same commit is not proved again; what failed, or may be of another tree, is.
func TestARunIsResumed(t *testing.T) {
	t.Chdir(t.TempDir())
	makefile := "held:\n\techo 7 tried >> held.txt; echo 7 tried\nfails:\n\techo 7 tried >> fails.txt; echo 7 tried; false\n"
	if err := os.WriteFile("Makefile", []byte(makefile), 0o600); err != nil {
		t.Fatal(err)
	}
	read := words{tried: []found{{`(\d+) tried`, "tried"}}}.read
	proofs := []Proof{{"held", "a promise", []string{"--silent", "held"}, "internal/held", read}, {"fails", "another", []string{"--silent", "fails"}, "internal/fails", read}}
	changed := map[string][]string{"a": {"x.go"}, "b": {"docs/x.md", "internal/fails/x.go", "internal/prove/x.go"}, "c": {"internal/held/x.go"}, "d": {"internal/fails/x.go", "Makefile"}}
	times := func(proof string) int {
		text, err := os.ReadFile(proof + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), "\n")
	}
	for _, run := range []struct {
		commit      string
		resume      bool
		held, fails int // how often each was run so far
	}{
		{"a", false, 1, 1}, {"a", true, 1, 2}, {"a", false, 2, 3}, {"b", true, 3, 4}, {"b", true, 3, 5},
		{"c", true, 3, 6}, // nothing that it depends on has changed since b
		{"c", false, 4, 7}, {"d", true, 5, 8}, {"e", true, 6, 9},
		{"b-dirty", true, 7, 10}, {"b-dirty", true, 8, 11}, {Unknown, true, 9, 12}, {Unknown, true, 10, 13},
	} {
		lines, err := Run(t.Context(), Config{Proofs: proofs, Commit: run.commit, Resume: run.resume, Changed: func(since string) ([]string, error) { return changed[since], nil }, Progress: io.Discard})
		if err != nil || len(lines) != 2 || !lines[0].Held() || lines[1].Held() || lines[0].Tried[0].N != 7 {
			t.Fatalf("%+v: %+v, %v", run, lines, err)
		}
		if held, fails := times("held"), times("fails"); held != run.held || fails != run.fails {
			t.Errorf("%+v: run %d and %d times", run, held, fails)
		}
	}
}
