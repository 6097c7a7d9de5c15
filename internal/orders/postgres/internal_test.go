package postgres

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
	database "github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

func open(t *testing.T) *Store {
	t.Helper()
	url := pgtest.URL(t)
	if _, err := migrate.Postgres(t.Context(), url, Migrations()); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), url, database.Config{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestClaimPassesOverLockedOrders has another transaction lock an order: the claim takes the others and does not wait.
func TestClaimPassesOverLockedOrders(t *testing.T) {
	t.Parallel()
	s := open(t)
	now := time.UnixMicro(1e15).UTC()
	var batch []orders.Placement
	for n := range byte(3) {
		o := orders.NewOrder(orders.ID{n + 1}, orders.PaymentID{n + 1}, "", orders.Request{}, now)
		o.NextAttemptAt = now
		batch = append(batch, orders.Placement{Order: o, Key: orders.IdempotencyKey{n}})
	}
	if _, err := s.Place(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	claim := func() []orders.Order {
		claimed, err := s.Claim(t.Context(), now, now.Add(time.Hour), 10)
		if err != nil {
			t.Fatal(err)
		}
		return claimed
	}
	err := database.InTx(t.Context(), s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `SELECT 1 FROM open_orders WHERE order_id = $1 FOR UPDATE`, uuidOf(batch[1].Order.ID)); err != nil {
			return err
		}
		if got := claim(); len(got) != 2 || got[0].ID != batch[0].Order.ID || got[1].ID != batch[2].Order.ID {
			t.Errorf("claimed %d orders, want the two that are free", len(got))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := claim(); len(got) != 1 || got[0].ID != batch[1].Order.ID {
		t.Errorf("claimed %d orders, want the one that was locked", len(got))
	}
}

const manyOrders = `INSERT INTO orders SELECT md5(n::text)::uuid, md5(n::text)::uuid, n, '', 'buyer' || n % 1000 || '@example.com',
	sha256(n::text::bytea), sha256(''), '{}' FROM generate_series(1, 50000) n;
INSERT INTO open_orders SELECT id, 1, 0, created_at FROM orders WHERE created_at % 5000 = 0;
INSERT INTO order_states SELECT id, 1, 0, 1,
	CASE WHEN created_at % 5000 = 0 THEN 'held' ELSE 'confirmed' END,
	CASE WHEN created_at % 5000 = 0 THEN 'unknown' ELSE 'paid' END, 'unfulfilled', '{}' FROM orders;
INSERT INTO order_skus SELECT 'SKU-' || created_at % 1000, id FROM orders;
ANALYZE`

// TestNothingScansATable says that what runs all day walks an index, in a database of some size: a page costs the same
// with ten million orders.
func TestNothingScansATable(t *testing.T) {
	t.Parallel()
	s := open(t)
	if _, err := s.pool.Exec(t.Context(), manyOrders); err != nil {
		t.Fatal(err)
	}
	id := orders.ID{0x80}
	plans := map[string]func() (string, []any){
		"get":   func() (string, []any) { return getSQL, []any{uuids{uuidOf(id)}} },
		"claim": func() (string, []any) { return claimSQL, []any{int64(1 << 50), int64(1 << 51), 10} },
		"open":  func() (string, []any) { return openSQL, nil },
		"states": func() (string, []any) {
			return statesSQL, []any{uuidOf(id), uuidOf(orders.ID{0xff}), 1000}
		},
		"key": func() (string, []any) { return selectByKey, []any{texts{make([]byte, 32)}} },
	}
	for name, filter := range map[string]orders.Filter{
		"all": {}, "next page": {Before: id}, "bounded": {From: id, Before: orders.ID{0x90}},
		"confirmed": {Status: orders.Confirmed}, "held": {Status: orders.Held}, "placed": {Status: orders.Placed},
		"no payment": {PaymentStatus: orders.PaymentNone, From: id}, "placed, no payment": {Status: orders.Placed, PaymentStatus: orders.PaymentNone},
		"paid": {PaymentStatus: orders.PaymentPaid}, "unknown": {PaymentStatus: orders.PaymentUnknown},
		"e-mail": {Email: "Buyer7@example.com"}, "e-mail and status": {Email: "buyer7@example.com", Status: orders.Held},
		"SKU": {SKU: "SKU-7"}, "SKU and status": {SKU: "SKU-7", Status: orders.Confirmed}, "SKU and payment": {SKU: "SKU-7", PaymentStatus: orders.PaymentUnknown, From: id}, "SKU, rejected": {SKU: "SKU-7", Status: orders.Rejected, Before: id}, "SKU, canceled and refunded": {SKU: "SKU-7", Status: orders.Canceled, PaymentStatus: orders.PaymentRefunded}, "SKU and e-mail": {SKU: "SKU-7", Email: "buyer7@example.com"},
	} {
		filter.Limit = 50
		plans["list "+name] = func() (string, []any) { return listQuery(filter, wholeIndex) }
		if filter.SKU != "" {
			plans["list "+name+", the newest"] = func() (string, []any) { return listQuery(filter, newestOfSKU) }
		}
	}
	for name, plan := range plans {
		sql, args := plan()
		if lines := explain(t, s, sql, args); strings.Contains(lines, "Seq Scan") {
			t.Errorf("%s reads a whole table:\n%s", name, lines)
		}
	}
}

// TestSmallTablesMisleadNobody plans what is planned once while the tables are as good as empty, which is when an index that
// does not begin with the key costs no more than the key's own: kept, that plan would read all of it for each order.
func TestSmallTablesMisleadNobody(t *testing.T) {
	t.Parallel()
	s := open(t)
	rows, err := newChangedRows(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, before := range []string{`ANALYZE`, `INSERT INTO open_orders SELECT gen_random_uuid(), 1, 0, n FROM generate_series(1, 100) n`,
		`DELETE FROM open_orders WHERE next_attempt_at > 1`, `ANALYZE`} {
		if _, err := s.pool.Exec(t.Context(), before); err != nil {
			t.Fatal(err)
		}
		if lines := explain(t, s, settleNewSQL, rows.args()[:9]); !strings.Contains(lines, "open_orders_pkey") {
			t.Errorf("after %s:\n%s", before, lines)
		}
	}
}

func explain(t *testing.T, s *Store, sql string, args []any) string {
	t.Helper()
	rows, err := s.pool.Query(t.Context(), "EXPLAIN "+sql, append([]any{replan}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}
