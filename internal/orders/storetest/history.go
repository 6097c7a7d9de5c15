package storetest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

// History runs random histories on all stores at once, and on the model, and wants equal answers from all of them at every
// step. The stores must be empty. All histories of a run follow each other on the same stores: an order of one is a
// neighbour in the next.
func History(t *testing.T, stores ...orders.Store) {
	f := newFixture(t, newModel())
	h := &history{fixture: f, stores: append([]orders.Store{f.store}, stores...)}
	rapid.Check(t, func(t *rapid.T) {
		t.Repeat(map[string]func(*rapid.T){
			"place": h.place, "repeat": h.repeat, "save": h.save, "claim": h.claim, "list": h.list, "read": h.read, "open": h.open,
		})
	})
}

type history struct {
	*fixture
	stores []orders.Store
	placed []orders.Placement // of all histories
	seen   []orders.Order     // as some read or write left them, stale ones too
}

// all asks every store the same and returns the model's answer.
func (h *history) all(t *rapid.T, what string, ask func(orders.Store) (any, error)) any {
	t.Helper()
	want, wantErr := ask(h.stores[0])
	for i, s := range h.stores[1:] {
		got, err := ask(s)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%s: store %d (%T) answers error %v, the model %v", what, i, s, err, wantErr)
		}
		if g, w := printed(got), printed(want); err == nil && g != w {
			t.Fatalf("%s: store %d (%T) answers\n%s\nthe model\n%s", what, i, s, g, w)
		}
	}
	return want
}

// printed shows an answer, with orders in their stored form.
func printed(answer any) string {
	switch a := answer.(type) {
	case []orders.Order:
		lines := make([]string, len(a))
		for i, o := range a {
			lines[i] = stored(o)
		}
		return strings.Join(lines, "\n")
	case []orders.Placing:
		lines := make([]string, len(a))
		for i, p := range a {
			lines[i] = fmt.Sprintf("existing=%v %x", p.Existing, p.Fingerprint)
			if p.Existing {
				lines[i] += " " + stored(p.Order)
			}
		}
		return strings.Join(lines, "\n")
	}
	return fmt.Sprintf("%+v", answer)
}

func draw[V any](t *rapid.T, name string, from ...V) V { return rapid.SampledFrom(from).Draw(t, name) }

func (h *history) place(t *rapid.T) {
	placements := make([]orders.Placement, rapid.IntRange(0, 6).Draw(t, "placements"))
	for i := range placements {
		skus := rapid.SliceOfN(rapid.SampledFrom([]string{"A", "B", "C", "ç"}), 1, 4).Draw(t, "skus")
		r := request(skus...)
		r.Customer.Email = draw(t, "email", "a@x.com", "A@X.com", "ÉB@x.com")
		r.Customer.Name = rapid.String().Draw(t, "name")
		placements[i] = h.placement(r)
		if len(h.placed) > 0 && rapid.IntRange(0, 3).Draw(t, "old key") == 0 {
			placements[i].Key = draw(t, "key", h.placed...).Key
		} else if i > 0 && rapid.IntRange(0, 3).Draw(t, "neighbour's key") == 0 {
			placements[i].Key = placements[i-1].Key
		}
		h.due(t, &placements[i].Order)
		if rapid.IntRange(0, 50).Draw(t, "spoil") == 0 {
			placements[i].Order.Lease = -1
		}
	}
	h.placeAll(t, placements)
}

// repeat places again what was placed before, as after an unknown commit.
func (h *history) repeat(t *rapid.T) {
	if len(h.placed) == 0 {
		t.Skip("nothing was placed")
	}
	h.placeAll(t, []orders.Placement{draw(t, "first", h.placed...), draw(t, "second", h.placed...)})
}

func (h *history) placeAll(t *rapid.T, placements []orders.Placement) {
	answer := h.all(t, "place", func(s orders.Store) (any, error) { return s.Place(h.Context(), placements) })
	for i, p := range answer.([]orders.Placing) {
		if !p.Existing {
			h.placed = append(h.placed, placements[i])
			h.seen = append(h.seen, unsaved(placements[i].Order))
		}
	}
}

// unsaved forgets an order's events, which only a store can do: its stored form has none.
func unsaved(o orders.Order) orders.Order {
	row, err := o.Row()
	if err != nil {
		panic(err)
	}
	if o, err = row.Order(); err != nil {
		panic(err)
	}
	return o
}

func (h *history) due(t *rapid.T, o *orders.Order) {
	o.NextAttemptAt = time.Time{}
	if minutes := rapid.IntRange(0, 10).Draw(t, "due"); minutes > 0 {
		o.NextAttemptAt = start.Add(time.Duration(minutes) * time.Minute)
	}
}

func (h *history) save(t *rapid.T) {
	if len(h.seen) == 0 {
		t.Skip("nothing was placed")
	}
	picked := rapid.SliceOfNDistinct(rapid.IntRange(0, len(h.seen)-1), 1, 5, func(i int) orders.ID { return h.seen[i].ID }).Draw(t, "orders")
	changes := make([]orders.Change, len(picked))
	for i, at := range picked {
		changes[i] = change(h.seen[at], func(o *orders.Order) { h.move(t, o) })
	}
	answer := h.all(t, "save", func(s orders.Store) (any, error) { return s.Save(h.Context(), changes) })
	for i, ok := range answer.([]bool) {
		if ok {
			h.seen[picked[i]] = unsaved(changes[i].Order)
		}
	}
}

// move takes one legal step, or only asks for another attempt.
func (h *history) move(t *rapid.T, o *orders.Order) {
	h.due(t, o)
	now := h.clock.Now()
	switch draw(t, "move", "hold", "reject", "charge", "cancel", "release", "close", "spoil") {
	case "hold":
		if o.Status == orders.Placed {
			h.held(o)
		}
	case "reject":
		if o.Status == orders.Placed {
			h.rejected(o)
		}
	case "charge":
		if o.Status == orders.Held || o.Status == orders.AwaitingPayment {
			h.charged(draw(t, "charge", orders.ChargePaid, orders.ChargeUnknown, orders.ChargePending))(o)
		}
	case "cancel":
		_ = o.Cancel(draw(t, "reason", "", "não quero mais"), now) // refused by rule is no news here
	case "release":
		o.ApplyRelease(now)
	case "close":
		if o.RefundDue {
			o.ApplyClose(orders.ChargeResult{Status: orders.ChargeRefunded}, now)
		}
	case "spoil":
		if rapid.IntRange(0, 5).Draw(t, "spoilt") == 0 {
			o.PaymentStatus = "owed"
		}
	}
}

func (h *history) claim(t *rapid.T) {
	now := start.Add(time.Duration(rapid.IntRange(0, 10).Draw(t, "now")) * time.Minute)
	until := now.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "lease")) * time.Minute)
	limit := rapid.IntRange(0, 5).Draw(t, "limit")
	answer := h.all(t, "claim", func(s orders.Store) (any, error) { return s.Claim(h.Context(), now, until, limit) })
	h.seen = append(h.seen, answer.([]orders.Order)...)
	if len(h.seen) > 500 {
		h.seen = slices.Clone(h.seen[len(h.seen)-300:])
	}
}

func (h *history) list(t *rapid.T) {
	filter := orders.Filter{
		Status:        draw(t, "status", "", "", orders.Placed, orders.Held, orders.Confirmed, orders.Rejected, orders.Canceled),
		PaymentStatus: draw(t, "payment", "", "", orders.PaymentNone, orders.PaymentPaid, orders.PaymentUnknown, orders.PaymentPending, orders.PaymentRefunded),
		Email:         draw(t, "email", "", "", "a@x.com", "éb@X.com", "none@x.com"),
		SKU:           draw(t, "sku", "", "", "A", "ç", "a"),
		Limit:         rapid.IntRange(1, 12).Draw(t, "limit"),
	}
	if len(h.placed) > 0 && rapid.Bool().Draw(t, "bounded") {
		filter.From = draw(t, "from", h.placed...).Order.ID
		filter.Before = draw(t, "before", h.placed...).Order.ID
	}
	h.all(t, fmt.Sprintf("list %+v", filter), func(s orders.Store) (any, error) { return s.List(h.Context(), filter) })
}

func (h *history) read(t *rapid.T) {
	if len(h.placed) == 0 {
		t.Skip("nothing was placed")
	}
	ids := []orders.ID{draw(t, "first", h.placed...).Order.ID, draw(t, "second", h.placed...).Order.ID, unknownID(len(h.placed))}
	h.all(t, "get", func(s orders.Store) (any, error) {
		found, err := s.Get(h.Context(), ids)
		return byID(found), err
	})
	for _, i := range ids {
		h.all(t, "events", func(s orders.Store) (any, error) { return s.Events(h.Context(), i) })
	}
}

func unknownID(n int) (i orders.ID) {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
	copy(i[:], sum[:])
	return i
}

func (h *history) open(t *rapid.T) {
	h.all(t, "open", func(s orders.Store) (any, error) { return s.Open(h.Context()) })
}
