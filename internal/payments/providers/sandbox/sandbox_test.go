package sandbox_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/brcode"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/providers/sandbox"
)

var start = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// fixed is a clock that stands still; its timers fire at once, and note how long they were to wait, or never.
type fixed struct {
	now    time.Time
	waited *time.Duration
}

func (f fixed) Now() time.Time { return f.now }

func (f fixed) AfterFunc(d time.Duration, fire func()) {
	if f.waited != nil {
		*f.waited = d
		fire()
	}
}

func provider(t *testing.T, clock fixed) *sandbox.Provider {
	t.Helper()
	p, err := sandbox.New(sandbox.Config{MerchantName: "Pedidos Veloz", MerchantCity: "São Paulo", Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTokens(t *testing.T) {
	t.Parallel()
	paid := payments.Outcome{Status: payments.OutcomePaid}
	declined := payments.Outcome{Status: payments.OutcomeDeclined, Reason: sandbox.ReasonDeclined}
	unknown := payments.Outcome{Status: payments.OutcomeDeclined, Reason: sandbox.ReasonUnknownToken}
	for _, c := range []struct {
		token  string
		lost   bool
		charge payments.Outcome
		later  payments.Outcome // to Query, from another process
	}{
		{sandbox.Approved, false, paid, paid},
		{sandbox.Declined, false, declined, declined},
		{sandbox.TimeoutApproved, true, payments.Outcome{}, paid},
		{sandbox.TimeoutDeclined, true, payments.Outcome{}, declined},
		{sandbox.Slow, false, paid, paid},
		{"tok_whatever", false, unknown, unknown},
		{"", false, unknown, unknown},
	} {
		var waited time.Duration
		charge := payments.Charge{Method: payments.Card, Token: c.token, Amount: 100, CreatedAt: start}
		got, err := provider(t, fixed{start, &waited}).Charge(t.Context(), charge)
		if got != c.charge || (err != nil) != c.lost {
			t.Errorf("%q: Charge = %+v, %v", c.token, got, err)
		}
		if slow := c.token == sandbox.Slow; slow != (waited == 2*time.Second) {
			t.Errorf("%q: waited %s", c.token, waited)
		}
		if got, err := provider(t, fixed{start.Add(time.Minute), &waited}).Query(t.Context(), charge); got != c.later || err != nil {
			t.Errorf("%q: Query = %+v, %v", c.token, got, err)
		}
	}
}

func TestSlowIsNotKnownBeforeItsTime(t *testing.T) {
	t.Parallel()
	charge := payments.Charge{Method: payments.Card, Token: sandbox.Slow, Amount: 100, CreatedAt: start}
	if got, err := provider(t, fixed{start.Add(time.Second), nil}).Query(t.Context(), charge); got.Status != payments.OutcomeUnknown || err != nil {
		t.Errorf("Query = %+v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := provider(t, fixed{start, nil}).Charge(ctx, charge); !errors.Is(err, context.Canceled) {
		t.Errorf("Charge = %v", err)
	}
}

func TestPix(t *testing.T) {
	t.Parallel()
	charge := payments.Charge{ID: payments.ID{1, 2}, Method: payments.Pix, Amount: 100, CreatedAt: start}
	got, err := provider(t, fixed{start, nil}).Charge(t.Context(), charge)
	if err != nil || got.Status != payments.OutcomePending {
		t.Fatalf("Charge = %+v, %v", got, err)
	}
	if got.Pix.TxID != payments.TxID(charge.ID) || !got.Pix.ExpiresAt.Equal(start.Add(15*time.Minute)) {
		t.Errorf("Pix = %+v", got.Pix)
	}
	code, err := brcode.Parse(got.Pix.CopyPaste)
	if err != nil || !strings.HasSuffix(code.URL, payments.TxID(charge.ID)) || code.City != "Sao Paulo" {
		t.Errorf("code = %+v, %v", code, err)
	}
	later := provider(t, fixed{start.Add(time.Hour), nil}) // another process, after a restart
	if again, err := later.Query(t.Context(), charge); err != nil || *again.Pix != *got.Pix {
		t.Errorf("Query = %+v, %v, want %+v", again.Pix, err, got.Pix)
	}
	if closed, err := later.Close(t.Context(), charge); err != nil || closed.Status != payments.OutcomeVoided {
		t.Errorf("Close = %+v, %v", closed, err)
	}
	if err := later.Refund(t.Context(), charge, "r1", 100); err != nil {
		t.Error(err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]sandbox.Config{
		"no clock":        {MerchantName: "N", MerchantCity: "C"},
		"no name":         {MerchantCity: "C", Clock: fixed{now: start}},
		"negative expiry": {MerchantName: "N", MerchantCity: "C", Clock: fixed{now: start}, PixExpiry: -1},
	} {
		if _, err := sandbox.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
