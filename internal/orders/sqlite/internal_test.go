package sqlite

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

// TestEveryPageWalksAnIndex says that a page is read from an index in its order: nothing is sorted, and only a list of
// everything walks the orders themselves.
func TestEveryPageWalksAnIndex(t *testing.T) {
	t.Parallel()
	s := emptyStore(t)
	for bits := range 1 << 11 {
		var f orders.Filter
		for i, set := range []func(){
			func() { f.Email = "a@example.com" }, func() { f.SKU = "SKU-1" }, func() { f.Status = orders.Held },
			func() { f.PaymentStatus = orders.PaymentUnknown }, func() { f.PaymentStatus = orders.PaymentPaid },
			func() { f.Before = orders.ID{1} }, func() { f.Status = orders.Placed }, func() { f.PaymentStatus = orders.PaymentNone },
			func() { f.Status = orders.Rejected }, func() { f.PaymentStatus = orders.PaymentRefunded }, func() { f.From = orders.ID{1} },
		} {
			if bits>>i&1 == 1 {
				set()
			}
		}
		q := newQuery(f, false)
		plan := walkOfSegments(explain(t, s, q.sql(), len(q.args)), f)
		if isSKUInState(f) {
			fromState := newQuery(f, true)
			if plan := explain(t, s, fromState.sql(), len(fromState.args)); scans(plan) {
				t.Errorf("%+v, from the state: %s", f, plan)
			}
			for _, q := range []*query{countInState(f), countOfSKU(f)} {
				q.limit = `1`
				if plan := walkOfSegments(explain(t, s, q.countSQL(), len(q.args)), f); scans(plan) {
					t.Errorf("%+v, count: %s", f, plan)
				}
			}
		}
		picked := f.Email != "" || f.SKU != "" || f.Status != "" || isRare(f.PaymentStatus)
		switch {
		case strings.HasPrefix(plan, "MERGE (UNION ALL)"): // two pages, which are sorted to be one
			if !strings.Contains(plan, "USING INDEX order_states_by_") && !strings.Contains(plan, "COVERING INDEX order_states_by_") {
				t.Errorf("%+v: %s", f, plan)
			}
		case strings.Contains(plan, "TEMP B-TREE") || picked && strings.Contains(plan, "SCAN"):
			t.Errorf("%+v: %s", f, plan)
		}
	}
}

func TestEveryStatementUsesAnIndex(t *testing.T) {
	t.Parallel()
	s := emptyStore(t)
	for name, sql := range map[string]string{
		"due": selectDue, "key": selectByKey, "open": countOpen, "unknown": countUnknown, "awaiting": countAwaiting, "states": selectStates,
		"newest segment": countNewest, "begin segment": insertSegment, "move SKUs": moveSKUs, "SKU": insertSKU,
	} {
		plan := explain(t, s, sql, strings.Count(sql, "?"))
		if scans(plan) && !strings.Contains(plan, "INDEX order_states_") && !strings.Contains(plan, "INDEX open_orders_") {
			t.Errorf("%s: %s", name, plan)
		}
	}
}

func emptyStore(t *testing.T) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "orders.db")
	if _, err := migrate.SQLite(t.Context(), path, Migrations()); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // nothing was written
	return s
}

// scans tells whether a plan sorts, or walks a table whole; what a subquery has picked is no table.
func scans(plan string) bool {
	return strings.Contains(plan, "TEMP B-TREE") || strings.Count(plan, "SCAN") > strings.Count(plan, "SCAN (")
}

// walkOfSegments is the plan without the walk of all segments, which is right when the filter does not say where it begins or ends.
func walkOfSegments(plan string, f orders.Filter) string {
	if !f.From.IsZero() || !f.Before.IsZero() {
		return plan
	}
	return segmentScan.ReplaceAllString(plan, "")
}

var segmentScan = regexp.MustCompile(`SCAN g( USING COVERING INDEX \w+)?; `)

func explain(t *testing.T, s *Store, sql string, parameters int) (plan string) {
	t.Helper()
	err := s.db.Read(t.Context(), func(c *sqlite.Conn) error {
		stmt, err := c.Prepare("EXPLAIN QUERY PLAN " + sql)
		if err != nil {
			return err
		}
		for range parameters {
			stmt.Null()
		}
		return stmt.Query(func(r sqlite.Row) error { plan += r.Text(3) + "; "; return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}
