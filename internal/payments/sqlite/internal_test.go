package sqlite

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

// TestReceiptsComeFromTheirIndex: a payer may send money again and again, and for each transfer the newest are read: all of them
// must not be sorted for that, but only those that are answered.
func TestReceiptsComeFromTheirIndex(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "payments.db")
	if _, err := migrate.SQLite(t.Context(), path, Migrations()); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var plan string
	err = s.db.Read(t.Context(), func(c *sqlite.Conn) error {
		stmt, err := c.Prepare("EXPLAIN QUERY PLAN " + receiptsSQL)
		if err != nil {
			return err
		}
		return stmt.Blob(make([]byte, 16)).Int(100).Query(func(r sqlite.Row) error { plan += r.Text(3) + "; "; return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(plan, "USING INDEX receipts_by_payment") || strings.Count(plan, "TEMP B-TREE") != 1 {
		t.Errorf("plan %s", plan)
	}
}
