package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

var chargeCases = map[string]testCase{
	"create writes what is new and answers what is there": func(t *testing.T, s *till) {
		old := s.apply(s.made(s.wish(100)), payments.Outcome{Status: payments.OutcomeDeclined, Reason: "no"})
		repeated := s.wish(999)
		repeated.ID = old.ID
		fresh := s.wish(0)
		created := s.create(fresh, repeated)
		if !created[0].New || created[1].New {
			t.Errorf("new: %t, %t", created[0].New, created[1].New)
		}
		equal(t, "new", created[0].Charge, fresh)
		equal(t, "old", created[1].Charge, old)
		equal(t, "new, read", s.get(fresh.ID), fresh)
		equal(t, "old, read", s.get(old.ID), old)
	},
	"create writes an id that comes twice in a call once": func(t *testing.T, s *till) {
		first, second := s.wish(100), s.wish(200)
		again := first
		again.Amount = 300
		created := s.create(second, first, again, second)
		for i, want := range []payments.Created{{Charge: second, New: true}, {Charge: first, New: true}, {Charge: first}, {Charge: second}} {
			equal(t, "answer", created[i].Charge, want.Charge)
			if created[i].New != want.New {
				t.Errorf("answer %d: New is %t", i, created[i].New)
			}
		}
		equal(t, "read", s.get(first.ID), first)
	},
	"create keeps every field": func(t *testing.T, s *till) {
		c := s.pix(1)
		c.Status, c.DeclineReason, c.Received, c.Refunded, c.Version, c.Attempts = payments.Voided, "é", 5, 4, 7, 3
		c.Pix = &payments.PixCharge{TxID: payments.TxID(c.ID), CopyPaste: "000201", ExpiresAt: now.Add(time.Minute)}
		c.CloseWanted, c.RefundWanted, c.Notice = true, true, true
		c.UpdatedAt = now.Add(time.Second)
		equal(t, "answer", s.create(c)[0].Charge, c)
		equal(t, "read", s.get(c.ID), c)
		never := s.wish(1)
		never.NextAttemptAt = time.Time{}
		s.create(never)
		equal(t, "never due", s.get(never.ID), never)
	},
	"save writes what is still at the version before": func(t *testing.T, s *till) {
		fresh, stale := s.made(s.wish(100)), s.made(s.wish(200))
		moved := s.apply(stale, payments.Outcome{Status: payments.OutcomeUnknown})
		paid, _ := fresh.Apply(payments.Outcome{Status: payments.OutcomePaid}, now)
		late, _ := stale.Apply(payments.Outcome{Status: payments.OutcomePaid}, now)
		missing, _ := s.wish(1).Apply(payments.Outcome{Status: payments.OutcomePaid}, now)
		if saved := s.save(late, paid, missing); !slices.Equal(saved, []bool{false, true, false}) {
			t.Errorf("saved: %v", saved)
		}
		equal(t, "fresh", s.get(fresh.ID), paid.Charge)
		equal(t, "stale", s.get(stale.ID), moved)
		if got := s.transfers(fresh.ID); !slices.Equal(got, paid.Transfers) {
			t.Errorf("transfers %+v, want %+v", got, paid.Transfers)
		}
		if got := s.transfers(stale.ID); len(got) != 0 {
			t.Errorf("transfers of a change that was not saved: %+v", got)
		}
	},
	"save writes captures and all else together or not at all": func(t *testing.T, s *till) {
		paid, _ := s.made(s.wish(100)).Apply(payments.Outcome{Status: payments.OutcomePaid}, now)
		later, _ := s.made(s.wish(200)).Apply(payments.Outcome{Status: payments.OutcomePaid}, now.Add(time.Second))
		declined, _ := s.made(s.wish(300)).Apply(payments.Outcome{Status: payments.OutcomeDeclined, Reason: "no"}, now)
		bad := declined
		bad.Charge.Status = "odd"
		if _, err := s.store.Save(t.Context(), []payments.Change{paid, later, bad}); err == nil {
			t.Error("an odd status was saved")
		}
		for _, c := range []payments.Change{paid, later, declined} {
			if got := s.get(c.Charge.ID); got.Version != 1 || len(s.transfers(c.Charge.ID)) != 0 {
				t.Errorf("half of a failed save is there: %+v", got)
			}
		}
		if saved := s.save(declined, later, paid); slices.Contains(saved, false) {
			t.Errorf("saved %v", saved)
		}
		for _, c := range []payments.Change{paid, later, declined} {
			equal(t, "read", s.get(c.Charge.ID), c.Charge)
			if got := s.transfers(c.Charge.ID); !slices.Equal(got, c.Transfers) {
				t.Errorf("transfers %+v, want %+v", got, c.Transfers)
			}
		}
		if got := s.totals().Captured; got != 300 {
			t.Errorf("captured %d", got)
		}
	},
	"save keeps every field that can change": func(t *testing.T, s *till) {
		c := s.made(s.pix(100))
		c.Version++
		c.Status, c.DeclineReason, c.Received, c.Refunded, c.Attempts = payments.Unknown, "x", 9, 8, 2
		c.Pix = &payments.PixCharge{TxID: payments.TxID(c.ID), CopyPaste: "00", ExpiresAt: now}
		c.CloseWanted, c.RefundWanted, c.Notice = true, true, true
		c.NextAttemptAt, c.UpdatedAt = now.Add(time.Second), now.Add(2*time.Second)
		s.save(payments.Change{Charge: c})
		equal(t, "set", s.get(c.ID), c)
		c.Version++
		c.CloseWanted, c.RefundWanted, c.Notice, c.Pix, c.NextAttemptAt = false, false, false, nil, time.Time{}
		s.save(payments.Change{Charge: c})
		equal(t, "cleared", s.get(c.ID), c)
	},
	"a save that is repeated changes nothing more": func(t *testing.T, s *till) {
		paid, _ := s.made(s.wish(100)).Apply(payments.Outcome{Status: payments.OutcomePaid}, now)
		s.save(paid)
		if s.save(paid)[0] || len(s.transfers(paid.Charge.ID)) != 1 || s.totals().Captured != 100 {
			t.Errorf("saved twice: %+v, %+v", s.transfers(paid.Charge.ID), s.totals())
		}
	},
	"save is all or nothing": func(t *testing.T, s *till) {
		good, _ := s.made(s.wish(100)).Apply(payments.Outcome{Status: payments.OutcomePaid}, now)
		bad, _ := s.made(s.wish(200)).Apply(payments.Outcome{Status: payments.OutcomePaid}, now)
		bad.Transfers[0].Amount = 0 // which the schema refuses
		if _, err := s.store.Save(t.Context(), []payments.Change{good, bad}); err == nil || fault.IsTransient(err) {
			t.Errorf("error %v, want one that stays", err)
		}
		if c := s.get(good.Charge.ID); c.Version != 1 || len(s.transfers(c.ID)) != 0 || s.totals() != (payments.Totals{}) {
			t.Errorf("half of a failed save is there: %+v", c)
		}
	},
	"the schema refuses what no rule can mean": func(t *testing.T, s *till) {
		for name, spoil := range map[string]func(*payments.Charge){
			"negative amount":             func(c *payments.Charge) { c.Amount = -1 },
			"unknown status":              func(c *payments.Charge) { c.Status = "odd" },
			"unknown method":              func(c *payments.Charge) { c.Method = "cash" },
			"more refunded than received": func(c *payments.Charge) { c.Refunded = 1 },
		} {
			c := s.wish(1)
			spoil(&c)
			if _, err := s.store.Create(t.Context(), []payments.Charge{c}); err == nil {
				t.Errorf("%s: created", name)
			}
		}
	},
	"the schema refuses a transfer from an account to itself": func(t *testing.T, s *till) {
		change, _ := s.made(s.wish(1)).Apply(payments.Outcome{Status: payments.OutcomePaid}, now)
		change.Transfers[0].Debit = change.Transfers[0].Credit
		if _, err := s.store.Save(t.Context(), []payments.Change{change}); err == nil {
			t.Error("saved")
		}
	},
	"get returns those that exist, once, by id": func(t *testing.T, s *till) {
		a, b := s.made(s.wish(1)), s.made(s.wish(2))
		got, err := s.store.Get(t.Context(), []payments.ID{b.ID, s.wish(3).ID, a.ID, b.ID})
		must(t, err)
		if !slices.Equal(ids(got), []payments.ID{a.ID, b.ID}) {
			t.Errorf("got %v", ids(got))
		}
		if got, err := s.store.Get(t.Context(), nil); err != nil || len(got) != 0 {
			t.Errorf("of nothing: %v, %v", got, err)
		}
	},
	"an order's charges come by id": func(t *testing.T, s *till) {
		a, other, b := s.wish(1), s.wish(2), s.wish(3)
		b.OrderID = a.OrderID
		s.create(b, other, a)
		got, err := s.store.ByOrder(t.Context(), a.OrderID)
		must(t, err)
		if !slices.Equal(ids(got), []payments.ID{a.ID, b.ID}) {
			t.Errorf("got %v", ids(got))
		}
	},
	"nothing to write is nothing": func(t *testing.T, s *till) {
		created, err := s.store.Create(t.Context(), nil)
		saved, err2 := s.store.Save(t.Context(), nil)
		if err := errors.Join(err, err2, s.store.Ack(t.Context(), nil)); err != nil || len(created)+len(saved) != 0 {
			t.Errorf("%v, %v, %v", created, saved, err)
		}
	},
	"an ended context is an error that passes": func(t *testing.T, s *till) {
		c := s.made(s.wish(1))
		ctx := canceled(t)
		for name, f := range map[string]func() error{
			"Create": func() error { _, err := s.store.Create(ctx, []payments.Charge{s.wish(1)}); return err },
			"Save":   func() error { _, err := s.store.Save(ctx, []payments.Change{{Charge: c}}); return err },
			"Get":    func() error { _, err := s.store.Get(ctx, []payments.ID{c.ID}); return err },
			"Claim":  func() error { _, err := s.store.Claim(ctx, now, now, 1); return err },
			"Totals": func() error { _, err := s.store.Totals(ctx); return err },
			"Ping":   func() error { return s.store.Ping(ctx) },
		} {
			if err := f(); !fault.IsTransient(err) || !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
		}
	},
	"a store that works says so": func(t *testing.T, s *till) { must(t, s.store.Ping(t.Context())) },
}
