package powercut_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/powercut"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

const rows = 50

// TestPowerCut copies the files while the database is open: the copy is what a power cut would leave. With the product's
// settings every committed row is in it. Without syncs rows are missing: the control, by which the VFS shows that it forgets.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	if kept := survivors(t, "kept"); kept != rows {
		t.Errorf("%d of %d committed rows outlived the power cut", kept, rows)
	}
	if kept := survivors(t, "lost", sqlite.UnsafeSynchronous(sqlite.SyncOff)); kept == rows {
		t.Error("no row was lost without syncs: the power cut loses nothing")
	}
}

func survivors(t *testing.T, name string, opts ...sqlite.Option) int {
	t.Helper()
	vfs.Register(name, powercut.New())
	dir, after := t.TempDir(), t.TempDir()
	file := filepath.Join(dir, "x.db")
	// The table is made through the system: what it stands on is not at stake.
	write(t, file, []string{`CREATE TABLE x (n INTEGER PRIMARY KEY)`})
	var inserts []string
	for n := range rows {
		inserts = append(inserts, fmt.Sprintf(`INSERT INTO x VALUES (%d)`, n))
	}
	db := write(t, file, inserts, append(opts, sqlite.WithVFS(name))...)
	for _, part := range []string{"", "-wal"} {
		text, err := os.ReadFile(file + part)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(after, "x.db"+part), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if seen := count(t, db); seen != rows {
		t.Errorf("before the power cut %d of %d rows were seen", seen, rows)
	}
	return count(t, write(t, filepath.Join(after, "x.db"), nil))
}

// write opens a database, commits each statement, and leaves the database open unless it goes through the system.
func write(t *testing.T, file string, statements []string, opts ...sqlite.Option) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), file, opts...)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if err := db.Write(t.Context(), func(c *sqlite.Conn) error { return c.Script(statement) }); err != nil {
			t.Fatal(err)
		}
	}
	if len(opts) == 0 && len(statements) > 0 {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		return nil
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func count(t *testing.T, db *sqlite.DB) (n int) {
	t.Helper()
	err := db.Read(t.Context(), func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(`SELECT count(*) FROM x`)
		if err != nil {
			return err
		}
		_, err = stmt.One(func(r sqlite.Row) error { n = r.Int(0); return nil })
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
