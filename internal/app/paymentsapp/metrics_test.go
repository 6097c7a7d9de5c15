package paymentsapp

import (
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/memory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
)

// silent is a provider that nobody calls.
type silent struct{ payments.Provider }

// TestNoticesAreMeasured scrapes while orders has two changes to hear of.
func TestNoticesAreMeasured(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	store := memory.New()
	for i, age := range []time.Duration{90 * time.Second, 5 * time.Second} {
		charge := payments.Charge{ID: payments.ID{0: byte(i + 1)}, OrderID: payments.OrderID{0: byte(i + 1)}, Method: payments.Pix, Amount: 100, Received: 100, Version: 1,
			Status: payments.Paid, Notice: true, CreatedAt: now.Add(-time.Hour), UpdatedAt: now.Add(-age)}
		if _, err := store.Create(t.Context(), []payments.Charge{charge}); err != nil {
			t.Fatal(err)
		}
	}
	got := scrape(t, store, now)
	if got["veloz_payments_notices"] != 2 || got["veloz_payments_oldest_notice_seconds"] != 90 {
		t.Errorf("notices %v, the oldest %v s old; want 2 and 90", got["veloz_payments_notices"], got["veloz_payments_oldest_notice_seconds"])
	}
}

// TestTheOldestUnknownChargeIsMeasured scrapes when none is, and while two are.
func TestTheOldestUnknownChargeIsMeasured(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	store := memory.New()
	if got := scrape(t, store, now)["veloz_payments_oldest_unknown_seconds"]; got != 0 {
		t.Errorf("of none the oldest is %v s old", got)
	}
	for i, age := range []time.Duration{5 * time.Second, 11 * time.Minute} {
		charge := payments.Charge{ID: payments.ID{0: byte(i + 1)}, OrderID: payments.OrderID{0: byte(i + 1)}, Method: payments.Card, Amount: 100, Version: 4,
			Status: payments.Unknown, CreatedAt: now.Add(-age), UpdatedAt: now}
		if _, err := store.Create(t.Context(), []payments.Charge{charge}); err != nil {
			t.Fatal(err)
		}
	}
	if got := scrape(t, store, now); got["veloz_payments_unknown"] != 2 || got["veloz_payments_oldest_unknown_seconds"] != 660 {
		t.Errorf("%v unknown, the oldest %v s old; want 2 and 660", got["veloz_payments_unknown"], got["veloz_payments_oldest_unknown_seconds"])
	}
}

// scrape reads the gauges of a service over a store.
func scrape(t *testing.T, store payments.Store, now time.Time) map[string]float64 {
	t.Helper()
	at := clock.NewManual(now)
	service, err := payments.New(payments.Config{Patience: time.Second, ProviderTimeout: time.Second, MaxCalls: 1}, store, silent{}, at, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(newCollector(service, at))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, family := range families {
		got[family.GetName()] = family.GetMetric()[0].GetGauge().GetValue()
	}
	return got
}
