//go:build linux

// Package prove runs every proof in its full form, one after another, and writes their verdict on one page.
package prove

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Unknown is the commit of a tree without a history.
const Unknown = "unknown"

// Proof is one machine that tries to break a promise.
type Proof struct {
	Name    string
	Promise string   // what it tries to break
	Make    []string // the make target and its variables
	// Folder is where its own machinery is, a folder or a file: it uses nothing of the other proofs' folders. Empty: it uses all.
	Folder string
	// Read tells what it did, from what it printed or left in Dir.
	Read func(said string) (Findings, error)
}

// Findings are what a proof counted.
type Findings struct {
	Tried    []Count
	Wrong    []Count // all must be zero
	Controls []Count // what was broken on purpose, and noticed: none may be zero
}

// Count is a number and what it counts.
type Count struct {
	Name string
	N    int64
}

// Line is what became of one proof.
type Line struct {
	Proof *Proof
	Findings
	Took   time.Duration
	Commit string // at which it was proved
	Err    error  // it failed, or did not say what it had to
}

// Held tells whether the promise held, and the proof had teeth.
func (l *Line) Held() bool {
	for _, c := range l.Wrong {
		if c.N != 0 {
			return false
		}
	}
	for _, c := range l.Controls {
		if c.N == 0 {
			return false
		}
	}
	return l.Err == nil
}

// Config is one run.
type Config struct {
	Proofs []Proof
	Only   string // picks the proofs whose names contain it; empty: all
	Commit string // that is proved
	// Resume takes what held before from earlier runs, unless something has changed since that it depends on. What has
	// changes that are not committed has held for nothing.
	Resume bool
	// Changed are the files that differ between an earlier commit and this one.
	Changed  func(since string) ([]string, error)
	Progress io.Writer
}

// Run runs the proofs one after another, from the module's root, and keeps in Dir what each prints and, of those that held,
// what they counted. A proof that fails does not stop the others; the end of ctx does.
func Run(ctx context.Context, cfg Config) ([]Line, error) {
	if err := os.MkdirAll(Dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a folder for what the proofs print: %w", err)
	}
	var lines []Line
	for i := range cfg.Proofs {
		p := &cfg.Proofs[i]
		if !strings.Contains(p.Name, cfg.Only) {
			continue
		}
		if cfg.Resume {
			line, ok, err := p.before(&cfg)
			if err != nil {
				return lines, err
			}
			if ok {
				cfg.say(p, "held before, at %s, after %s", line.Commit, line.Took)
				lines = append(lines, line)
				continue
			}
		}
		cfg.say(p, "make %s", strings.Join(p.Make, " "))
		line := p.run(ctx)
		line.Commit = cfg.Commit
		if ctx.Err() != nil {
			return lines, fmt.Errorf("ended before %s was over: %w", p.Name, ctx.Err())
		}
		cfg.say(p, "%s after %s", line.word(), line.Took)
		lines = append(lines, line)
		if err := line.keep(); err != nil {
			return lines, err
		}
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("no proof has %q in its name", cfg.Only)
	}
	return lines, nil
}

func (c *Config) say(p *Proof, format string, args ...any) {
	fmt.Fprintf(c.Progress, "%s  %-14s %s\n", time.Now().Format(time.TimeOnly), p.Name, fmt.Sprintf(format, args...))
}

// kept is a line that held, as it is kept for a run that is resumed.
type kept struct {
	Commit   string
	Took     time.Duration
	Findings Findings
}

func (p *Proof) file() string { return filepath.Join(Dir, p.Name+".held.json") }

// keep keeps a line that held, and forgets one that did not.
func (l *Line) keep() error {
	if !l.Held() {
		if err := os.Remove(l.Proof.file()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("forget that %s held: %w", l.Proof.Name, err)
		}
		return nil
	}
	text, err := json.Marshal(kept{l.Commit, l.Took, l.Findings})
	if err == nil {
		err = os.WriteFile(l.Proof.file(), text, 0o644)
	}
	if err != nil {
		return fmt.Errorf("keep what %s counted: %w", l.Proof.Name, err)
	}
	return nil
}

// before is the line of an earlier run that held, if nothing that it depends on has changed since.
func (p *Proof) before(cfg *Config) (line Line, ok bool, err error) {
	var was kept
	text, err := os.ReadFile(p.file())
	if err != nil || json.Unmarshal(text, &was) != nil {
		return Line{}, false, nil //nolint:nilerr // there is none
	}
	if !committed(was.Commit) || !committed(cfg.Commit) {
		return Line{}, false, nil
	}
	if was.Commit != cfg.Commit {
		changed, err := cfg.Changed(was.Commit)
		if err != nil {
			return Line{}, false, fmt.Errorf("tell what has changed since %s: %w", was.Commit, err)
		}
		if slices.ContainsFunc(changed, func(file string) bool { return p.dependsOn(file, cfg.Proofs) }) {
			return Line{}, false, nil
		}
	}
	line = Line{Proof: p, Took: was.Took, Commit: was.Commit, Findings: was.Findings}
	return line, line.Held(), nil
}

func committed(commit string) bool { return commit != Unknown && !strings.HasSuffix(commit, "-dirty") }

// dependsOn tells whether a file can change what the proof finds: any but documents and what is another proof's alone.
func (p *Proof) dependsOn(file string, all []Proof) bool {
	switch {
	case filepath.Ext(file) == ".md", strings.HasPrefix(file, "internal/prove/"):
		return false
	case p.Folder == "":
		return true
	}
	return !slices.ContainsFunc(all, func(other Proof) bool {
		return other.Folder != "" && other.Folder != p.Folder && strings.HasPrefix(file, other.Folder+"/")
	})
}

func (p *Proof) run(ctx context.Context) Line {
	began := time.Now()
	said, err := p.output(ctx, filepath.Join(Dir, p.Name+".log"))
	line := Line{Proof: p, Took: time.Since(began).Round(time.Second)}
	findings, readErr := p.Read(said)
	line.Findings, line.Err = findings, errors.Join(err, readErr)
	return line
}

// output runs the proof, keeps what it prints in a file, and returns it.
func (p *Proof) output(ctx context.Context, path string) (string, error) {
	file, err := os.Create(path)
	if err != nil {
		return "", fmt.Errorf("keep what %s prints: %w", p.Name, err)
	}
	cmd := exec.CommandContext(ctx, "make", append([]string{"--no-print-directory"}, p.Make...)...)
	cmd.Stdout, cmd.Stderr = file, file
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a proof starts programs of its own: an interrupt is for all of them
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	const patience = 30 * time.Second
	cmd.WaitDelay = patience
	err = errors.Join(cmd.Run(), file.Close())
	if err != nil {
		err = fmt.Errorf("%w (see %s)", err, path)
	}
	said, readErr := os.ReadFile(path)
	return string(said), errors.Join(err, readErr)
}
