package load

import (
	"fmt"
	"io"
	"os"
	"time"
)

// Progress draws how a run stands: over one line again and again on a terminal, a line every few seconds elsewhere.
func Progress(w io.Writer) func(Snapshot) {
	terminal := isTerminal(w)
	next := time.Duration(0)
	return func(s Snapshot) {
		told := outcomeText(s.Total)
		if s.WarmingUp {
			told = "warming up"
		}
		line := fmt.Sprintf("%4.0f s  %7d/s  p50 %s  p99 %s  %s", s.Elapsed.Seconds(), s.Last.Requests,
			milliseconds(s.Last.P50US), milliseconds(s.Last.P99US), told)
		if terminal {
			fmt.Fprintf(w, "\r\x1b[K%s", line)
			return
		}
		const every = 5 * time.Second
		if s.Elapsed >= next {
			fmt.Fprintln(w, line)
			next = s.Elapsed + every - time.Second/2
		}
	}
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
