package storetest

import (
	"fmt"
	"strings"
	"sync"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

var placeTests = map[string]func(*fixture){
	"Nothing":              placeNothing,
	"New":                  placeNew,
	"Rich":                 placeRich,
	"ExistingKey":          placeExistingKey,
	"KeyTwiceInOneCall":    placeKeyTwiceInOneCall,
	"Repeated":             placeRepeated,
	"MixedBatch":           placeMixedBatch,
	"AllOrNothing":         placeAllOrNothing,
	"IDUnderAnotherKey":    placeIDUnderAnotherKey,
	"ConcurrentKeys":       placeConcurrentKeys,
	"ConcurrentRepetition": placeConcurrentRepetition,
}

func placeNothing(f *fixture) {
	placings, err := f.store.Place(f.Context(), nil)
	f.fatal(err)
	if len(placings) != 0 {
		f.Errorf("got %d answers to nothing", len(placings))
	}
}

func placeNew(f *fixture) {
	for _, n := range []int{1, 16, 257} {
		for _, o := range f.placed(n) {
			f.same(f.get(o.ID), o)
			f.timeline(o.ID, o.Events())
		}
	}
}

// placeRich keeps everything that an order can hold: other scripts, quotes, 100 items, long text, the largest numbers.
func placeRich(f *fixture) {
	total := money.Max
	r := request()
	for i := range 100 {
		r.Items = append(r.Items, orders.Item{SKU: fmt.Sprintf("SKU-ç-%03d-🧦", i), Quantity: 1<<53 + int64(i)})
	}
	r.Customer = orders.Customer{Name: `João "Zé" d'Água \ 李`, Email: "ÇA.Vá@Exemplo.COM.br", Document: "12ABC34501DE35"}
	r.ShippingAddress = &orders.Address{Street: "Rua <b>Ç</b> & Cia", Number: "S/N", City: "São Paulo", State: "SP", PostalCode: "01001000", Country: "BR"}
	r.ExpectedTotal = &total
	r.Metadata = map[string]string{"note": strings.Repeat("ação \t\n\x00 ", 20_000), "": "", "ключ": "✓"}
	p := f.placement(r)
	p.Order.Caller = "key with 'quotes' and ünïcode"
	f.place(p)
	f.same(f.get(p.Order.ID), p.Order)
	got, err := f.store.List(f.Context(), orders.Filter{SKU: "SKU-ç-099-🧦", Email: "ça.vá@exemplo.com.BR", Limit: 10})
	f.fatal(err)
	if len(got) != 1 {
		f.Fatalf("found %d orders by SKU and e-mail, want 1", len(got))
	}
	f.same(got[0], p.Order)
}

func placeExistingKey(f *fixture) {
	first := f.placement(request("SKU-1"))
	f.place(first)
	moved := change(first.Order, f.held)
	f.save(moved)
	for _, body := range []string{"same", "other"} {
		again := f.placement(request("SKU-9"))
		again.Key = first.Key
		if body == "same" {
			again.Fingerprint = first.Fingerprint
		}
		placings, err := f.store.Place(f.Context(), []orders.Placement{again})
		f.fatal(err)
		got := placings[0]
		if !got.Existing || got.Fingerprint != first.Fingerprint || len(got.Order.Events()) != 0 {
			f.Errorf("%s body: existing=%v, fingerprint of the first=%v", body, got.Existing, got.Fingerprint == first.Fingerprint)
		}
		f.same(got.Order, moved.Order) // as the store has it now, not as it was placed
		f.absent(again.Order)
		listed, err := f.store.List(f.Context(), orders.Filter{SKU: "SKU-9", Limit: 1})
		f.fatal(err)
		if len(listed) != 0 {
			f.Errorf("%s body: the refused order is found by its SKU", body)
		}
	}
	f.timeline(first.Order.ID, moved.Order.Events())
}

func placeKeyTwiceInOneCall(f *fixture) {
	first, other, second := f.placement(request("SKU-1")), f.placement(request("SKU-2")), f.placement(request("SKU-3"))
	second.Key = first.Key
	placings, err := f.store.Place(f.Context(), []orders.Placement{first, other, second})
	f.fatal(err)
	if placings[0].Existing || placings[1].Existing || !placings[2].Existing {
		f.Fatalf("existing: %v %v %v, want only the last", placings[0].Existing, placings[1].Existing, placings[2].Existing)
	}
	f.same(placings[2].Order, first.Order)
	if placings[2].Fingerprint != first.Fingerprint {
		f.Error("the last one's fingerprint is not the first one's")
	}
	f.same(f.get(first.Order.ID), first.Order)
	f.same(f.get(other.Order.ID), other.Order)
	f.absent(second.Order)
}

// placeRepeated is a call whose commit was unknown: its orders are its own, and nothing is written twice or set back.
func placeRepeated(f *fixture) {
	placements := []orders.Placement{f.placement(request("SKU-1")), f.placement(request("SKU-1", "SKU-2"))}
	f.place(placements...)
	f.place(placements...)
	moved := change(placements[0].Order, f.held)
	f.save(moved)
	f.place(append(placements, f.placement(request("SKU-3")))...)
	f.same(f.get(moved.Order.ID), moved.Order)
	f.timeline(moved.Order.ID, moved.Order.Events())
	f.same(f.get(placements[1].Order.ID), placements[1].Order)
	f.timeline(placements[1].Order.ID, placements[1].Order.Events())
}

func placeMixedBatch(f *fixture) {
	old := f.placed(100)
	var batch []orders.Placement
	for i := range 300 {
		p := f.placement(request("SKU-1"))
		if i%3 == 0 {
			p.Key = keyOf(fmt.Sprint(i/3 + 1)) // of old[i/3]
		}
		batch = append(batch, p)
	}
	placings, err := f.store.Place(f.Context(), batch)
	f.fatal(err)
	for i, p := range placings {
		if p.Existing != (i%3 == 0) {
			f.Fatalf("placement %d: existing=%v", i, p.Existing)
		}
		if p.Existing {
			f.same(p.Order, old[i/3])
			f.absent(batch[i].Order)
		} else {
			f.same(f.get(batch[i].Order.ID), batch[i].Order)
		}
	}
}

func placeAllOrNothing(f *fixture) {
	for name, spoil := range map[string]func(*orders.Order){
		"status":         func(o *orders.Order) { o.Status = "lost" },
		"no status":      func(o *orders.Order) { o.Status = "" },
		"payment status": func(o *orders.Order) { o.PaymentStatus = "" },
		"fulfillment":    func(o *orders.Order) { o.FulfillmentStatus = "eaten" },
		"version":        func(o *orders.Order) { o.Version = 0 },
		"lease":          func(o *orders.Order) { o.Lease = -1 },
		"due":            func(o *orders.Order) { o.NextAttemptAt = o.NextAttemptAt.AddDate(-100, 0, 0) },
		"created":        func(o *orders.Order) { o.CreatedAt = o.CreatedAt.AddDate(-100, 0, 0) },
	} {
		batch := []orders.Placement{f.placement(request("SKU-1")), f.placement(request("SKU-1")), f.placement(request("SKU-1"))}
		good := batch[1].Order
		spoil(&batch[1].Order)
		if _, err := f.store.Place(f.Context(), batch); err == nil || fault.IsTransient(err) {
			f.Errorf("%s: got %v, want an error that stays", name, err)
		}
		f.absent(ordersOf(batch)...)
		batch[1].Order = good
		f.place(batch...) // the keys are free
	}
}

// placeIDUnderAnotherKey cannot happen with ids that are made right; a store that took it would have two keys for an order.
func placeIDUnderAnotherKey(f *fixture) {
	first := f.placement(request("SKU-1"))
	f.place(first)
	batch := []orders.Placement{f.placement(request("SKU-1")), f.placement(request("SKU-1"))}
	neighbour := batch[0].Order
	batch[1].Order = first.Order
	if _, err := f.store.Place(f.Context(), batch); err == nil {
		f.Error("an order took a second key")
	}
	f.absent(neighbour)
}

func placeConcurrentKeys(f *fixture) {
	const callers, keys = 8, 40
	batches := make([][]orders.Placement, callers)
	placings := make([][]orders.Placing, callers)
	for c := range batches {
		for k := range keys {
			p := f.placement(request("SKU-1"))
			p.Key = keyOf(fmt.Sprint("shared ", (k*(2*c+1))%keys)) // each caller in another order
			batches[c] = append(batches[c], p)
		}
	}
	var wg sync.WaitGroup
	for c := range batches {
		wg.Go(func() {
			var err error
			if placings[c], err = f.store.Place(f.Context(), batches[c]); err != nil {
				f.Error(err)
			}
		})
	}
	wg.Wait()
	if f.Failed() {
		return
	}
	owners := make(map[orders.IdempotencyKey]orders.ID)
	for c := range batches {
		for i, p := range placings[c] {
			if key := batches[c][i].Key; !p.Existing {
				if owner, taken := owners[key]; taken {
					f.Errorf("a key belongs to %s and to %s", owner, batches[c][i].Order.ID)
				}
				owners[key] = batches[c][i].Order.ID
			}
		}
	}
	f.checkOwners(owners, batches, placings)
}

func (f *fixture) checkOwners(owners map[orders.IdempotencyKey]orders.ID, batches [][]orders.Placement, placings [][]orders.Placing) {
	for c := range batches {
		for i, p := range placings[c] {
			if owner := owners[batches[c][i].Key]; p.Existing && (p.Order.ID != owner || owner.IsZero()) {
				f.Errorf("caller %d was told %s, but the key belongs to %s", c, p.Order.ID, owner)
			}
		}
	}
	for _, owner := range owners {
		f.get(owner)
	}
}

// placeConcurrentRepetition is a caller that repeats while its first call is still under way.
func placeConcurrentRepetition(f *fixture) {
	for range 10 {
		batch := []orders.Placement{f.placement(request("SKU-1")), f.placement(request("SKU-2")), f.placement(request("SKU-3"))}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				placings, err := f.store.Place(f.Context(), batch)
				if err != nil {
					f.Error(err)
					return
				}
				for _, p := range placings {
					if p.Existing {
						f.Error("the caller's own order exists already")
					}
				}
			})
		}
		wg.Wait()
		for _, p := range batch {
			f.same(f.get(p.Order.ID), p.Order)
			f.timeline(p.Order.ID, p.Order.Events())
		}
	}
}
