package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/peers"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	paymentsapi "github.com/pedidos-veloz/pedidos-veloz/internal/payments/httpapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// The errors that the world makes. A peer that answers 500 has refused for a reason that stays.
var (
	errLost   = fault.Transient(errors.New("connection lost"))
	errBusy   = fault.Transient(errors.New("deadlock, or no connection free"))
	errCommit = fault.Transient(errors.New("connection lost during commit"))
	errAnswer = errors.New("500 Internal Server Error")
	errBroken = errors.New("no space left on device")
)

// process is one process of a service. A crash is a panic with the process: it unwinds to run, so that nothing more
// happens in the process, and whatever it has not stored is gone.
type process struct {
	world *World
	name  string
	dead  bool
	skew  time.Duration

	orders   *orders.Service   // of an orders process
	payments *payments.Service // of a payments process
	handler  *paymentsapi.Handler
	atOnce   bool // there is no batch: calls to the provider begin now
}

// run does something in the process; false when the process died of it, or was dead.
func (p *process) run(do func()) (alive bool) {
	if p.dead {
		return false
	}
	defer func() {
		if r := recover(); r != nil {
			if r != any(p) {
				panic(r)
			}
			alive = false
		}
	}()
	do()
	return !p.dead
}

// check ends the process's doings when it has died while they waited.
func (p *process) check() {
	if p.dead {
		panic(p)
	}
}

// die crashes the process and has another one started in its place.
func (p *process) die() {
	w := p.world
	p.dead = true
	w.note(p.name, "crashes", [16]byte{}, 0)
	if p.orders != nil {
		w.coverage.events[ordersCrash]++
	} else {
		w.coverage.events[paymentsCrash]++
	}
	w.later(w.upTo(time.Minute), func() { w.replace(p) })
	panic(p)
}

// guard lets the process die before and after a call.
func (p *process) guard(c call, do func() error) error {
	w := p.world
	p.check()
	if w.strikes(crashBefore, c) {
		p.die()
	}
	err := do()
	p.check()
	if w.strikes(crashAfter, c) {
		p.die()
	}
	return err
}

// Now implements clock.Clock: the process's own idea of the time.
func (p *process) Now() time.Time { return p.world.clock.Now().Add(p.skew) }

// AfterFunc implements clock.Clock. The payments service waits with it for calls to the provider, and for a store that
// failed: calls that were begun at once are over by then, and for whatever else nobody can wait here, so it ends at once.
func (p *process) AfterFunc(d time.Duration, f func()) {
	if p.payments == nil {
		p.world.clock.AfterFunc(d, func() { p.run(f) })
		return
	}
	f()
}

// spawn is payments.Config.Spawn.
func (p *process) spawn(f func()) {
	w := p.world
	if p.atOnce || !w.chance(w.cfg.slowProvider) {
		f()
		return
	}
	w.coverage.events[providerSlow]++
	pause := 40 * time.Second // most are over within a charge's lease
	if w.rng.IntN(4) == 0 {
		pause = 10 * time.Minute
	}
	w.later(w.upTo(pause), func() { p.batch(true, f) })
}

// batch runs one request of a payments process.
func (p *process) batch(atOnce bool, do func()) bool {
	before := p.atOnce
	p.atOnce = atOnce
	defer func() { p.atOnce = before }()
	return p.run(do)
}

func (w *World) newProcess(name string) *process {
	w.booted++
	skew := time.Duration(0)
	if w.cfg.skew > 0 {
		skew = (w.upTo(w.cfg.skew) - w.cfg.skew/2).Truncate(time.Microsecond)
	}
	return &process{world: w, name: fmt.Sprintf("%s-%d", name, w.booted), skew: skew}
}

func (w *World) bootOrders(slot int) {
	p := w.newProcess("orders")
	service, err := orders.New(orders.Config{MaxInFlight: w.cfg.maxInFlight, Queue: 20, MaxBatch: w.cfg.maxBatch, ChargeWorkers: 1, Lease: lease,
		Jitter: func(d time.Duration) time.Duration { return w.upTo(d) }},
		ordersStore{w.ordersStore, p}, inventoryLink{p, peers.NewInventory(w.inventoryHandler)}, paymentsLink{p, peers.NewPayments(paymentsPeer{w})},
		p, id.NewSource(p, w.ids), slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	p.orders = service
	w.ordersProcesses[slot] = p
	w.note(p.name, "boots", [16]byte{}, 0)
}

func (w *World) bootPayments(slot int) {
	p := w.newProcess("payments")
	log := slog.New(slog.DiscardHandler)
	service, err := payments.New(payments.Config{Patience: 2 * time.Second, ProviderTimeout: providerTimeout, MaxCalls: 1000, Spawn: p.spawn},
		paymentsStore{w.paymentsStore, p}, providerLink{w.bank, p}, p, log)
	if err != nil {
		panic(err)
	}
	p.payments = service
	if p.handler, err = paymentsapi.NewHandler(service, paymentsapi.Config{Log: log}); err != nil {
		panic(err)
	}
	w.paymentsProcesses[slot] = p
	w.note(p.name, "boots", [16]byte{}, 0)
}

// replace starts another process in the place of one that died.
func (w *World) replace(died *process) {
	for slot, p := range w.ordersProcesses {
		if p == died {
			w.bootOrders(slot)
		}
	}
	for slot, p := range w.paymentsProcesses {
		if p == died {
			w.bootPayments(slot)
		}
	}
}

// inPayments runs a request in one of the payments processes.
func (w *World) inPayments(do func(p *process) error) error {
	p := w.paymentsProcesses[w.rng.IntN(len(w.paymentsProcesses))]
	err := errLost
	if !p.batch(false, func() { err = do(p) }) {
		return errLost
	}
	return err
}

// stop shuts an orders process down as an orchestrator does: it drains, and what is not done is left to others.
func (w *World) stop(slot int) {
	p := w.ordersProcesses[slot]
	if p.dead {
		return
	}
	w.coverage.events[ordersStopped]++
	w.note(p.name, "stops", [16]byte{}, 0)
	p.run(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = p.orders.Drain(ended) // its error says how many orders are left to others
		for p.orders.Step(context.Background()) {
		}
	})
	p.dead = true
	w.later(w.upTo(10*time.Second), func() { w.replace(p) })
}
