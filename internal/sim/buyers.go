package sim

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

const (
	tokenDeclined = "tok_declined"
	tokenSlow     = "tok_slow"
	tokenApproved = "tok_approved"
	tokenPoison   = "tok_poison" // payments refuses every batch with it
)

// buyer is one customer with one idempotency key.
type buyer struct {
	key      orders.IdempotencyKey
	print    orders.Fingerprint // of the body that was accepted, once one was
	wish     orders.Request
	order    orders.ID // once it was acknowledged
	asked    int       // requests made
	replica  int       // that was asked last
	canceled bool      // the cancellation was acknowledged
}

// request is a request that is not answered yet.
type request struct {
	buyer    *buyer
	print    orders.Fingerprint
	process  *process
	ticket   orders.Ticket
	durable  bool // was answered as accepted
	canceled bool // it asks for a cancellation
}

func fill(b []byte, n int) { binary.BigEndian.PutUint64(b, uint64(n)) }

// buy lets a new buyer place an order.
func (w *World) buy() {
	if len(w.buyers) == w.cfg.buyers {
		w.repeat()
		return
	}
	b := &buyer{wish: w.wish()}
	w.keys++
	fill(b.key[:], w.keys)
	w.buyers = append(w.buyers, b)
	w.place(b, orders.Fingerprint{1}, w.rng.IntN(replicas))
}

func (w *World) wish() orders.Request {
	r := orders.Request{Customer: orders.Customer{Name: "Ana", Email: "ana@example.com"}, Method: orders.Card, Token: tokenApproved}
	for range 1 + w.rng.IntN(3) {
		r.Items = append(r.Items, orders.Item{SKU: w.skuNames[w.rng.IntN(len(w.skuNames))], Quantity: 1 + w.rng.Int64N(3)})
	}
	switch {
	case w.rng.Float64() < w.cfg.pixShare:
		r.Method, r.Token = orders.Pix, ""
	case w.rng.Float64() < w.cfg.declined:
		r.Token = tokenDeclined
	case w.chance(w.cfg.slowProvider):
		r.Token = tokenSlow
	case w.chance(w.cfg.poison):
		r.Token = tokenPoison
	}
	if w.rng.IntN(5) == 0 { // a total that was right a moment ago
		total := w.total(r.Items)
		r.ExpectedTotal = &total
	}
	return r
}

func (w *World) total(items []orders.Item) (total money.Cents) {
	for _, item := range items {
		total += w.price(item.SKU) * money.Cents(item.Quantity)
	}
	return total
}

// repeat lets a buyer ask again, at any replica, and sometimes with another body.
func (w *World) repeat() {
	if len(w.buyers) == 0 {
		return
	}
	b := w.buyers[w.rng.IntN(len(w.buyers))]
	print, replica := orders.Fingerprint{1}, w.rng.IntN(replicas)
	w.coverage.events[keyRepeated]++
	if replica != b.replica {
		w.coverage.events[keyRepeatedElsewhere]++
	}
	if w.rng.IntN(6) == 0 {
		w.coverage.events[keyOtherBody]++
		print = orders.Fingerprint{2}
	}
	w.place(b, print, replica)
}

func (w *World) place(b *buyer, print orders.Fingerprint, replica int) {
	p := w.ordersProcesses[replica]
	b.asked++
	b.replica = replica
	w.note("buyer", "places", [16]byte(b.key[:16]), int64(print[0]))
	p.run(func() {
		ticket, err := p.orders.Submit(background, orders.PlaceRequest{Caller: "shop", Key: b.key, Fingerprint: print, Request: b.wish,
			WaitUntil: p.Now().Add(w.upTo(20 * time.Second))})
		switch {
		case err == nil:
			w.waiting = append(w.waiting, &request{buyer: b, print: print, process: p, ticket: ticket})
		case errors.Is(err, orders.ErrOverloaded):
			w.coverage.events[overloaded]++
		}
	})
}

// cancel lets a buyer cancel an order that was acknowledged.
func (w *World) cancel() {
	if len(w.buyers) == 0 {
		return
	}
	b := w.buyers[w.rng.IntN(len(w.buyers))]
	if b.order.IsZero() {
		return
	}
	p := w.ordersProcesses[w.rng.IntN(replicas)]
	w.coverage.events[cancelAsked]++
	w.note("buyer", "cancels", b.order, 0)
	p.run(func() {
		ticket, _, err := p.orders.SubmitCancel(background, b.order, "changed my mind")
		if errors.Is(err, orders.ErrNotFound) {
			w.violate("order %s was acknowledged and is not found", b.order)
		}
		if err == nil {
			w.waiting = append(w.waiting, &request{buyer: b, process: p, ticket: ticket, canceled: true})
		}
	})
}

// listen hears the answers that have come. An answer of a process that died came to nobody.
func (w *World) listen() {
	kept := w.waiting[:0]
	for _, r := range w.waiting {
		if !r.process.dead && !w.heard(r) {
			kept = append(kept, r)
		}
	}
	clear(w.waiting[len(kept):])
	w.waiting = kept
}

// heard tells whether the request has its last answer.
func (w *World) heard(r *request) bool {
	if !r.canceled && !r.durable && closed(r.ticket.Durable()) {
		r.durable = true
		w.answered(r)
	}
	if !closed(r.ticket.Done()) {
		return false
	}
	w.answered(r)
	return true
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (w *World) answered(r *request) {
	order, err := r.ticket.Result()
	if err != nil {
		if b := r.buyer; errors.Is(err, orders.ErrKeyReused) && !b.order.IsZero() && b.print == r.print {
			w.violate("order %s: the same key with the same body is called another", b.order)
		}
		return
	}
	w.note("buyer", "hears "+string(order.Status), order.ID, order.Version)
	w.promised(order)
	if r.canceled {
		// One that expired meanwhile may come back: Service.Cancel asks again then.
		r.buyer.canceled = r.buyer.canceled || order.Status == orders.Canceled && order.Reason != string(orders.ReasonExpired)
		return
	}
	switch b := r.buyer; {
	case b.order.IsZero():
		b.order, b.print = order.ID, r.print
	case b.order != order.ID:
		w.violate("one key has two orders: %s and %s", b.order, order.ID)
	case b.print != r.print:
		w.violate("order %s: another body under the same key is answered as if it were the first", b.order)
	}
}
