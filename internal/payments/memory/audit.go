package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
)

// Books implements payments.Store.
func (s *Store) Books(ctx context.Context, r payments.Range) (books []payments.Book, err error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	for _, c := range s.charges {
		id := c.OrderID
		if bytes.Compare(id[:], r.From[:]) < 0 || !r.Before.IsZero() && bytes.Compare(id[:], r.Before[:]) >= 0 {
			continue
		}
		book := payments.Book{ID: c.ID, OrderID: c.OrderID, Status: c.Status, Amount: c.Amount, Received: c.Received, Refunded: c.Refunded,
			CloseWanted: c.CloseWanted, Attempts: c.Attempts, UpdatedAt: c.UpdatedAt}
		for _, t := range s.transfers[c.ID] {
			book.Ledger.Add(t)
		}
		books = append(books, book)
	}
	slices.SortFunc(books, func(a, b payments.Book) int {
		return cmp.Or(bytes.Compare(a.OrderID[:], b.OrderID[:]), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return books[:min(r.Limit, len(books))], nil
}

// Balance implements payments.Store.
func (s *Store) Balance(ctx context.Context) (payments.Balance, error) {
	if err := s.begin(ctx); err != nil {
		return payments.Balance{}, err
	}
	defer s.mu.Unlock()
	balance := payments.Balance{Totals: s.totals}
	for _, c := range s.charges {
		balance.Received += c.Received
		balance.Refunded += c.Refunded
	}
	for _, transfers := range s.transfers {
		for _, t := range transfers {
			balance.Ledger.Add(t)
		}
	}
	return balance, nil
}
