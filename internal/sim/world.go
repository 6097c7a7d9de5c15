// Package sim runs the real orders, payments and inventory services against a world that goes wrong: a network that loses,
// repeats and delays, databases that fail on commit, processes that die, a bank whose answers come late or never, clocks
// that jump, and customers who repeat and cancel. One seed is one world. Everything happens in one goroutine, on a virtual
// clock, by one source of randomness, so that a seed tells the same story every time.
//
// Concurrency is a stack: during each call something else may happen, in the same processes too (World.meanwhile).
package sim

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	inventoryapi "github.com/pedidos-veloz/pedidos-veloz/internal/inventory/httpapi"
	inventorymemory "github.com/pedidos-veloz/pedidos-veloz/internal/inventory/memory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	ordersmemory "github.com/pedidos-veloz/pedidos-veloz/internal/orders/memory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	paymentsmemory "github.com/pedidos-veloz/pedidos-veloz/internal/payments/memory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

const (
	lease    = 10 * time.Second
	replicas = 2
)

var dawn = time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)

// World is one simulated world.
type World struct {
	cfg      config
	rng      *rand.Rand
	ids      *rand.ChaCha8
	clock    *clock.Manual
	coverage Coverage
	trace    trace

	ordersStore      *ordersmemory.Store
	paymentsStore    *paymentsmemory.Store
	inventoryStore   *inventorymemory.Store
	inventory        *inventory.Service
	inventoryHandler *inventoryapi.Handler
	bank             *bank

	ordersProcesses   [replicas]*process
	paymentsProcesses [replicas]*process
	booted            int
	cutThere, cutBack [callCount]bool

	buyers    []*buyer
	waiting   []*request
	model     map[orders.ID]*life
	adjusted  map[inventory.SKU]int64 // units that adjustments have added, once they were answered
	adjusting int                     // adjustments that are not answered yet
	keys      int

	calm     bool // no faults any more
	timers   bool // the clock is calling timers, and must not be moved by them
	depth    int  // of meanwhile
	skuNames []string
}

// violation is a promise that was broken.
type violation struct{ text string }

// Error implements error.
func (v *violation) Error() string { return v.text }

// violate ends the world.
func (w *World) violate(format string, args ...any) {
	panic(&violation{fmt.Sprintf(format, args...)})
}

// Result is what became of one world.
type Result struct {
	Seed     uint64
	Orders   int    // that were stored
	Hash     uint64 // of all that happened
	Coverage Coverage
	Trace    []string // when asked for
	Err      error    // what was violated
}

// Run lets the seed's world happen.
func Run(seed uint64, tell bool) (result Result) {
	w := newWorld(seed, tell)
	defer func() {
		if r := recover(); r != nil {
			if v, ok := r.(*violation); ok {
				result.Err = v
			} else {
				result.Err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
			}
		}
		result.Seed, result.Orders, result.Coverage = seed, len(w.model), w.coverage
		result.Hash, result.Trace = w.trace.hash, w.trace.lines
	}()
	w.open()
	w.live()
	w.rest()
	w.judge()
	return result
}

func newWorld(seed uint64, tell bool) *World {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	r := rand.New(rand.NewPCG(seed, 0x76656c6f7a))
	w := &World{cfg: newConfig(r), rng: r, ids: rand.NewChaCha8(key), clock: clock.NewManual(dawn), trace: newTrace(tell),
		ordersStore: ordersmemory.New(), paymentsStore: paymentsmemory.New(), inventoryStore: inventorymemory.New(),
		model: make(map[orders.ID]*life), adjusted: make(map[inventory.SKU]int64)}
	w.inventory = inventory.New(inventoryStore{w.inventoryStore, w}, w.clock, id.NewSource(w.clock, w.ids))
	w.inventoryHandler = inventoryapi.NewHandler(w.inventory, slog.New(slog.DiscardHandler))
	w.bank = &bank{world: w, accounts: make(map[payments.ID]*account)}
	return w
}

// chance is true with probability p, and never in calm.
func (w *World) chance(p float64) bool { return p > 0 && !w.calm && w.rng.Float64() < p }

// strikes tells whether a mishap befalls a call, and counts it.
func (w *World) strikes(m mishap, c call) bool {
	if !w.chance(w.cfg.mishaps[m]) {
		return false
	}
	w.coverage.mishaps[m][c]++
	w.note(callNames[c], mishapNames[m], [16]byte{}, 0)
	return true
}

// upTo is a random duration below d.
func (w *World) upTo(d time.Duration) time.Duration {
	return time.Duration(w.rng.Int64N(int64(max(d, 1))))
}

// later does something when d has passed.
func (w *World) later(d time.Duration, do func()) { w.clock.AfterFunc(d, do) }

// advance moves the clock on, unless it is moving.
func (w *World) advance(d time.Duration) {
	if w.timers {
		return
	}
	w.timers = true
	defer func() { w.timers = false }()
	w.clock.Advance(d)
}

// meanwhile lets other things happen while a call is under way.
func (w *World) meanwhile() {
	const deepest = 3
	if w.depth >= deepest || !w.chance(w.cfg.meanwhile) {
		return
	}
	w.depth++
	defer func() { w.depth-- }()
	for range 1 + w.rng.IntN(4) {
		w.act()
	}
}
