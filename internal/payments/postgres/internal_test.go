package postgres

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

// planned is the plan of a statement in a database to which other statements came before.
func planned(t *testing.T, before []string, sql string, args ...any) string {
	t.Helper()
	url := pgtest.URL(t)
	if _, err := migrate.Postgres(t.Context(), url, Migrations()); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), url, postgres.Config{MaxConns: 1}) // so that a SET holds
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, first := range before {
		if _, err := s.pool.Exec(t.Context(), first); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := s.pool.Query(t.Context(), "EXPLAIN "+sql, append([]any{pgx.QueryExecModeCacheDescribe}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

// TestReceiptsComeFromTheirIndex: a payer may send money again and again, and for each transfer the newest are read: all of them
// must not be sorted for that, but only those that are answered.
func TestReceiptsComeFromTheirIndex(t *testing.T) {
	t.Parallel()
	empty := []string{`SET enable_seqscan = off`, `SET enable_bitmapscan = off`}
	plan := planned(t, empty, receiptsSQL, [16]byte{1}, 100)
	if !strings.Contains(plan, "Backward using receipts_by_payment") || strings.Count(plan, "Sort  (") != 1 {
		t.Errorf("plan\n%s", plan)
	}
}

// TestAFoldComparesNoRowWithEachOther: after a fold the table looks as good as empty to the planner.
func TestAFoldComparesNoRowWithEachOther(t *testing.T) {
	t.Parallel()
	folded := []string{`INSERT INTO ledger_sums (captured_cents, refunded_cents, surplus_cents) SELECT n, 0, 0 FROM generate_series(1, 30000) n`,
		`DELETE FROM ledger_sums WHERE captured_cents > 1`, `ANALYZE ledger_sums`}
	plan := planned(t, folded, foldSQL, foldStep)
	if !strings.Contains(plan, "Index Cond: (id = ANY") || strings.Contains(plan, "Nested Loop") || strings.Contains(plan, "Seq Scan") {
		t.Errorf("plan\n%s", plan)
	}
}
