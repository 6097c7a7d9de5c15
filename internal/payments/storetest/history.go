package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
)

// historyCases are about what happened to a payment, of which only the end is read.
var historyCases = map[string]testCase{
	"of a long history the end is read, in its order": func(t *testing.T, s *till) {
		c, other := s.made(s.pix(100)), s.made(s.pix(100))
		for i := range 5 {
			s.take(c, fmt.Sprintf("E%d", i), 1)
		}
		s.take(other, "F", 1)
		receipts, transfers := s.receipts(c.ID), s.transfers(c.ID)
		if len(receipts) != 5 || len(transfers) != 5 {
			t.Fatalf("%d receipts, %d transfers", len(receipts), len(transfers))
		}
		for _, limit := range []int{1, 3, 5, 6} {
			from := max(0, 5-limit)
			newest, err := s.store.Receipts(t.Context(), c.ID, limit)
			must(t, err)
			if !slices.Equal(newest, receipts[from:]) {
				t.Errorf("the last %d receipts: %+v", limit, newest)
			}
			rows, err := s.store.Transfers(t.Context(), c.ID, limit)
			must(t, err)
			if !slices.Equal(rows, transfers[from:]) {
				t.Errorf("the last %d transfers: %+v", limit, rows)
			}
		}
	},
	"nothing happened to nobody": func(t *testing.T, s *till) {
		nobody := payments.ID(fresh[struct{}](s))
		if r, rows := s.receipts(nobody), s.transfers(nobody); len(r)+len(rows) != 0 {
			t.Errorf("%+v, %+v", r, rows)
		}
	},
}
