package sim

import (
	"encoding/hex"
	"fmt"
	"time"
)

// trace is what happened, as a hash and, when asked for, as text.
type trace struct {
	hash  uint64
	tell  bool
	lines []string
}

// The parameters of FNV-1a with 64 bits.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func newTrace(tell bool) trace { return trace{hash: fnvOffset, tell: tell} }

func (t *trace) add(b byte) { t.hash = (t.hash ^ uint64(b)) * fnvPrime }

// note adds one thing that happened.
func (w *World) note(who, what string, whom [16]byte, n int64) {
	t := &w.trace
	for _, s := range []string{who, what} {
		for i := range len(s) {
			t.add(s[i])
		}
	}
	for _, b := range whom {
		t.add(b)
	}
	now := w.clock.Now().UnixMicro()
	for i := range 8 {
		t.add(byte(n >> (8 * i)))
		t.add(byte(now >> (8 * i)))
	}
	if t.tell {
		t.lines = append(t.lines, w.line(who, what, whom, n))
	}
}

func (w *World) line(who, what string, whom [16]byte, n int64) string {
	line := fmt.Sprintf("%14s %*s%-24s %s", w.clock.Now().Sub(dawn).Truncate(time.Microsecond), 2*w.depth, "", who, what)
	if whom != [16]byte{} {
		line += " " + hex.EncodeToString(whom[10:])
	}
	if n != 0 {
		line += fmt.Sprint(" ", n)
	}
	return line
}
