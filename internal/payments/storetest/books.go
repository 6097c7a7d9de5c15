package storetest

import (
	"slices"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
)

var bookCases = map[string]testCase{
	"books come by order and charge, cut at both ends and by the limit": func(t *testing.T, s *till) {
		first, second, twin := s.made(s.wish(1)), s.made(s.wish(2)), s.wish(3)
		twin.OrderID = first.OrderID
		s.create(twin)
		all := []payments.Book{bookOf(first), bookOf(twin), bookOf(second)}
		s.wantBooks(payments.Range{Limit: 9}, all)
		s.wantBooks(payments.Range{Limit: 2}, all[:2])
		s.wantBooks(payments.Range{From: second.OrderID, Limit: 9}, all[2:])
		s.wantBooks(payments.Range{Before: second.OrderID, Limit: 9}, all[:2])
		s.wantBooks(payments.Range{From: payments.OrderID(fresh[struct{}](s)), Limit: 9}, nil)
	},
	"a book has what the ledger says": func(t *testing.T, s *till) {
		paid := s.apply(s.made(s.wish(500)), payments.Outcome{Status: payments.OutcomePaid})
		open := s.made(s.pix(70))
		s.take(open, "E1", 70)
		over := s.take(open, "E2", 30)
		change, _ := paid.WantClose(true, now)
		s.save(change)
		back := s.apply(change.Charge, payments.Outcome{Status: payments.OutcomeRefunded})
		wantBack, wantOver := bookOf(back), bookOf(over)
		wantOver.Ledger = payments.Balances{AtProvider: 100, Sales: -70, CustomerSurplus: -30}
		s.wantBooks(payments.Range{Limit: 9}, []payments.Book{wantBack, wantOver})

		balance, err := s.store.Balance(t.Context())
		must(t, err)
		want := payments.Balance{Ledger: wantOver.Ledger, Totals: payments.Totals{Captured: 570, Refunded: 500, Surplus: 30}, Received: 600, Refunded: 500}
		if balance != want {
			t.Errorf("balance %+v, want %+v", balance, want)
		}
	},
	"an empty ledger sums to nothing": func(t *testing.T, s *till) {
		if balance, err := s.store.Balance(t.Context()); err != nil || balance != (payments.Balance{}) {
			t.Errorf("balance %+v, %v", balance, err)
		}
	},
}

func bookOf(c payments.Charge) payments.Book {
	return payments.Book{ID: c.ID, OrderID: c.OrderID, Status: c.Status, Amount: c.Amount, Received: c.Received, Refunded: c.Refunded,
		CloseWanted: c.CloseWanted, Attempts: c.Attempts, UpdatedAt: c.UpdatedAt}
}

func (s *till) wantBooks(r payments.Range, want []payments.Book) {
	s.t.Helper()
	got, err := s.store.Books(s.t.Context(), r)
	must(s.t, err)
	if !slices.Equal(got, want) {
		s.t.Errorf("books of %+v are\n%+v, want\n%+v", r, got, want)
	}
}
