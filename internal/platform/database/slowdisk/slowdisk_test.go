package slowdisk_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/slowdisk"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

// TestEveryCommitWaits: the product's own commits flush, so none is quicker than the disk.
func TestEveryCommitWaits(t *testing.T) {
	t.Parallel()
	const flush, commits = 20 * time.Millisecond, 5
	vfs.Register("slow", slowdisk.New(flush))
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), sqlite.WithVFS("slow"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	run := func(statement string) {
		if err := db.Write(t.Context(), func(c *sqlite.Conn) error { return c.Script(statement) }); err != nil {
			t.Fatal(err)
		}
	}
	run(`CREATE TABLE x (n INTEGER PRIMARY KEY)`)
	began := time.Now()
	for range commits {
		run(`INSERT INTO x DEFAULT VALUES`)
	}
	if took := time.Since(began); took < commits*flush {
		t.Errorf("%d commits took %s on a disk that flushes in %s", commits, took, flush)
	}
}
