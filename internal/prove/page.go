//go:build linux

package prove

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Circumstances are what a verdict holds for.
type Circumstances struct {
	At      time.Time
	Commit  string
	Machine string
}

// Write writes the verdict, one page of Markdown.
func Write(w io.Writer, lines []Line, c Circumstances) error {
	var page strings.Builder
	fmt.Fprintf(&page, "# Verdict: %s\n\n", verdict(lines))
	fmt.Fprintf(&page, "Written by `make prove` on %s, of commit %s, on %s. What each number means: [reliability.md](reliability.md).\n\n",
		c.At.UTC().Format(time.DateOnly), c.Commit, c.Machine)
	page.WriteString("| Proof | Promise | Tried | Found wrong | Broken on purpose, and noticed | At | Took |\n| --- | --- | --- | --- | --- | --- | --: |\n")
	for i := range lines {
		l := &lines[i]
		fmt.Fprintf(&page, "| %s (`make %s`) | %s | %s | %s | %s | %s | %s |\n", l.Proof.Name, l.Proof.Make[0], l.Proof.Promise,
			counts(l.Tried), counts(l.Wrong), counts(l.Controls), l.Commit, l.Took)
	}
	for i := range lines {
		if l := &lines[i]; !l.Held() {
			fmt.Fprintf(&page, "\n%s: %s. %v\n", l.Proof.Name, l.word(), l.Err)
		}
	}
	_, err := io.WriteString(w, page.String())
	return err
}

// Held tells whether every line did.
func Held(lines []Line) bool {
	for i := range lines {
		if !lines[i].Held() {
			return false
		}
	}
	return true
}

func verdict(lines []Line) string {
	if Held(lines) {
		return "every promise held"
	}
	return "A PROMISE WAS BROKEN"
}

func (l *Line) word() string {
	if l.Held() {
		return "held"
	}
	return "FAILED"
}

func counts(counts []Count) string {
	if len(counts) == 0 {
		return "–"
	}
	words := make([]string, len(counts))
	for i, c := range counts {
		words[i] = grouped(c.N) + " " + c.Name
	}
	return strings.Join(words, ", ")
}

// grouped writes 1234567 as 1,234,567.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
