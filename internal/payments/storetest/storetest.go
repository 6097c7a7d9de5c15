// Package storetest is the conformance suite of payments.Store: each sentence of its contract is a test that every engine
// passes.
package storetest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// now is the suite's time: every time that a store keeps is given to it.
var now = time.Date(2026, 11, 27, 12, 0, 0, 123456000, time.UTC)

type testCase = func(t *testing.T, s *till)

// Run runs the suite. open makes an empty store; the suite closes it.
func Run(t *testing.T, open func(t *testing.T) payments.Store) {
	cases := make(map[string]testCase)
	for _, group := range []map[string]testCase{chargeCases, claimCases, receiptCases, historyCases, noticeCases, totalsCases, bookCases, raceCases} {
		maps.Copy(cases, group)
	}
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cases[name](t, newTill(t, open(t)))
		})
	}
}

// till is a store whose errors end the test, and the ids that it hands out.
type till struct {
	t     *testing.T
	store payments.Store

	ids *id.Source
}

func newTill(t *testing.T, store payments.Store) *till {
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return &till{t: t, store: store, ids: id.NewSource(clock.System{}, zeros{})}
}

// zeros is randomness for ids that need only be different, which their time sees to.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// order and payment give fresh ids; later ones sort later.
func fresh[K any](s *till) id.ID[K] { return id.New[K](s.ids) }

func (s *till) wish(amount money.Cents) payments.Charge {
	return payments.NewCharge(payments.Charge{
		ID: payments.ID(fresh[struct{}](s)), OrderID: payments.OrderID(fresh[struct{}](s)), Method: payments.Card, Token: "tok", Amount: amount, Provider: "p",
	}, now)
}

func (s *till) pix(amount money.Cents) payments.Charge {
	c := s.wish(amount)
	c.Method, c.Token = payments.Pix, ""
	return c
}

func (s *till) create(charges ...payments.Charge) []payments.Created {
	s.t.Helper()
	created, err := s.store.Create(s.t.Context(), charges)
	must(s.t, err)
	return created
}

// made creates a charge and answers it.
func (s *till) made(c payments.Charge) payments.Charge {
	s.t.Helper()
	s.create(c)
	return c
}

func (s *till) save(changes ...payments.Change) []bool {
	s.t.Helper()
	saved, err := s.store.Save(s.t.Context(), changes)
	must(s.t, err)
	return saved
}

func (s *till) apply(c payments.Charge, outcome payments.Outcome) payments.Charge {
	s.t.Helper()
	change, ok := c.Apply(outcome, now)
	if !ok || !slices.Equal(s.save(change), []bool{true}) {
		s.t.Fatalf("outcome %+v was not saved", outcome)
	}
	return change.Charge
}

func (s *till) get(id payments.ID) payments.Charge {
	s.t.Helper()
	charges, err := s.store.Get(s.t.Context(), []payments.ID{id})
	must(s.t, err)
	if len(charges) != 1 {
		s.t.Fatalf("%d charges of one id", len(charges))
	}
	return charges[0]
}

// all is more receipts or transfers than any payment of the suite has.
const all = 1000

func (s *till) transfers(id payments.ID) []payments.Transfer {
	s.t.Helper()
	transfers, err := s.store.Transfers(s.t.Context(), id, all)
	must(s.t, err)
	return transfers
}

func (s *till) receipts(id payments.ID) []payments.Receipt {
	s.t.Helper()
	receipts, err := s.store.Receipts(s.t.Context(), id, all)
	must(s.t, err)
	return receipts
}

func (s *till) take(c payments.Charge, endToEndID string, amount money.Cents) payments.Charge {
	s.t.Helper()
	taken, err := s.store.TakeReceipt(s.t.Context(), receipt(c, endToEndID, amount), now)
	must(s.t, err)
	return taken
}

func receipt(c payments.Charge, endToEndID string, amount money.Cents) payments.Receipt {
	return payments.Receipt{EndToEndID: endToEndID, PaymentID: c.ID, Amount: amount, ReceivedAt: now}
}

func (s *till) claim(at time.Time, limit int) []payments.Charge {
	s.t.Helper()
	claimed, err := s.store.Claim(s.t.Context(), at, at.Add(time.Minute), limit)
	must(s.t, err)
	return claimed
}

func (s *till) claimSurplus(at time.Time, limit int) []payments.Receipt {
	s.t.Helper()
	claimed, err := s.store.ClaimSurplus(s.t.Context(), at, at.Add(time.Minute), limit)
	must(s.t, err)
	return claimed
}

func (s *till) notices(limit int) []payments.Charge {
	s.t.Helper()
	notices, err := s.store.Notices(s.t.Context(), limit)
	must(s.t, err)
	return notices
}

func (s *till) totals() payments.Totals {
	s.t.Helper()
	totals, err := s.store.Totals(s.t.Context())
	must(s.t, err)
	return totals
}

// folded folds until there is no more.
func (s *till) folded() {
	s.t.Helper()
	for more := true; more; {
		var err error
		more, err = s.store.Fold(s.t.Context())
		must(s.t, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal(t *testing.T, what string, got, want payments.Charge) {
	t.Helper()
	if got.Pix != nil && want.Pix != nil {
		if *got.Pix != *want.Pix {
			t.Errorf("%s: Pix is %+v, want %+v", what, *got.Pix, *want.Pix)
		}
		got.Pix = want.Pix
	}
	if got != want {
		t.Errorf("%s: charge is\n%+v, want\n%+v", what, got, want)
	}
}

func ids(charges []payments.Charge) []payments.ID {
	found := make([]payments.ID, len(charges))
	for i, c := range charges {
		found[i] = c.ID
	}
	return found
}

// together runs f n times at once and returns when all have.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
