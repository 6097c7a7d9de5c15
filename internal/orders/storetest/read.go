package storetest

import (
	"context"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

var readTests = map[string]func(*fixture){
	"Get":          readGet,
	"NoEvents":     readNoEvents,
	"EndedContext": readEndedContext,
	"PingAndClose": readPingAndClose,
}

func readGet(f *fixture) {
	placed := f.placed(20)
	unknown := f.order(request("SKU-1")).ID
	ids := []orders.ID{unknown}
	for _, o := range placed[:10] {
		ids = append(ids, o.ID, o.ID) // asked for twice, answered once
	}
	found, err := f.store.Get(f.Context(), ids)
	f.fatal(err)
	if len(found) != 10 {
		f.Fatalf("found %d orders, want 10", len(found))
	}
	for i, o := range byID(found) {
		f.same(o, placed[i])
	}
	if none, err := f.store.Get(f.Context(), nil); err != nil || len(none) != 0 {
		f.Errorf("asked for nothing, got %d orders and %v", len(none), err)
	}
}

func readNoEvents(f *fixture) {
	f.placed(1)
	events, err := f.store.Events(f.Context(), f.order(request("SKU-1")).ID)
	f.fatal(err)
	if len(events) != 0 {
		f.Errorf("an order that is not there has %d events", len(events))
	}
}

func readEndedContext(f *fixture) {
	placed := f.placed(1)[0]
	ctx, cancel := context.WithCancel(f.Context())
	cancel()
	p := f.placement(request("SKU-1"))
	calls := map[string]func() error{
		"Place":  func() error { _, err := f.store.Place(ctx, []orders.Placement{p}); return err },
		"Save":   func() error { _, err := f.store.Save(ctx, []orders.Change{change(placed, f.held)}); return err },
		"Get":    func() error { _, err := f.store.Get(ctx, []orders.ID{placed.ID}); return err },
		"List":   func() error { _, err := f.store.List(ctx, orders.Filter{Limit: 1}); return err },
		"Events": func() error { _, err := f.store.Events(ctx, placed.ID); return err },
		"Claim":  func() error { _, err := f.store.Claim(ctx, start, start, 1); return err },
		"Open":   func() error { _, err := f.store.Open(ctx); return err },
		"Ping":   func() error { return f.store.Ping(ctx) },
	}
	for name, call := range calls {
		if err := call(); !fault.IsTransient(err) {
			f.Errorf("%s: got %v, want an error that may pass", name, err)
		}
	}
	f.absent(p.Order)
	f.same(f.get(placed.ID), placed)
}

func readPingAndClose(f *fixture) {
	f.fatal(f.store.Ping(f.Context()))
	f.fatal(f.store.Close())
	if f.store.Ping(f.Context()) == nil {
		f.Error("a closed store can be used")
	}
}
