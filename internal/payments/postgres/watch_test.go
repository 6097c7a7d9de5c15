package postgres_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	engine "github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

var now = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// desk is a store, a connection beside it, and wishes that are in it.
type desk struct {
	t      *testing.T
	store  *postgres.Store
	conn   *pgx.Conn
	wishes []payments.Charge
}

func newDesk(t *testing.T, wishes int) *desk {
	t.Helper()
	url := migrated(t)
	store, err := postgres.Open(t.Context(), url, engine.Config{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	d, ids := &desk{t: t, store: store, conn: conn}, id.NewSource(clock.System{}, zeros{})
	for range wishes {
		d.wishes = append(d.wishes, payments.NewCharge(payments.Charge{ID: payments.ID(id.New[struct{}](ids)), OrderID: payments.OrderID(id.New[struct{}](ids)),
			Method: payments.Card, Token: "tok", Amount: 100, Provider: "p"}, now))
	}
	if _, err := store.Create(t.Context(), d.wishes); err != nil {
		t.Fatal(err)
	}
	return d
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// capture saves that the provider took the wishes.
func (d *desk) capture(wishes ...payments.Charge) {
	d.t.Helper()
	var changes []payments.Change
	for _, c := range wishes {
		change, _ := c.Apply(payments.Outcome{Status: payments.OutcomePaid}, now)
		changes = append(changes, change)
	}
	if saved, err := d.store.Save(d.t.Context(), changes); err != nil || slices.Contains(saved, false) {
		d.t.Fatal(saved, err)
	}
}

func (d *desk) claim(at time.Time) []payments.Charge {
	d.t.Helper()
	claimed, err := d.store.Claim(d.t.Context(), at, at.Add(time.Minute), 10)
	if err != nil {
		d.t.Fatal(err)
	}
	return claimed
}

func (d *desk) count(sql string) (n int) {
	d.t.Helper()
	if err := d.conn.QueryRow(d.t.Context(), sql).Scan(&n); err != nil {
		d.t.Fatal(err)
	}
	return n
}

const watchesSQL = `SELECT count(*) FROM watches`

// TestWatchEnds: the row that a batch leaves behind goes with the first claim after its lease when all is decided.
func TestWatchEnds(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 3)
	d.capture(d.wishes...)
	if got := d.claim(d.wishes[0].NextAttemptAt.Add(-time.Microsecond)); len(got) != 0 || d.count(watchesSQL) != 1 {
		t.Errorf("before the lease ended: %d claimed, %d watches", len(got), d.count(watchesSQL))
	}
	if got := d.claim(d.wishes[0].NextAttemptAt); len(got) != 0 || d.count(watchesSQL) != 0 {
		t.Errorf("after the lease ended: %d claimed, %d watches", len(got), d.count(watchesSQL))
	}
}

// TestWatchKeepsWhatIsLocked: a charge that somebody has locked when its lease ends holds up no claim, and is claimed later.
func TestWatchKeepsWhatIsLocked(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 3)
	d.capture(d.wishes[0])
	tx, err := d.conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	locked, at := d.wishes[1], d.wishes[1].NextAttemptAt
	if _, err := tx.Exec(t.Context(), `SELECT id FROM charges WHERE id = $1 FOR UPDATE`, [16]byte(locked.ID)); err != nil {
		t.Fatal(err)
	}
	if got := d.claim(at); len(got) != 1 || got[0].ID != d.wishes[2].ID {
		t.Errorf("while one is locked: %v", got)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := d.claim(at); len(got) != 1 || got[0].ID != locked.ID {
		t.Errorf("after it was locked: %v", got)
	}
	if d.claim(at); d.count(watchesSQL) != 0 {
		t.Error("the watch stays for ever")
	}
}

// TestCaptureWritesNoIndex: the next version of a charge stands on the page of the one before, and no index has an entry of
// its own for it (the server's README.HOT).
func TestCaptureWritesNoIndex(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 64)
	if _, err := d.conn.Exec(t.Context(), `CREATE EXTENSION pageinspect`); err != nil {
		t.Fatal(err)
	}
	const keyEntriesSQL = `SELECT count(*) FROM bt_page_items('charges_pkey', 1)`
	before := d.count(keyEntriesSQL)
	d.capture(d.wishes...)
	if after := d.count(keyEntriesSQL); before != 64 || after != before {
		t.Errorf("the key's index had %d entries, and has %d", before, after)
	}
}
