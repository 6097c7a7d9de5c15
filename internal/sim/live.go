package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
)

var background = context.Background()

// open fills the shop before anything goes wrong.
func (w *World) open() {
	w.calm = true
	for i := range w.cfg.skus {
		sku := fmt.Sprintf("SKU-%d", i)
		w.skuNames = append(w.skuNames, sku)
		w.putItem(i)
		w.adjust(i, w.cfg.stock)
	}
	for slot := range replicas {
		w.bootOrders(slot)
		w.bootPayments(slot)
	}
	w.calm = false
}

// live lets everything happen in random order until all buyers have come.
func (w *World) live() {
	for steps := 40 * w.cfg.buyers; steps > 0; steps-- {
		w.act()
		if steps%50 == 0 {
			w.check()
		}
	}
}

// act lets one thing happen.
func (w *World) act() {
	switch n := w.rng.IntN(100); {
	case n < 50:
		w.work(w.rng.IntN(replicas))
	case n < 62:
		w.advance(w.upTo(w.cfg.pace * 300 * time.Millisecond))
	case n < 70:
		w.buy()
	case n < 76:
		w.recover(w.rng.IntN(replicas))
	case n < 82:
		w.follow(w.rng.IntN(replicas))
	case n < 88:
		w.reconcile(w.rng.IntN(replicas))
	case n < 91 && w.chance(w.cfg.repeat):
		w.repeat()
	case n < 94 && w.chance(w.cfg.cancel):
		w.cancel()
	case n < 95 && w.chance(w.cfg.priceChange):
		w.coverage.events[priceChanged]++
		w.putItem(w.rng.IntN(w.cfg.skus))
	case n < 96 && w.chance(w.cfg.adjust):
		w.restock()
	default:
		w.rare()
	}
	w.listen()
}

func (w *World) rare() {
	switch {
	case w.chance(20 * w.cfg.jump):
		w.coverage.events[clockJump]++
		w.advance(w.upTo(20 * time.Minute))
	case w.chance(20 * w.cfg.partition):
		w.partition()
	case w.chance(20 * w.cfg.stop):
		w.stop(w.rng.IntN(replicas))
	default:
		w.advance(w.upTo(w.cfg.pace * 5 * time.Second))
	}
}

// work lets one stage of an orders process work.
func (w *World) work(slot int) {
	p := w.ordersProcesses[slot]
	p.run(func() { p.orders.StepStage(background, w.rng.IntN(p.orders.Stages())) })
}

// The loops' errors are the mishaps': a loop logs them and comes again.

func (w *World) recover(slot int) {
	p := w.ordersProcesses[slot]
	p.run(func() { _, _ = p.orders.Recover(background) })
}

func (w *World) follow(slot int) {
	p := w.ordersProcesses[slot]
	p.run(func() { _, _ = p.orders.FollowPayments(background) })
}

func (w *World) reconcile(slot int) {
	p := w.paymentsProcesses[slot]
	p.batch(true, func() { _, _ = p.payments.Reconcile(background) })
}

func (w *World) putItem(i int) {
	price := money.Cents(100 + w.rng.Int64N(9900))
	_, err := w.inventory.PutItem(background, inventory.Item{SKU: inventory.SKU(w.skuNames[i]), Name: "Thing", Price: price})
	w.note("merchant", "sets a price", [16]byte{}, int64(price))
	if err != nil && w.calm {
		w.violate("put item: %v", err)
	}
}

func (w *World) restock() {
	delta := 1 + w.rng.Int64N(20)
	if w.rng.IntN(3) == 0 {
		w.coverage.events[stockTaken]++
		delta = -delta
	} else {
		w.coverage.events[stockAdded]++
	}
	w.adjust(w.rng.IntN(w.cfg.skus), delta)
}

// adjust changes stock, and asks again with the same key until it is answered.
func (w *World) adjust(i int, delta int64) {
	sku := inventory.SKU(w.skuNames[i])
	w.keys++
	request := inventory.NewAdjustment{Adjustment: inventory.Adjustment{SKU: sku, Delta: delta, Reason: "count"}}
	fill(request.Key[:], w.keys)
	w.adjusting++
	var try func()
	try = func() {
		_, err := w.inventory.Adjust(background, request)
		switch {
		case err == nil:
			w.adjusted[sku] += delta
		case errors.Is(err, inventory.ErrHeldUnits): // nothing was changed
		default:
			w.later(w.upTo(time.Minute), try)
			return
		}
		w.adjusting--
	}
	try()
}

// rest ends all faults and gives the world more than a day to come to rest.
func (w *World) rest() {
	w.calm = true
	w.cutThere, w.cutBack = [callCount]bool{}, [callCount]bool{}
	w.note("world", "rests", [16]byte{}, 0)
	const day = 30 * time.Hour
	tick := 50 * time.Millisecond
	for passed := time.Duration(0); passed < day; passed += tick {
		tick = min(30*time.Minute, tick+tick/3)
		w.settle()
		w.advance(tick)
		w.listen()
	}
	w.settle()
	w.listen()
}

// settle lets every loop turn and every stage work until nothing moves.
func (w *World) settle() {
	for slot := range replicas {
		w.recover(slot)
		w.reconcile(slot)
	}
	w.follow(0)
	for _, p := range w.ordersProcesses {
		p.run(func() {
			for p.orders.Step(background) {
			}
		})
	}
}
