package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
)

var claimCases = map[string]testCase{
	"claim takes what is due, oldest first, up to the limit": func(t *testing.T, s *till) {
		var due []payments.Charge
		for _, after := range []time.Duration{2, 0, 1, 5} {
			c := s.wish(1)
			c.NextAttemptAt = now.Add(after * time.Second)
			due = append(due, c)
		}
		never := s.wish(1)
		never.NextAttemptAt = time.Time{}
		s.create(append(due, never)...)
		at := now.Add(2 * time.Second)
		if got := ids(s.claim(at, 2)); !slices.Equal(got, []payments.ID{due[1].ID, due[2].ID}) {
			t.Errorf("first two: %v", got)
		}
		if got := ids(s.claim(at, 10)); !slices.Equal(got, []payments.ID{due[0].ID}) {
			t.Errorf("the rest: %v", got)
		}
		if got := s.claim(at, 10); len(got) != 0 {
			t.Errorf("claimed twice: %v", ids(got))
		}
	},
	"charges that are due at once are claimed by id": func(t *testing.T, s *till) {
		a, b := s.wish(1), s.wish(2)
		s.create(b, a)
		if got := ids(s.claim(a.NextAttemptAt, 1)); !slices.Equal(got, []payments.ID{a.ID}) {
			t.Errorf("claimed %v", got)
		}
	},
	"a claim raises the version and leases": func(t *testing.T, s *till) {
		c := s.made(s.wish(100))
		late, _ := c.Apply(payments.Outcome{Status: payments.OutcomePaid}, now)
		at := c.NextAttemptAt
		claimed := s.claim(at, 1)[0]
		want := c
		want.Version, want.NextAttemptAt = 2, at.Add(time.Minute)
		equal(t, "claimed", claimed, want)
		equal(t, "read", s.get(c.ID), want)
		if s.save(late)[0] {
			t.Error("who lost the lease has saved")
		}
		if got := s.claim(at.Add(time.Minute), 1); len(got) != 1 || got[0].Version != 3 {
			t.Errorf("after the lease: %+v", got)
		}
	},
	"what a batch has left undecided is claimed, and what it has decided never": func(t *testing.T, s *till) {
		paid, declined, unknown, left, closing := s.wish(1), s.wish(2), s.wish(3), s.wish(4), s.wish(5)
		s.create(paid, declined, unknown, left, closing)
		var changes []payments.Change
		for _, of := range []struct {
			charge payments.Charge
			status payments.OutcomeStatus
		}{{unknown, payments.OutcomeUnknown}, {paid, payments.OutcomePaid}, {declined, payments.OutcomeDeclined}} {
			change, _ := of.charge.Apply(payments.Outcome{Status: of.status}, now)
			changes = append(changes, change)
		}
		wanted, _ := closing.WantClose(true, now)
		if saved := s.save(append(changes, wanted)...); slices.Contains(saved, false) {
			t.Fatalf("saved %v", saved)
		}
		if got := ids(s.claim(left.NextAttemptAt.Add(-time.Microsecond), 9)); !slices.Equal(got, []payments.ID{unknown.ID}) {
			t.Errorf("before the lease ended: %v", got)
		}
		if got := ids(s.claim(left.NextAttemptAt, 9)); !slices.Equal(got, []payments.ID{left.ID, closing.ID}) {
			t.Errorf("when the lease ended: %v", got)
		}
		if got := ids(s.claim(left.NextAttemptAt.Add(time.Hour), 9)); !slices.Equal(got, []payments.ID{unknown.ID, left.ID, closing.ID}) {
			t.Errorf("when the claims ended: %v", got)
		}
	},
	"surplus is due at once, oldest first, and leased": func(t *testing.T, s *till) {
		c := s.made(s.pix(100))
		for i, e2e := range []string{"E2", "E1", "E3"} {
			_, err := s.store.TakeReceipt(t.Context(), receipt(c, e2e, 7), now.Add(time.Duration(i)*time.Second))
			must(t, err)
		}
		at := now.Add(2 * time.Second)
		if got := s.claimSurplus(now.Add(-time.Second), 9); len(got) != 0 {
			t.Errorf("before it came: %+v", got)
		}
		first := s.claimSurplus(at, 2)
		if len(first) != 2 || first[0].EndToEndID != "E2" || first[1].EndToEndID != "E1" {
			t.Fatalf("first two: %+v", first)
		}
		want := receipt(c, "E2", 7)
		want.Status = payments.Surplus
		if first[0] != want {
			t.Errorf("receipt %+v, want %+v", first[0], want)
		}
		if got := s.claimSurplus(at, 9); len(got) != 1 || got[0].EndToEndID != "E3" {
			t.Errorf("the rest: %+v", got)
		}
		if got := s.claimSurplus(at.Add(time.Minute), 9); len(got) != 3 {
			t.Errorf("after the lease: %+v", got)
		}
	},
}

var receiptCases = map[string]testCase{
	"the right amount pays": func(t *testing.T, s *till) {
		c := s.made(s.pix(100))
		change, taken := c.Take(receipt(c, "E1", 100), now)
		equal(t, "answer", s.take(c, "E1", 100), change.Charge)
		equal(t, "read", s.get(c.ID), change.Charge)
		if got := s.receipts(c.ID); !slices.Equal(got, []payments.Receipt{taken}) || taken.Status != payments.Accepted {
			t.Errorf("receipts %+v, want %+v", got, taken)
		}
		if got := s.transfers(c.ID); !slices.Equal(got, change.Transfers) {
			t.Errorf("transfers %+v, want %+v", got, change.Transfers)
		}
		if got := s.claimSurplus(now.Add(time.Hour), 9); len(got) != 0 {
			t.Errorf("an accepted receipt is given back: %+v", got)
		}
	},
	"a known receipt changes nothing": func(t *testing.T, s *till) {
		c, other := s.made(s.pix(100)), s.made(s.pix(100))
		paid := s.take(c, "E1", 100)
		equal(t, "repeated", s.take(c, "E1", 100), paid)
		equal(t, "repeated with another amount", s.take(c, "E1", 50), paid)
		equal(t, "repeated for another charge", s.take(other, "E1", 100), paid)
		equal(t, "the other charge", s.get(other.ID), other)
		if got := s.totals(); got.Captured != 100 || got.Surplus != 0 || len(s.receipts(c.ID)) != 1 {
			t.Errorf("counted twice: %+v", got)
		}
	},
	"a receipt for nobody is not found": func(t *testing.T, s *till) {
		nobody := s.pix(100)
		if _, err := s.store.TakeReceipt(t.Context(), receipt(nobody, "E1", 100), now); !errors.Is(err, payments.ErrNotFound) {
			t.Errorf("error %v", err)
		}
		if err := s.store.GiveBack(t.Context(), receipt(nobody, "E1", 100), now); !errors.Is(err, payments.ErrNotFound) {
			t.Errorf("give back: %v", err)
		}
		if got := s.receipts(nobody.ID); len(got) != 0 {
			t.Errorf("receipts %+v", got)
		}
	},
	"receipts come by time and end-to-end id": func(t *testing.T, s *till) {
		c := s.made(s.pix(100))
		for _, r := range []payments.Receipt{
			{EndToEndID: "Eb", ReceivedAt: now.Add(time.Second)}, {EndToEndID: "Ea", ReceivedAt: now.Add(time.Second)}, {EndToEndID: "Ez", ReceivedAt: now},
			{EndToEndID: "EB", ReceivedAt: now.Add(time.Second)}, // bytes, not a language, order the engines alike
		} {
			r.PaymentID, r.Amount = c.ID, 1
			_, err := s.store.TakeReceipt(t.Context(), r, now)
			must(t, err)
		}
		var got []string
		for _, r := range s.receipts(c.ID) {
			got = append(got, r.EndToEndID)
		}
		if !slices.Equal(got, []string{"Ez", "EB", "Ea", "Eb"}) {
			t.Errorf("receipts %v", got)
		}
	},
	"a surplus is given back once": func(t *testing.T, s *till) {
		c := s.made(s.pix(100))
		s.take(c, "E1", 70)
		surplus := s.claimSurplus(now, 1)[0]
		for range 2 {
			must(t, s.store.GiveBack(t.Context(), surplus, now.Add(time.Second)))
		}
		got := s.get(c.ID)
		if got.Received != 70 || got.Refunded != 70 || got.Version != 3 || !got.Open() {
			t.Errorf("charge %+v", got)
		}
		if r := s.receipts(c.ID); r[0].Status != payments.ReceiptRefunded {
			t.Errorf("receipt %+v", r[0])
		}
		if l := s.transfers(c.ID); len(l) != 2 || l[1].Kind != payments.RefundTransfer || l[1].Number != 3 {
			t.Errorf("transfers %+v", l)
		}
		if got := s.claimSurplus(now.Add(time.Hour), 9); len(got) != 0 || s.totals().Surplus != 0 {
			t.Errorf("still due: %+v, %+v", got, s.totals())
		}
	},
	"an accepted receipt is not given back as a surplus": func(t *testing.T, s *till) {
		c := s.made(s.pix(100))
		paid := s.take(c, "E1", 100)
		must(t, s.store.GiveBack(t.Context(), receipt(c, "E1", 100), now))
		equal(t, "charge", s.get(c.ID), paid)
	},
}

var noticeCases = map[string]testCase{
	"notices come by id up to the limit until they are acknowledged": func(t *testing.T, s *till) {
		a, b, c := s.made(s.pix(1)), s.made(s.pix(2)), s.made(s.pix(3))
		s.made(s.pix(4))
		for i, charge := range []payments.Charge{c, a, b} {
			s.take(charge, "E"+string(rune('1'+i)), charge.Amount)
		}
		if got := ids(s.notices(2)); !slices.Equal(got, []payments.ID{a.ID, b.ID}) {
			t.Errorf("first two: %v", got)
		}
		must(t, s.store.Ack(t.Context(), []payments.Ack{{ID: b.ID, Version: 2}, {ID: a.ID, Version: 2}, {ID: s.wish(1).ID, Version: 1}}))
		if got := ids(s.notices(9)); !slices.Equal(got, []payments.ID{c.ID}) {
			t.Errorf("after the acknowledgement: %v", got)
		}
		if got := s.get(a.ID); got.Notice || got.Version != 2 {
			t.Errorf("acknowledged: %+v", got)
		}
	},
	"a notice that is acknowledged at a stale version stays": func(t *testing.T, s *till) {
		c := s.made(s.pix(1))
		s.take(c, "E1", 1)
		for _, version := range []int64{1, 3} {
			must(t, s.store.Ack(t.Context(), []payments.Ack{{ID: c.ID, Version: version}}))
		}
		s.take(c, "E2", 5) // a surplus: the notice is of another version now
		must(t, s.store.Ack(t.Context(), []payments.Ack{{ID: c.ID, Version: 2}}))
		if got := s.notices(9); len(got) != 1 || got[0].Version != 3 {
			t.Errorf("notices %+v", got)
		}
	},
}

var totalsCases = map[string]testCase{
	"totals are the ledger's sums": func(t *testing.T, s *till) {
		if got := s.totals(); got != (payments.Totals{}) {
			t.Errorf("empty: %+v", got)
		}
		s.folded()
		for range 700 {
			s.apply(s.made(s.wish(3)), payments.Outcome{Status: payments.OutcomePaid})
		}
		paid := s.apply(s.made(s.wish(100)), payments.Outcome{Status: payments.OutcomePaid})
		refunding, _ := paid.WantClose(true, now)
		s.save(refunding)
		s.apply(refunding.Charge, payments.Outcome{Status: payments.OutcomeRefunded})
		s.take(s.made(s.pix(50)), "E1", 49)
		s.take(s.made(s.pix(50)), "E2", 50)
		s.apply(s.made(s.wish(1)), payments.Outcome{Status: payments.OutcomeUnknown})
		want := payments.Totals{Captured: 2250, Refunded: 100, Surplus: 49, Unknown: 1, OldestUnknown: now}
		for range 3 { // also after they were folded, and when there is nothing left to fold
			if got := s.totals(); got != want {
				t.Errorf("totals %+v, want %+v", got, want)
			}
			balance, err := s.store.Balance(t.Context())
			must(t, err)
			if got := balance.Totals; got != (payments.Totals{Captured: 2250, Refunded: 100, Surplus: 49}) {
				t.Errorf("the balance's totals %+v, want those of %+v", got, want)
			}
			s.folded()
		}
		must(t, s.store.GiveBack(t.Context(), payments.Receipt{EndToEndID: "E1"}, now))
		if got := s.totals(); got.Surplus != 0 {
			t.Errorf("after giving back: %+v", got)
		}
	},
	"the oldest unknown charge is known by its wish, not by its last attempt": func(t *testing.T, s *till) {
		wished := func(ago time.Duration) payments.Charge {
			c := s.wish(100)
			c.CreatedAt = now.Add(-ago)
			return s.made(c)
		}
		unknown, found := payments.Outcome{Status: payments.OutcomeUnknown}, payments.Outcome{Status: payments.OutcomePaid}
		s.apply(wished(3*time.Hour), found)
		wished(2 * time.Hour) // not asked for yet
		oldest := s.apply(s.apply(wished(time.Hour), unknown), unknown)
		s.apply(wished(time.Minute), unknown)
		if got := s.totals(); got.Unknown != 2 || !got.OldestUnknown.Equal(now.Add(-time.Hour)) {
			t.Errorf("totals %+v, want two unknown, the oldest of an hour ago", got)
		}
		s.apply(oldest, found)
		if got := s.totals(); got.Unknown != 1 || !got.OldestUnknown.Equal(now.Add(-time.Minute)) {
			t.Errorf("totals %+v, want the one of a minute ago", got)
		}
	},
}
