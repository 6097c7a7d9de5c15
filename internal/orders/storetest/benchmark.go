package storetest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// Benchmark measures orders a second, one caller, by the size of the batch: Place, and Save of what was placed (held and
// paid: two events).
func Benchmark(b *testing.B, open func(b *testing.B) orders.Store) {
	for _, size := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("Place/%d", size), func(b *testing.B) {
			store, maker := open(b), newMaker()
			for b.Loop() {
				b.StopTimer()
				placements := maker.placements(size)
				b.StartTimer()
				if _, err := store.Place(b.Context(), placements); err != nil {
					b.Fatal(err)
				}
			}
			report(b, size)
		})
		b.Run(fmt.Sprintf("Save/%d", size), func(b *testing.B) {
			store, maker := open(b), newMaker()
			for b.Loop() {
				b.StopTimer()
				placements := maker.placements(size)
				if _, err := store.Place(b.Context(), placements); err != nil {
					b.Fatal(err)
				}
				changes := paid(b, placements)
				b.StartTimer()
				if saved, err := store.Save(b.Context(), changes); err != nil || !saved[size-1] {
					b.Fatal(saved, err)
				}
			}
			report(b, size)
		})
	}
}

func report(b *testing.B, size int) {
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "orders/s")
}

// maker makes orders that look like real ones: 10,000 SKUs, as many customers, two lines.
type maker struct {
	ids *id.Source
	n   uint64
}

func newMaker() *maker { return &maker{ids: id.SystemSource()} }

func (m *maker) placements(n int) []orders.Placement {
	placements := make([]orders.Placement, n)
	now := time.Now()
	for i := range placements {
		m.n++
		r := request(fmt.Sprintf("SKU-%05d", m.n*7919%10_000), fmt.Sprintf("SKU-%05d", m.n*104_729%10_000))
		r.Customer.Email = fmt.Sprintf("buyer%d@example.com", m.n*15_485_863%10_000)
		r.ShippingAddress = &orders.Address{Street: "Avenida Paulista", Number: "1578", District: "Bela Vista", City: "São Paulo", State: "SP", PostalCode: "01310200", Country: "BR"}
		o := orders.NewOrder(id.New[orders.Order](m.ids), orders.PaymentID(id.New[orders.Order](m.ids)), "caller-1", r, now)
		o.NextAttemptAt = now.Add(time.Minute)
		placements[i] = orders.Placement{Order: o, Key: sha256.Sum256(binary.BigEndian.AppendUint64(nil, m.n))}
	}
	return placements
}

func paid(b *testing.B, placements []orders.Placement) []orders.Change {
	changes := make([]orders.Change, len(placements))
	for i := range placements {
		changes[i] = change(placements[i].Order, func(o *orders.Order) {
			lines := []orders.Item{{SKU: o.Items[0].SKU, Name: "Camiseta azul M", Quantity: 1, UnitPrice: 4990}, {SKU: o.Items[1].SKU, Name: "Meia branca 39-42", Quantity: 2, UnitPrice: 1290}}
			if err := o.ApplyHold(orders.HoldResult{Verdict: orders.HoldHeld, Items: lines, Total: 7570}, time.Now(), false); err != nil {
				b.Fatal(err)
			}
			if _, err := o.ApplyCharge(orders.ChargeResult{Status: orders.ChargePaid}, time.Now()); err != nil {
				b.Fatal(err)
			}
			o.NextAttemptAt = time.Time{}
		})
	}
	return changes
}
