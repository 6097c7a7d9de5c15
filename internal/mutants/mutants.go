// Package mutants proves that the proofs have teeth: faults seeded into the real code, one at a time, each of which a named
// test must notice. A mutant is compiled in by `go test -overlay`, so that the tree is never touched.
package mutants

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Mutant is one seeded fault.
type Mutant struct {
	Name     string
	Promises string // what it breaks
	File     string // from the module's root
	Old, New string // Old stands in the file exactly once
	Killer   Killer
}

// Killer is the test that must fail with the mutant.
type Killer struct {
	Package string // from the module's root
	Run     string // the pattern of go test -run
	Args    string // of the test, after the package
}

// String is the killer as it is called.
func (k Killer) String() string {
	return strings.TrimSpace(fmt.Sprintf("go test ./%s -run '%s' %s", k.Package, k.Run, k.Args))
}

// Mutate is the file's text with the fault, or says that the mutant does not fit the code any more.
func (m *Mutant) Mutate(text string) (string, error) {
	if n := strings.Count(text, m.Old); n != 1 {
		return "", fmt.Errorf("mutant %q: %s has its text %d times, not once", m.Name, m.File, n)
	}
	return strings.Replace(text, m.Old, m.New, 1), nil
}

// errBuild is a mutant that does not compile, which proves nothing.
var errBuild = errors.New("the mutant does not compile")

// Kill runs the killer on the mutant, in the module at root, and tells whether it failed as it should. output is go test's.
func (m *Mutant) Kill(ctx context.Context, root string) (killed bool, output string, err error) {
	overlay, clean, err := m.overlay(root)
	if err != nil {
		return false, "", err
	}
	defer clean()
	args := []string{"test", "-count=1", "-vet=off", "./" + m.Killer.Package, "-run", m.Killer.Run}
	command := exec.CommandContext(ctx, "go", append(args, strings.Fields(m.Killer.Args)...)...)
	command.Dir = root
	// In the environment, so that a test which builds the programs builds them with the fault.
	command.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -overlay="+overlay))
	said, err := command.CombinedOutput()
	output = string(said)
	var exit *exec.ExitError
	switch {
	case err == nil && strings.Contains(output, "no tests to run"):
		return false, output, fmt.Errorf("mutant %q: its killer does not exist", m.Name)
	case err == nil:
		return false, output, nil
	case !errors.As(err, &exit):
		return false, output, fmt.Errorf("mutant %q: run go test: %w", m.Name, err)
	case strings.Contains(output, "[build failed]") || strings.Contains(output, "[setup failed]"):
		return false, output, fmt.Errorf("mutant %q: %w", m.Name, errBuild)
	}
	return true, output, nil
}

// overlay writes the mutated file and the overlay that puts it in its place, beside the tree.
func (m *Mutant) overlay(root string) (path string, clean func(), err error) {
	original := filepath.Join(root, filepath.FromSlash(m.File))
	text, err := os.ReadFile(original)
	if err != nil {
		return "", nil, fmt.Errorf("mutant %q: %w", m.Name, err)
	}
	mutated, err := m.Mutate(string(text))
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "mutant-*")
	if err != nil {
		return "", nil, fmt.Errorf("mutant %q: %w", m.Name, err)
	}
	clean = func() { _ = os.RemoveAll(dir) } // what stays is in the temporary folder
	replacement, path := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	description, err := json.Marshal(map[string]map[string]string{"Replace": {original: replacement}})
	if err := errors.Join(err, os.WriteFile(replacement, []byte(mutated), 0o600), os.WriteFile(path, description, 0o600)); err != nil {
		clean()
		return "", nil, fmt.Errorf("mutant %q: %w", m.Name, err)
	}
	return path, clean, nil
}

// Verdict is what became of one mutant.
type Verdict struct {
	Mutant *Mutant
	Killed bool
}

// Table is the document of all verdicts.
func Table(verdicts []Verdict) string {
	var b strings.Builder
	b.WriteString("# Mutants\n\nFaults seeded into the real code, one at a time, and the test that notices each. " +
		"`make mutants` runs them and writes this table; it fails when one survives.\n\n" +
		"| Mutant | What it would break | Killer | Verdict |\n| --- | --- | --- | --- |\n")
	for _, v := range verdicts {
		verdict := "**survives**"
		if v.Killed {
			verdict = "killed"
		}
		fmt.Fprintf(&b, "| %s (`%s`) | %s | `%s` | %s |\n", v.Mutant.Name, v.Mutant.File, v.Mutant.Promises,
			strings.ReplaceAll(v.Mutant.Killer.String(), "|", `\|`), verdict)
	}
	return b.String()
}
