package payments_test

import (
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
)

// TestAnEndThatFailsAgainAndAgainGrowsOld: each attempt to close a charge or to give its money back updates the charge, and its
// age must not begin anew for that. What is not ending has no such age.
func TestAnEndThatFailsAgainAndAgainGrowsOld(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	unknown := payments.Outcome{Status: payments.OutcomeUnknown}
	for name, c := range map[string]payments.Charge{
		"refunding": {Status: payments.Paid, Method: payments.Card, Amount: 1, Version: 1},
		"closing":   {Status: payments.Unknown, Method: payments.Card, Amount: 1, Version: 9, Attempts: 3},
	} {
		if got := bookOf(c).EndingSince(); !got.IsZero() {
			t.Errorf("%s: before that it ends since %s", name, got)
		}
		wanted, ok := c.WantClose(true, began)
		if !ok {
			t.Fatalf("%s: cannot be closed", name)
		}
		c = wanted.Charge
		if got := bookOf(c).EndingSince(); !got.Equal(began) {
			t.Errorf("%s: ends since %s, want %s", name, got, began)
		}
		first := began.Add(time.Second) // when the caller's own attempt fails
		at := first
		for range 100 {
			change, ok := c.Apply(unknown, at)
			if !ok {
				t.Fatalf("%s: an attempt in vain changes nothing", name)
			}
			c = change.Charge
			if got := bookOf(c).EndingSince(); !got.Equal(first) {
				t.Fatalf("%s: after %d attempts it ends since %s, want %s", name, c.Attempts, got, first)
			}
			at = c.NextAttemptAt
		}
	}
}

func bookOf(c payments.Charge) *payments.Book {
	return &payments.Book{Status: c.Status, CloseWanted: c.CloseWanted, Attempts: c.Attempts, UpdatedAt: c.UpdatedAt}
}
