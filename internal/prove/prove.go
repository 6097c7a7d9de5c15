//go:build linux

// Package prove runs every proof in its full form, one after another, and writes their verdict on one page.
package prove

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Proof is one machine that tries to break a promise.
type Proof struct {
	Name    string
	Promise string   // what it tries to break
	Make    []string // the make target and its variables
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
	Took time.Duration
	Err  error // it failed, or did not say what it had to
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

// Run runs the proofs whose names contain only, from the module's root, and keeps what each prints in Dir. A proof that
// fails does not stop the others; the end of ctx does.
func Run(ctx context.Context, proofs []Proof, only string, progress io.Writer) ([]Line, error) {
	if err := os.MkdirAll(Dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a folder for what the proofs print: %w", err)
	}
	var lines []Line
	for i := range proofs {
		p := &proofs[i]
		if !strings.Contains(p.Name, only) {
			continue
		}
		fmt.Fprintf(progress, "%s  %-14s make %s\n", time.Now().Format(time.TimeOnly), p.Name, strings.Join(p.Make, " "))
		line := p.run(ctx)
		if ctx.Err() != nil {
			return lines, fmt.Errorf("ended before %s was over: %w", p.Name, ctx.Err())
		}
		fmt.Fprintf(progress, "%s  %-14s %s after %s\n", time.Now().Format(time.TimeOnly), p.Name, line.word(), line.Took)
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("no proof has %q in its name", only)
	}
	return lines, nil
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
