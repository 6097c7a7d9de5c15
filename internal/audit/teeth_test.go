package audit_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/audit"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

// world is one order of every sort.
type world struct {
	*shop
	sold, declined, soldOut, canceled, awaiting, paid orders.Order
}

func populate(t *testing.T) *world {
	s := open(t)
	w := &world{shop: s,
		sold: s.buy("PLENTY", "tok_approved", orders.Confirmed), declined: s.buy("PLENTY", "tok_declined", orders.Rejected),
		soldOut: s.buy("NONE", "tok_approved", orders.Rejected), canceled: s.buy("PLENTY", "tok_timeout_approved", orders.Confirmed),
		awaiting: s.buy("PLENTY", "", orders.AwaitingPayment), paid: s.buy("PLENTY", "", orders.AwaitingPayment),
	}
	s.pay(w.paid)
	s.settled(w.paid, orders.Confirmed)
	s.cancel(w.canceled)
	return w
}

func TestSoundBooksAreClean(t *testing.T) {
	t.Parallel()
	w := populate(t)
	w.pay(w.paid) // twice: the second payment goes back
	report := w.audit(audit.Config{})
	if !report.OK() || report.Orders != 6 || report.Charges != 5 || report.Holds != 5 {
		t.Errorf("report %+v", report)
	}
}

// expectation is a kind, and the order or the item that it must name.
type expectation struct {
	kind  audit.Kind
	order [16]byte
	sku   string
}

// corruption changes one fact; want is what an audit must name then, and nothing else.
type corruption struct {
	corrupt func(w *world)
	want    func(w *world) []expectation
}

// stray and twin are ids that the services do not know.
var stray, twin = newID(), newID()

var corruptions = map[string]corruption{
	"a lost order leaves its hold and its charge": {
		func(w *world) { w.corrupt("orders", `DELETE FROM orders WHERE id = ?`, w.sold.ID) },
		func(w *world) []expectation {
			return []expectation{{kind: audit.HoldWithoutOrder, order: w.sold.ID}, {kind: audit.ChargeWithoutOrder, order: w.sold.ID}}
		},
	},
	"a lost state leaves an order that nobody will take up": {
		func(w *world) { w.corrupt("orders", `DELETE FROM order_states WHERE order_id = ?`, w.sold.ID) },
		func(w *world) []expectation { return []expectation{{kind: audit.Overdue, order: w.sold.ID}} },
	},
	"a hold of another order": {
		func(w *world) {
			w.corrupt("inventory", `UPDATE holds SET order_id = ? WHERE order_id = ?`, stray, w.sold.ID)
		},
		func(w *world) []expectation {
			return []expectation{{kind: audit.HoldMissing, order: w.sold.ID}, {kind: audit.HoldWithoutOrder, order: stray}}
		},
	},
	"a capture of another order": {
		func(w *world) {
			w.corrupt("payments", `UPDATE charges SET order_id = ? WHERE order_id = ?`, stray, w.sold.ID)
		},
		func(w *world) []expectation {
			return []expectation{{kind: audit.CaptureMissing, order: w.sold.ID}, {kind: audit.ChargeWithoutOrder, order: stray}}
		},
	},
	"confirmed without a capture": {
		func(w *world) {
			w.corrupt("orders", `UPDATE order_states SET status = 'confirmed', payment_status = 'paid' WHERE order_id = ?`, w.awaiting.ID)
		},
		func(w *world) []expectation {
			return []expectation{{kind: audit.CaptureMissing, order: w.awaiting.ID}}
		},
	},
	"captured twice": {
		func(w *world) {
			w.corrupt("payments", `INSERT INTO charges SELECT ?, order_id, method, token, amount_cents, provider, status, decline_reason, pix_txid, pix_copy_paste,
				pix_expires_at, received_cents, refunded_cents, close_wanted, refund_wanted, notice, version, attempts, next_attempt_at, created_at, updated_at
				FROM charges WHERE order_id = ?`, twin, w.sold.ID)
			w.corrupt("payments", `INSERT INTO ledger SELECT ?, number, kind, debit, credit, amount_cents, at FROM ledger WHERE payment_id = ?`, twin, w.sold.PaymentID)
			w.corrupt("payments", `UPDATE ledger_sums SET captured_cents = captured_cents + 1990`)
		},
		func(w *world) []expectation { return []expectation{{kind: audit.CapturedTwice, order: w.sold.ID}} },
	},
	"a wrong amount, booked all the same": {
		func(w *world) {
			w.corrupt("payments", `UPDATE charges SET amount_cents = amount_cents - 1, received_cents = received_cents - 1 WHERE order_id = ?`, w.sold.ID)
			w.unlock()
			w.corrupt("payments", `UPDATE ledger SET amount_cents = amount_cents - 1 WHERE payment_id = ?`, w.sold.PaymentID)
			w.corrupt("payments", `UPDATE ledger_sums SET captured_cents = captured_cents - 1`)
		},
		func(w *world) []expectation { return []expectation{{kind: audit.AmountDiffers, order: w.sold.ID}} },
	},
	"a movement is missing": {
		func(w *world) { w.corrupt("inventory", `DELETE FROM movements WHERE order_id = ?`, w.sold.ID) },
		func(*world) []expectation { return []expectation{{kind: audit.StockImbalance, sku: "PLENTY"}} },
	},
	"an update of stock was lost": {
		func(w *world) { w.corrupt("inventory", `UPDATE items SET held = held - 1 WHERE sku = 'PLENTY'`) },
		func(*world) []expectation { return []expectation{{kind: audit.StockImbalance, sku: "PLENTY"}} },
	},
	"a hold was released behind its order": {
		func(w *world) { w.corrupt("inventory", `UPDATE holds SET released = 1 WHERE order_id = ?`, w.sold.ID) },
		func(w *world) []expectation {
			return []expectation{{kind: audit.StockImbalance, sku: "PLENTY"}, {kind: audit.HoldMissing, order: w.sold.ID}}
		},
	},
	"more is held than the order sells": {
		func(w *world) {
			w.corrupt("inventory", `UPDATE holds SET lines = replace(lines, '"quantity":1', '"quantity":2') WHERE order_id = ?`, w.sold.ID)
		},
		func(w *world) []expectation {
			return []expectation{{kind: audit.StockImbalance, sku: "PLENTY"}, {kind: audit.HoldDiffers, order: w.sold.ID}}
		},
	},
	"an order is over and keeps everything": {
		func(w *world) {
			w.corrupt("orders", `UPDATE order_states SET status = 'canceled' WHERE order_id = ?`, w.sold.ID)
		},
		func(w *world) []expectation {
			return []expectation{{kind: audit.StockKept, order: w.sold.ID}, {kind: audit.MoneyKept, order: w.sold.ID}}
		},
	},
	"a row of the ledger is missing": {
		func(w *world) {
			w.unlock()
			w.corrupt("payments", `DELETE FROM ledger WHERE payment_id = ?`, w.sold.PaymentID)
		},
		func(w *world) []expectation {
			return []expectation{{kind: audit.LedgerImbalance}, {kind: audit.LedgerImbalance}, {kind: audit.LedgerDiffers, order: w.sold.ID}, {kind: audit.CaptureMissing, order: w.sold.ID}}
		},
	},
	"a row of the ledger belongs to no charge": {
		func(w *world) {
			w.corrupt("payments", `INSERT INTO ledger VALUES (?, 1, 'capture', 'provider', 'sales', 5, 0)`, stray)
		},
		func(*world) []expectation {
			return []expectation{{kind: audit.LedgerImbalance}, {kind: audit.LedgerImbalance}}
		},
	},
	"a payer waits for nobody": {
		func(w *world) { w.stop(); w.pay(w.awaiting) },
		func(w *world) []expectation {
			return []expectation{{kind: audit.PaymentUnheard, order: w.awaiting.ID}}
		},
	},
	"an order is overdue": {
		func(w *world) {
			w.stop()
			// It is taken up, in vain: so far for a minute from now.
			w.corrupt("orders", `UPDATE open_orders SET next_attempt_at = (unixepoch() + 60) * 1000000 WHERE order_id = ?`, w.awaiting.ID)
			w.corrupt("orders", `UPDATE order_states SET progress = replace(progress, '"expires_at":"2', '"expires_at":"1') WHERE order_id = ?`, w.awaiting.ID)
		},
		func(w *world) []expectation { return []expectation{{kind: audit.Overdue, order: w.awaiting.ID}} },
	},
	"a refund is overdue, whose order rests": {
		func(w *world) {
			w.stop()
			w.corrupt("orders", `UPDATE order_states SET status = 'canceled' WHERE order_id = ?`, w.sold.ID)
			// Twenty attempts in vain have taken thirteen minutes, and the last was five minutes ago.
			w.corrupt("payments", `UPDATE charges SET status = 'refunding', refund_wanted = 1, attempts = 20,
				updated_at = (unixepoch() - 300) * 1000000, next_attempt_at = (unixepoch() + 60) * 1000000 WHERE order_id = ?`, w.sold.ID)
		},
		func(w *world) []expectation {
			return []expectation{{kind: audit.Overdue, order: w.sold.ID}, {kind: audit.StockKept, order: w.sold.ID}}
		},
	},
	"nobody will take an order up": {
		func(w *world) {
			w.corrupt("orders", `DELETE FROM open_orders WHERE order_id = ?`, w.awaiting.ID)
		},
		func(w *world) []expectation { return []expectation{{kind: audit.Overdue, order: w.awaiting.ID}} },
	},
}

// TestCorruption corrupts one fact at a time, and wants it named: the kind and the ids, and nothing else.
func TestCorruption(t *testing.T) {
	t.Parallel()
	for name, c := range corruptions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := populate(t)
			c.corrupt(w)
			w.wantFindings(w.audit(audit.Config{}), c.want(w)...)
		})
	}
}

// unlock lets a test write where the schema forbids it.
func (w *world) unlock() {
	w.reach("payments", func(c *sqlite.Conn) error {
		return c.Script(`DROP TRIGGER ledger_is_never_updated; DROP TRIGGER ledger_is_never_deleted`)
	})
}

func (w *world) wantFindings(report *audit.Report, want ...expectation) {
	w.Helper()
	var got []expectation
	for _, f := range report.Findings {
		got = append(got, expectation{f.Kind, f.OrderID, f.SKU})
		named := f.SKU
		if !f.OrderID.IsZero() {
			named = f.OrderID.String()
		}
		if !strings.Contains(f.Text, named) {
			w.Errorf("%q does not name %s", f.Text, named)
		}
	}
	slices.SortFunc(got, byKind)
	slices.SortFunc(want, byKind)
	if !slices.Equal(got, want) {
		w.Errorf("findings %+v,\nwant %+v", report.Findings, want)
	}
}

func byKind(a, b expectation) int {
	return strings.Compare(string(a.kind)+string(a.order[:]), string(b.kind)+string(b.order[:]))
}

// TestWhatIsUnderWayIsDismissed: what looks wrong once and then no more is not a violation.
func TestWhatIsUnderWayIsDismissed(t *testing.T) {
	t.Parallel()
	w := populate(t)
	w.corrupt("inventory", `UPDATE holds SET order_id = ? WHERE order_id = ?`, stray, w.sold.ID)
	mend := func() {
		w.corrupt("inventory", `UPDATE holds SET order_id = ? WHERE order_id = ?`, w.sold.ID, stray)
	}
	report := w.audit(audit.Config{Clock: &mending{mend: mend}, Patience: time.Second})
	if !report.OK() || report.Reread != 2 || report.Dismissed != 2 {
		t.Errorf("report %+v", report)
	}
}

// mending mends the books while the audit waits for the first time.
type mending struct {
	instant
	mend func()
}

func (m *mending) AfterFunc(d time.Duration, f func()) {
	if m.mend != nil {
		m.mend()
		m.mend = nil
	}
	m.instant.AfterFunc(d, f)
}

// TestYoungOrdersAreLeftToTheNextAudit: and so is what is wrong with them. How many they were is told.
func TestYoungOrdersAreLeftToTheNextAudit(t *testing.T) {
	t.Parallel()
	w := populate(t)
	w.corrupt("orders", `DELETE FROM orders WHERE id = ?`, w.sold.ID)
	if report := w.audit(audit.Config{MinAge: time.Hour}); !report.OK() || report.Orders+report.Holds+report.Charges != 0 ||
		report.Younger != 5 || report.YoungerMore || report.StartedAt.Sub(report.PlacedBefore).Round(time.Minute) != time.Hour {
		t.Errorf("report %+v", report)
	}
	if report := w.audit(audit.Config{}); report.Younger != 0 || report.PlacedBefore.Before(report.StartedAt) {
		t.Errorf("an audit of all left something out: %+v", report)
	}
}
