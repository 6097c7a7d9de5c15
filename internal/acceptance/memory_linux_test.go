package acceptance_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
)

// memoryLimit is what the programs together may grow by under the attack below, which offers them more than a gigabyte. Each
// of the four collects its garbage when that is twice what it uses, and how much that is at a time is chance.
const memoryLimit = memoryFactor * 256 << 20

var memoryPromises = []promise{{"memory is bounded, whatever is sent", boundedMemory}}

func TestHostileMemory(t *testing.T) { in(t, shapes[1:2], hostileLimits, memoryPromises) }

// boundedMemory sends bodies without end, bombs, heads that are held, and the largest documents that are read, all at once,
// and looks at the most that each process has ever had.
func boundedMemory(a *api) {
	sku := a.stocked(100, 1000)
	before := a.peakMemory()
	var attackers sync.WaitGroup
	for i := range 64 {
		attackers.Go(func() {
			for _, op := range publicOperations(a) {
				if op.body != nil {
					a.attackMemory(op, i)
				}
			}
		})
	}
	held := a.drips(500, a.onWire(getItem+"X-Held: "+strings.Repeat("x", 12<<10), sku))
	attackers.Wait()
	for _, d := range held {
		_ = d.conn.Close()
		<-d.end
	}
	grown := a.peakMemory() - before
	a.Logf("the programs grew by %d MB", grown>>20)
	if grown > memoryLimit {
		a.Errorf("the programs grew by %d MB", grown>>20)
	}
	a.wantNothingOrdered(sku, 1000)
}

// attackMemory sends one of several bodies, each of which costs its sender little. What the server does not read to its
// end it may close, so a broken connection is as good as a refusal.
func (a *api) attackMemory(op operation, i int) {
	r := op.request(a)
	switch i % 4 {
	case 0: // without end, in chunks
		r.body = io.LimitReader(zeros{}, 8<<20)
	case 1:
		r.body, r.headers = bomb(a), append(r.headers, "Content-Encoding", "gzip")
	case 2:
		r.body = "[" + strings.Repeat("{},", 80_000) + "0]"
	default:
		r.body = bytes.Repeat([]byte("["), 8<<20)
	}
	answer, err := a.try(a.Context(), a.system.client, r)
	if err == nil && (answer.status < 400 || answer.status >= 500) {
		a.Errorf("%s: %d %s", op.id, answer.status, answer.body)
	}
}

// peakMemory is the sum of the most resident memory that the programs have ever had, in bytes.
func (a *api) peakMemory() (sum int64) {
	a.Helper()
	for _, p := range a.system.programs {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid()))
		if err != nil {
			a.Fatal(err)
		}
		_, after, _ := strings.Cut(string(status), "VmHWM:")
		var kilobytes int64
		if _, err := fmt.Sscan(after, &kilobytes); err != nil {
			a.Fatal(err)
		}
		sum += kilobytes << 10
	}
	return sum
}
