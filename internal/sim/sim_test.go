package sim_test

import (
	"flag"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/sim"
)

var (
	seeds = flag.Int("seeds", 150, "worlds that TestWorlds simulates")
	first = flag.Uint64("first", 1, "the first world's seed")
	limit = flag.Int64("failures", 10, "worlds after which TestWorlds has seen enough")
	seed  = flag.Uint64("seed", 0, "the world that TestReplay tells")
)

// enough worlds hit every named fault point.
const enough = 3000

// TestWorlds simulates many worlds and wants none in which a promise is broken.
func TestWorlds(t *testing.T) {
	began := time.Now()
	total, orders := run(t, *seeds)
	spent := time.Since(began)
	t.Logf("%d worlds, %d orders in %s (%.0f a second), %d faults", *seeds, orders, spent.Round(time.Millisecond),
		float64(orders)/spent.Seconds(), total.Injected())
	missing := total.Missing()
	t.Logf("%d of %d named fault points and events were hit", sim.Named()-len(missing), sim.Named())
	if len(missing) > 0 && *seeds >= enough {
		t.Errorf("never hit:\n%s", strings.Join(missing, "\n"))
	}
}

func run(t *testing.T, worlds int) (total sim.Coverage, orders int) {
	t.Helper()
	var next, failed atomic.Int64
	var mu sync.Mutex
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := next.Add(1); i <= int64(worlds) && failed.Load() < *limit; i = next.Add(1) {
				result := sim.Run(*first+uint64(i)-1, false)
				mu.Lock()
				total.Add(&result.Coverage)
				orders += result.Orders
				mu.Unlock()
				if result.Err != nil {
					failed.Add(1)
					t.Errorf("seed %d: %v\nreplay: go test ./internal/sim -run TestReplay -v -seed=%d", result.Seed, result.Err, result.Seed)
				}
			}
		})
	}
	group.Wait()
	return total, orders
}

// TestRegressions keeps worlds that have found something, each with what was broken in it. A change to the simulation gives
// a seed another story; the defects themselves are kept as mutants (docs/mutants.md), which find new seeds for them.
func TestRegressions(t *testing.T) {
	t.Parallel()
	for s, broken := range map[uint64]string{
		1:    "an order stood in a batch of the store twice",
		3:    "an order stood in a batch of the store twice",
		446:  "a paused process charged an order that was rejected meanwhile",
		788:  "a paused process charged an order that was rejected meanwhile",
		982:  "a charge that came late was captured after it had been voided as never heard of",
		1488: "a charge that came late was captured after it had been voided as never heard of",
	} {
		if result := sim.Run(s, false); result.Err != nil {
			t.Errorf("seed %d (%s): %v", s, broken, result.Err)
		}
	}
}

// TestReplay tells one world's story: go test ./internal/sim -run TestReplay -v -seed=N.
func TestReplay(t *testing.T) {
	told := *seed
	if told == 0 {
		told = 1
	}
	result := sim.Run(told, true)
	if *seed != 0 {
		t.Log(strings.Join(result.Trace, "\n"))
	}
	if result.Err != nil {
		t.Errorf("seed %d: %v", told, result.Err)
	}
}

// TestWorldsReplay wants the same story of a seed every time.
func TestWorldsReplay(t *testing.T) {
	t.Parallel()
	for s := uint64(1); s <= 30; s++ {
		a, b := sim.Run(s, false), sim.Run(s, true)
		if a.Hash != b.Hash {
			t.Errorf("seed %d has two stories", s)
		}
	}
}
