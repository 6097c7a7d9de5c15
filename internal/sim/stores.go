package sim

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// expected are the errors of stores that mean something to their callers. Any other is a write that no rule should ask for.
var expected = []error{inventory.ErrNotFound, inventory.ErrHeldUnits, inventory.ErrTooMuchStock, inventory.ErrKeyReused}

// transact runs one transaction, and lets it fail as databases do.
func (w *World) transact(c call, do func() error) error {
	w.meanwhile()
	switch {
	case w.strikes(storeBusy, c):
		return errBusy
	case w.strikes(storeBroken, c):
		return errBroken
	}
	err := do()
	if err != nil && !slices.ContainsFunc(expected, func(e error) bool { return errors.Is(err, e) }) {
		w.violate("%s: the store refuses what the service asks: %v", callNames[c], err)
	}
	if slices.Contains(writes, c) && w.strikes(commitUnknown, c) {
		return errCommit
	}
	w.meanwhile()
	return err
}

func (p *process) transact(c call, do func() error) error {
	return p.guard(c, func() error { return p.world.transact(c, do) })
}

// ordersStore is an orders process's way to its database.
type ordersStore struct {
	orders.Store
	p *process
}

func (s ordersStore) Place(ctx context.Context, placements []orders.Placement) (placings []orders.Placing, err error) {
	err = s.p.transact(ordersPlace, func() (err error) {
		if placings, err = s.Store.Place(ctx, placements); err != nil {
			return err
		}
		for i := range placements {
			if !placings[i].Existing {
				s.p.world.placed(&placements[i])
			}
		}
		return nil
	})
	return placings, err
}

func (s ordersStore) Save(ctx context.Context, changes []orders.Change) (saved []bool, err error) {
	err = s.p.transact(ordersSave, func() (err error) {
		if saved, err = s.Store.Save(ctx, changes); err != nil {
			return err
		}
		for i := range changes {
			if saved[i] {
				s.p.world.saved(&changes[i])
			} else {
				s.p.world.coverage.events[saveConflict]++
			}
		}
		return nil
	})
	return saved, err
}

func (s ordersStore) Get(ctx context.Context, ids []orders.ID) (found []orders.Order, err error) {
	err = s.p.transact(ordersGet, func() (err error) { found, err = s.Store.Get(ctx, ids); return err })
	return found, err
}

func (s ordersStore) Claim(ctx context.Context, now, leaseUntil time.Time, limit int) (claimed []orders.Order, err error) {
	err = s.p.transact(ordersClaim, func() (err error) {
		claimed, err = s.Store.Claim(ctx, now, leaseUntil, limit)
		s.p.world.coverage.events[leaseTaken] += len(claimed)
		return err
	})
	return claimed, err
}

// paymentsStore is a payments process's way to its database.
type paymentsStore struct {
	payments.Store
	p *process
}

func (s paymentsStore) Create(ctx context.Context, charges []payments.Charge) (created []payments.Created, err error) {
	err = s.p.transact(paymentsCreate, func() (err error) {
		created, err = s.Store.Create(ctx, charges)
		for _, c := range created {
			s.p.world.note("payment", "is made "+string(c.Charge.Status), c.Charge.ID, c.Charge.Version)
		}
		return err
	})
	return created, err
}

func (s paymentsStore) Save(ctx context.Context, changes []payments.Change) (saved []bool, err error) {
	err = s.p.transact(paymentsSave, func() (err error) {
		saved, err = s.Store.Save(ctx, changes)
		for i, ok := range saved {
			if ok {
				s.p.world.note("payment", "becomes "+string(changes[i].Charge.Status), changes[i].Charge.ID, changes[i].Charge.Version)
			}
		}
		return err
	})
	return saved, err
}

func (s paymentsStore) Get(ctx context.Context, ids []payments.ID) (charges []payments.Charge, err error) {
	err = s.p.transact(paymentsGet, func() (err error) { charges, err = s.Store.Get(ctx, ids); return err })
	return charges, err
}

func (s paymentsStore) Claim(ctx context.Context, now, leaseUntil time.Time, limit int) (charges []payments.Charge, err error) {
	err = s.p.transact(paymentsClaim, func() (err error) { charges, err = s.Store.Claim(ctx, now, leaseUntil, limit); return err })
	return charges, err
}

func (s paymentsStore) TakeReceipt(ctx context.Context, receipt payments.Receipt, now time.Time) (charge payments.Charge, err error) {
	err = s.p.transact(paymentsTakeReceipt, func() (err error) { charge, err = s.Store.TakeReceipt(ctx, receipt, now); return err })
	return charge, err
}

func (s paymentsStore) ClaimSurplus(ctx context.Context, now, leaseUntil time.Time, limit int) (receipts []payments.Receipt, err error) {
	err = s.p.transact(paymentsClaimSurplus, func() (err error) {
		receipts, err = s.Store.ClaimSurplus(ctx, now, leaseUntil, limit)
		return err
	})
	return receipts, err
}

func (s paymentsStore) GiveBack(ctx context.Context, receipt payments.Receipt, now time.Time) error {
	return s.p.transact(paymentsGiveBack, func() error { return s.Store.GiveBack(ctx, receipt, now) })
}

func (s paymentsStore) Notices(ctx context.Context, limit int) (charges []payments.Charge, err error) {
	err = s.p.transact(paymentsNotices, func() (err error) { charges, err = s.Store.Notices(ctx, limit); return err })
	return charges, err
}

func (s paymentsStore) Ack(ctx context.Context, acks []payments.Ack) error {
	return s.p.transact(paymentsAck, func() error { return s.Store.Ack(ctx, acks) })
}

// inventoryStore is the inventory's way to its database. A crash of inventory is a lost answer: it keeps nothing.
type inventoryStore struct {
	inventory.Store
	w *World
}

func (s inventoryStore) PutItem(ctx context.Context, item inventory.Item) (put inventory.Item, err error) {
	err = s.w.transact(inventoryPutItem, func() (err error) { put, err = s.Store.PutItem(ctx, item); return err })
	return put, err
}

func (s inventoryStore) Items(ctx context.Context, skus []inventory.SKU) (items []inventory.Item, err error) {
	err = s.w.transact(inventoryItems, func() (err error) { items, err = s.Store.Items(ctx, skus); return err })
	return items, err
}

func (s inventoryStore) Adjust(ctx context.Context, request inventory.NewAdjustment, ids *id.Source) (made inventory.Adjustment, err error) {
	err = s.w.transact(inventoryAdjust, func() (err error) { made, err = s.Store.Adjust(ctx, request, ids); return err })
	return made, err
}

func (s inventoryStore) Hold(ctx context.Context, holds []inventory.Hold, now time.Time, ids *id.Source) (results []inventory.HoldResult, err error) {
	err = s.w.transact(inventoryHold, func() (err error) { results, err = s.Store.Hold(ctx, holds, now, ids); return err })
	return results, err
}

func (s inventoryStore) Release(ctx context.Context, releases []inventory.Release, now time.Time, ids *id.Source) error {
	return s.w.transact(inventoryRelease, func() error { return s.Store.Release(ctx, releases, now, ids) })
}
