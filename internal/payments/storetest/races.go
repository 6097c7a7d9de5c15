package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
)

// racers is how many callers do the same at once.
const racers = 8

var raceCases = map[string]testCase{
	"of many that create an id at once one is new": func(t *testing.T, s *till) {
		var charges []payments.Charge
		for range 20 {
			charges = append(charges, s.wish(1))
		}
		var mu sync.Mutex
		news := make(map[payments.ID]int)
		together(racers, func(i int) {
			mine := append(charges[i:len(charges):len(charges)], charges[:i]...) // each in another order
			created, err := s.store.Create(t.Context(), mine)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			for k, c := range created {
				if c.New {
					news[c.Charge.ID]++
				}
				if c.Charge.ID != mine[k].ID {
					t.Errorf("answer %d is of another charge", k)
				}
			}
		})
		for _, c := range charges {
			if news[c.ID] != 1 {
				t.Errorf("%d creators of one charge", news[c.ID])
			}
		}
	},
	"of many that save a version at once one wins": func(t *testing.T, s *till) {
		c := s.made(s.wish(100))
		change, _ := c.Apply(payments.Outcome{Status: payments.OutcomePaid}, now)
		wins := make(chan int, racers)
		together(racers, func(i int) {
			saved, err := s.store.Save(t.Context(), []payments.Change{change})
			if err != nil {
				t.Error(err)
			} else if saved[0] {
				wins <- i
			}
		})
		if len(wins) != 1 || len(s.transfers(c.ID)) != 1 || s.totals().Captured != 100 {
			t.Errorf("%d winners, %d transfers, %+v", len(wins), len(s.transfers(c.ID)), s.totals())
		}
	},
	"claimers at once never get the same charge": func(t *testing.T, s *till) {
		const charges = 100
		var batch []payments.Charge
		for range charges {
			batch = append(batch, s.wish(1))
		}
		s.create(batch...)
		at := now.Add(time.Hour)
		got := make(chan payments.ID, racers*charges)
		together(racers, func(int) {
			for {
				claimed, err := s.store.Claim(t.Context(), at, at.Add(time.Minute), 7)
				if err != nil || len(claimed) == 0 {
					if err != nil {
						t.Error(err)
					}
					return
				}
				for _, c := range claimed {
					got <- c.ID
				}
			}
		})
		for _, c := range s.claim(at, charges) { // a claimer passes over what another has locked, and may end early
			got <- c.ID
		}
		seen := make(map[payments.ID]bool)
		for len(got) > 0 {
			id := <-got
			if seen[id] {
				t.Errorf("charge %s was claimed twice", id)
			}
			seen[id] = true
		}
		if len(seen) != charges {
			t.Errorf("%d of %d charges were claimed", len(seen), charges)
		}
	},
	"claimers at once never get the same surplus": func(t *testing.T, s *till) {
		c := s.made(s.pix(100))
		for i := range 40 {
			s.take(c, fmt.Sprintf("E%02d", i), 1)
		}
		got := make(chan string, racers*40)
		together(racers, func(int) {
			claimed, err := s.store.ClaimSurplus(t.Context(), now, now.Add(time.Minute), 9)
			if err != nil {
				t.Error(err)
			}
			for _, r := range claimed {
				got <- r.EndToEndID
			}
		})
		seen := make(map[string]bool)
		for len(got) > 0 {
			e2e := <-got
			if seen[e2e] {
				t.Errorf("surplus %s was claimed twice", e2e)
			}
			seen[e2e] = true
		}
	},
	"a receipt that comes many times at once counts once": func(t *testing.T, s *till) {
		c, other := s.made(s.pix(100)), s.made(s.pix(100))
		together(racers, func(i int) {
			charge := c
			if i%4 == 3 {
				charge = other // a forged callback: whichever is first has the money
			}
			if _, err := s.store.TakeReceipt(t.Context(), receipt(charge, "E1", 100), now); err != nil {
				t.Error(err)
			}
		})
		if n := len(s.receipts(c.ID)) + len(s.receipts(other.ID)); n != 1 || s.totals().Captured != 100 {
			t.Errorf("%d receipts, %+v", n, s.totals())
		}
	},
	"many receipts at once are all taken in": func(t *testing.T, s *till) {
		c := s.made(s.pix(100))
		together(racers, func(i int) {
			if _, err := s.store.TakeReceipt(t.Context(), receipt(c, fmt.Sprintf("E%d", i), 100), now); err != nil {
				t.Error(err)
			}
		})
		got := s.get(c.ID)
		if got.Received != 100*racers || got.Version != 1+racers || len(s.transfers(c.ID)) != racers {
			t.Errorf("charge %+v", got)
		}
		if totals := s.totals(); totals.Captured != 100 || totals.Surplus != 100*(racers-1) {
			t.Errorf("totals %+v", totals)
		}
	},
	"a surplus that many give back at once goes back once": func(t *testing.T, s *till) {
		c := s.made(s.pix(100))
		s.take(c, "E1", 7)
		together(racers, func(int) {
			if err := s.store.GiveBack(t.Context(), receipt(c, "E1", 7), now); err != nil {
				t.Error(err)
			}
		})
		if got := s.get(c.ID); got.Refunded != 7 || s.totals().Surplus != 0 {
			t.Errorf("charge %+v, %+v", got, s.totals())
		}
	},
	"totals that are read and folded while the ledger grows lose nothing": func(t *testing.T, s *till) {
		const each = 150
		together(racers, func(i int) {
			var seen payments.Totals
			for range each {
				if i%4 == 0 {
					totals, err := s.store.Totals(t.Context())
					if err != nil || totals.Captured < seen.Captured {
						t.Errorf("%+v after %+v: %v", totals, seen, err)
					}
					seen = totals
					if _, err := s.store.Fold(t.Context()); err != nil {
						t.Error(err)
					}
					continue
				}
				c := s.wish(1)
				change, _ := c.Apply(payments.Outcome{Status: payments.OutcomePaid}, now)
				if _, err := s.store.Create(t.Context(), []payments.Charge{c}); err != nil {
					t.Error(err)
				}
				if saved, err := s.store.Save(t.Context(), []payments.Change{change}); err != nil || !saved[0] {
					t.Error(saved, err)
				}
			}
		})
		s.folded()
		if got := s.totals(); got.Captured != each*racers*3/4 {
			t.Errorf("totals %+v", got)
		}
	},
}
