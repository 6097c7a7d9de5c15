package mutants_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/mutants"
)

const root = "../.."

// TestEveryMutantFitsTheCode finds mutants whose code has changed: they would prove nothing.
func TestEveryMutantFitsTheCode(t *testing.T) {
	t.Parallel()
	names := make(map[string]bool)
	for i := range mutants.All {
		m := &mutants.All[i]
		if names[m.Name] {
			t.Errorf("two mutants are called %q", m.Name)
		}
		names[m.Name] = true
		text, err := os.ReadFile(filepath.Join(root, m.File))
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		if _, err := m.Mutate(string(text)); err != nil {
			t.Error(err)
		}
	}
}

// TestTableIsCurrent wants the document to be what a run in which every mutant was killed has written.
func TestTableIsCurrent(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile(filepath.Join(root, "docs/mutants.md"))
	if err != nil {
		t.Fatal(err)
	}
	verdicts := make([]mutants.Verdict, len(mutants.All))
	for i := range mutants.All {
		verdicts[i] = mutants.Verdict{Mutant: &mutants.All[i], Killed: true}
	}
	if strings.TrimSpace(string(document)) != strings.TrimSpace(mutants.Table(verdicts)) {
		t.Error("docs/mutants.md is not what the last run would write: make mutants")
	}
}
