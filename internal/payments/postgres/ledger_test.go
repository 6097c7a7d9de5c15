package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
)

const (
	sumsSQL     = `SELECT count(*) FROM ledger_sums`
	manySumsSQL = `INSERT INTO ledger_sums (captured_cents, refunded_cents, surplus_cents) SELECT 3, 2, 1 FROM generate_series(1, 12000)`
)

// TestTheSumsAreFoldedInSteps: a step takes so many rows and no more, reading them folds nothing, and what stands alone is not
// written again.
func TestTheSumsAreFoldedInSteps(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 0)
	d.exec(manySumsSQL)
	const writerSQL = `SELECT max(xmin::text::bigint) FROM ledger_sums`
	for i, want := range []struct {
		more bool
		left int
	}{{true, 7001}, {true, 2002}, {false, 1}, {false, 1}} {
		d.wantTotals(payments.Totals{Captured: 36_000, Refunded: 24_000, Surplus: 12_000})
		writer := d.count(writerSQL)
		if more, err := d.store.Fold(t.Context()); err != nil || more != want.more || d.count(sumsSQL) != want.left {
			t.Errorf("step %d: %d rows are left, more is %t, %v", i, d.count(sumsSQL), more, err)
		}
		if again := d.count(writerSQL) != writer; again != (i < 3) {
			t.Errorf("step %d: something was written: %t", i, again)
		}
	}
	d.wantTotals(payments.Totals{Captured: 36_000, Refunded: 24_000, Surplus: 12_000})
}

// TestAFoldWaitsForNobody: rows that another replica is folding are passed over.
func TestAFoldWaitsForNobody(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 0)
	d.exec(manySumsSQL)
	other, err := d.conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Exec(t.Context(), `SELECT id FROM ledger_sums ORDER BY id LIMIT 11990 FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	impatient, cancel := context.WithTimeout(t.Context(), time.Minute) // a fold that waits would wait for ever
	defer cancel()
	if more, err := d.store.Fold(impatient); err != nil || more {
		t.Errorf("beside another: more is %t, %v", more, err)
	}
	if err := other.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := d.count(sumsSQL); got != 11_991 {
		t.Errorf("%d rows are left, want the other's 11990 and the sum of ten", got)
	}
	d.wantTotals(payments.Totals{Captured: 36_000, Refunded: 24_000, Surplus: 12_000})
}

func (d *desk) exec(sql string) {
	d.t.Helper()
	if _, err := d.conn.Exec(d.t.Context(), sql); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) wantTotals(want payments.Totals) {
	d.t.Helper()
	if got, err := d.store.Totals(d.t.Context()); err != nil || got != want {
		d.t.Errorf("totals %+v, %v, want %+v", got, err, want)
	}
}
