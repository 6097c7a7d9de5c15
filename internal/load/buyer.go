package load

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// buyer is a client with a connection of its own.
type buyer struct {
	run    *run
	number int
	conn   conn
	card   orderTemplate
	pix    orderTemplate
	picked []int
	known  []int // places in ledger of orders that may be read or canceled: the last few
	turn   int
	later  bool // it was told to come back later
	ledger []acknowledged
	// unknown are orders whose outcome is not known: they may be there.
	unknown []uint64
}

// acknowledged is an order that the platform said it has.
type acknowledged struct {
	id       [16]byte
	number   uint64 // of its arrival, which tells what it bought
	standing standing
}

// standing is what the platform last said of an order.
type standing uint8

const (
	accepted  standing = iota // decided later: any status will do
	confirmed                 // its units are held
	awaiting                  // its units are held until it is paid or expires
	canceled                  // its units are free again
	canceling                 // the outcome of its cancellation is unknown
)

func newBuyer(r *run, number int) *buyer {
	b := &buyer{run: r, number: number, conn: conn{target: &r.target}}
	b.card = newOrderTemplate(r.target, r.shop, fmt.Sprintf(`{"method":"card","token":%q}`, r.cfg.CardToken))
	b.pix = newOrderTemplate(r.target, r.shop, `{"method":"pix"}`)
	return b
}

// courtesy is what the platform asks of those whom it refuses.
const courtesy = time.Second

// shopUntil takes arrivals until there are no more, or ctx ends.
func (b *buyer) shopUntil(ctx context.Context) {
	if !until(ctx, b.run.pace.start(b.number)) {
		return
	}
	shares := b.run.cfg.Scenario.steps()
	for {
		if !b.comeBack(ctx) {
			return
		}
		a, ok := b.run.pace.take()
		if !ok {
			return
		}
		if !until(ctx, a.due) {
			b.run.pace.leave(a)
			return
		}
		chosen := int(mix(b.run.cfg.Seed+3*a.number+1) % 100)
		for _, s := range shares {
			if chosen -= s.percent; chosen < 0 {
				s.step(b, a)
				break
			}
		}
	}
}

// comeBack waits where the buyer was told to come back later, and does so. It tells whether ctx goes on.
func (b *buyer) comeBack(ctx context.Context) bool {
	wait := b.later && b.run.cfg.Courteous && b.run.cfg.Rate == 0
	b.later = false
	return !wait || until(ctx, time.Now().Add(courtesy))
}

// orderTemplate is a request to place an order. Each order is patched in: its key, its buyer and its SKUs have fixed places.
type orderTemplate struct {
	request    []byte
	key, email int // places of orderDigits digits
	skus       []int
}

const orderDigits = 12

func newOrderTemplate(t target, s shop, payment string) orderTemplate {
	digits := strings.Repeat("0", orderDigits)
	key := s.run + "-" + digits
	var items strings.Builder
	for i := range s.items {
		if i > 0 {
			items.WriteByte(',')
		}
		fmt.Fprintf(&items, `{"sku":"%s","quantity":1}`, s.sku(0))
	}
	body := fmt.Sprintf(`{"customer":{"name":"Ana Souza","email":"%s"},"items":[%s],"payment":%s}`, s.email(0), items.String(), payment)
	o := orderTemplate{request: t.request("POST", "/v1/orders", key, body)}
	o.key = bytes.Index(o.request, []byte("Idempotency-Key: ")) + len("Idempotency-Key: ") + len(s.run) + 1
	o.email = bytes.Index(o.request, []byte(digits+"@"))
	mark := []byte(`"sku":"` + s.prefix + "-")
	for at, from := 0, 0; ; from = at {
		found := bytes.Index(o.request[from:], mark)
		if found < 0 {
			return o
		}
		at = from + found + len(mark)
		o.skus = append(o.skus, at)
	}
}

func (o *orderTemplate) of(number uint64, skus []int) []byte {
	putDigits(o.request[o.key:o.key+orderDigits], number)
	putDigits(o.request[o.email:o.email+orderDigits], number)
	for i, at := range o.skus {
		putDigits(o.request[at:at+skuDigits], uint64(skus[i]))
	}
	return o.request
}

func (b *buyer) order(a arrival) { b.place(a, &b.card) }

// place sends an order and remembers what came of it. ok tells whether it was acknowledged.
func (b *buyer) place(a arrival, template *orderTemplate) (got answer, ok bool) {
	b.picked = b.run.shop.picks(a.number, b.picked)
	got, outcome := b.send(Place, a.due, template.of(a.number, b.picked))
	if outcome.Unknown() {
		b.unknown = append(b.unknown, a.number)
		return got, false
	}
	if got.status != 201 && got.status != 202 {
		return got, false
	}
	entry := acknowledged{number: a.number}
	if !parseID(&entry.id, member(got.body, "id")) {
		b.run.recorder.protocolError("an order was acknowledged without its id: %.200s", got.body)
		return got, false
	}
	switch {
	case got.status == 202:
		entry.standing = accepted
	case outcome == "awaiting_payment":
		entry.standing = awaiting
	default:
		entry.standing = confirmed
	}
	b.ledger = append(b.ledger, entry)
	b.remember(len(b.ledger) - 1)
	return got, true
}

// remember keeps the last few orders at hand.
func (b *buyer) remember(place int) {
	const few = 32
	if len(b.known) < few {
		b.known = append(b.known, place)
		return
	}
	b.known[b.turn%few] = place
	b.turn++
}

// recall picks one of the last orders, and places one where there is none yet.
func (b *buyer) recall(a arrival) (place int, ok bool) {
	if len(b.known) == 0 {
		b.order(a)
		return 0, false
	}
	return int(mix(a.number^b.run.cfg.Seed) % uint64(len(b.known))), true
}

func (b *buyer) read(a arrival) {
	if at, ok := b.recall(a); ok {
		b.send(Read, a.due, b.run.target.request("GET", "/v1/orders/"+uuidText(b.ledger[b.known[at]].id), "", ""))
	}
}

func (b *buyer) list(a arrival) {
	b.send(List, a.due, b.run.target.request("GET", "/v1/orders?limit=20", "", ""))
}

func (b *buyer) cancel(a arrival) {
	at, ok := b.recall(a)
	if !ok {
		return
	}
	entry := &b.ledger[b.known[at]]
	b.known[at] = b.known[len(b.known)-1]
	b.known = b.known[:len(b.known)-1]
	path := "/v1/orders/" + uuidText(entry.id) + "/cancel"
	got, outcome := b.send(Cancel, a.due, b.run.target.request("POST", path, "", `{"reason":"changed their mind"}`))
	switch {
	case got.status == 200 || got.status == 202:
		entry.standing = canceled
	case outcome.Unknown() || got.status >= 500:
		entry.standing = canceling
	}
}

// orderByPix places, pays as the sandbox's payer, and looks until the order is confirmed.
func (b *buyer) orderByPix(a arrival) {
	got, ok := b.place(a, &b.pix)
	if !ok || got.status != 201 {
		return
	}
	entry := &b.ledger[len(b.ledger)-1]
	txid := string(member(got.body, "txid"))
	paid, outcome := b.send(Pay, time.Time{}, b.run.target.request("POST", "/v1/sandbox/pix/"+txid+"/pay", "", `{}`))
	if outcome.Unknown() || paid.status != 200 {
		return
	}
	look := b.run.target.request("GET", "/v1/orders/"+uuidText(entry.id), "", "")
	if b.await(look, time.Now()) {
		entry.standing = confirmed
	}
}

// await polls until the order is confirmed and records how long that took after the payment.
func (b *buyer) await(look []byte, since time.Time) bool {
	const pause = 25 * time.Millisecond
	for time.Since(since) < b.run.target.timeout {
		got, err := b.conn.do(look)
		if err == nil && got.status == 200 && string(member(got.body, "status")) == "confirmed" {
			b.run.recorder.record(Wait, "confirmed", time.Since(since))
			return true
		}
		until(context.Background(), time.Now().Add(pause)) // not the run's context: what was paid is looked after to its end
	}
	b.run.recorder.record(Wait, Timeout, time.Since(since))
	return false
}

// send is one request, recorded. An arrival's latency counts from when it was due.
func (b *buyer) send(kind Kind, due time.Time, request []byte) (answer, Outcome) {
	if due.IsZero() {
		due = time.Now()
	}
	got, err := b.conn.do(request)
	outcome := classify(got, err)
	b.run.recorder.record(kind, outcome, time.Since(due))
	if got.status == 429 || got.status == 503 {
		b.run.recorder.refused(got.retryAfter)
		b.later = got.retryAfter
	}
	return got, outcome
}

// member is the value of the first member of that name in a JSON text, when it is a string without escapes. The contract
// puts an order's own id and status before everything that contains others.
func member(body []byte, name string) []byte {
	for rest := body; ; {
		at := bytes.Index(rest, []byte(name))
		if at < 0 {
			return nil
		}
		end := at + len(name)
		if at > 0 && rest[at-1] == '"' && bytes.HasPrefix(rest[end:], []byte(`":"`)) {
			value := rest[end+3:]
			return value[:max(0, bytes.IndexByte(value, '"'))]
		}
		rest = rest[end:]
	}
}

func parseID(id *[16]byte, text []byte) bool {
	if len(text) != 36 {
		return false
	}
	var digits [32]byte
	n := 0
	for _, letter := range text {
		if letter == '-' {
			continue
		}
		if n == len(digits) {
			return false
		}
		digits[n] = letter
		n++
	}
	_, err := hex.Decode(id[:], digits[:])
	return n == len(digits) && err == nil
}

func uuidText(id [16]byte) string {
	text := hex.EncodeToString(id[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}
