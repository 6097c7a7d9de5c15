package ordersapp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pedidos-veloz/pedidos-veloz/internal/audit"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
)

// books is a source of nothing but two items that are out of balance, or of an error, and of a hold that belongs to no order.
type books struct{ err, unreadable error }

func (b books) Stock(context.Context) ([]audit.Imbalance, error) {
	return []audit.Imbalance{{SKU: "A-1", Held: 1}, {SKU: "A-2", Held: 2}}, b.err
}
func (books) Ledger(context.Context) (audit.Ledger, error) { return audit.Ledger{}, nil }
func (b books) Orders(context.Context, audit.Range) ([]audit.Order, audit.OrderID, error) {
	return nil, audit.OrderID{}, b.unreadable
}
func (books) Holds(context.Context, audit.Range) ([]audit.Hold, audit.OrderID, error) {
	return []audit.Hold{{OrderID: audit.OrderID{1}, Round: 1, Lines: []audit.Line{{SKU: "A-1", Quantity: 1}}}}, audit.OrderID{}, nil
}
func (books) Charges(context.Context, audit.Range) ([]audit.Charge, audit.OrderID, error) {
	return nil, audit.OrderID{}, nil
}

// TestAnAuditIsReported: by kind in the metrics, by id in the log; one that could not be done is no success.
func TestAnAuditIsReported(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	a := newAuditing(audit.Config{Source: books{}, Clock: clock.System{}, Patience: 1}, slog.New(slog.NewTextHandler(&log, nil)))
	if _, err := a.step(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := values(t, a)
	if got["veloz_audit_violations stock_imbalance"] != 2 || got["veloz_audit_violations hold_without_order"] != 1 || got["veloz_audit_violations hold_missing"] != 0 ||
		got["veloz_audit_last_success_timestamp_seconds"] == 0 || len(got) != len(audit.Kinds())+4 {
		t.Errorf("metrics %v", got)
	}
	if said := log.String(); strings.Count(said, "audit found a violation") != 3 || !strings.Contains(said, "sku=A-2") {
		t.Errorf("log %s", said)
	}

	failing := newAuditing(audit.Config{Source: books{unreadable: errors.New("no route")}, Clock: clock.System{}}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if _, err := failing.step(t.Context()); err == nil {
		t.Error("an audit that could not be done is no error")
	}
	if got := values(t, failing); got["veloz_audit_failures_total"] != 1 || got["veloz_audit_last_success_timestamp_seconds"] != 0 {
		t.Errorf("metrics %v", got)
	}
}

// TestAnAuditWithoutASumIsAFailureThatIsReported: what it found of the orders is told, and of what it could not look for the last
// word stands.
func TestAnAuditWithoutASumIsAFailureThatIsReported(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	a := newAuditing(audit.Config{Source: books{err: errors.New("took too long")}, Clock: clock.System{}, Patience: 1}, slog.New(slog.NewTextHandler(&log, nil)))
	a.show(&audit.Report{Findings: []audit.Finding{{Kind: audit.StockImbalance}, {Kind: audit.MoneyKept}}})
	if _, err := a.step(t.Context()); err == nil || !strings.Contains(err.Error(), "took too long") {
		t.Errorf("the audit's error is %v", err)
	}
	got := values(t, a)
	if got["veloz_audit_failures_total"] != 1 || got["veloz_audit_last_success_timestamp_seconds"] != 0 ||
		got["veloz_audit_violations stock_imbalance"] != 1 || got["veloz_audit_violations money_kept"] != 0 || got["veloz_audit_violations hold_without_order"] != 1 {
		t.Errorf("metrics %v", got)
	}
	if said := log.String(); strings.Count(said, "audit found a violation") != 1 || strings.Contains(said, "audit is done") {
		t.Errorf("log %s", said)
	}
}

// values are the metrics by name and label.
func values(t *testing.T, a *auditing) map[string]float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(a.violations, a.succeeded, a.orders, a.seconds, a.failures)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]float64)
	for _, family := range families {
		for _, m := range family.Metric {
			name := family.GetName()
			for _, label := range m.Label {
				name += " " + label.GetValue()
			}
			found[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return found
}
