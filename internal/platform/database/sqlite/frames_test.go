package sqlite_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

// writesVFS notes how long each write to a log is.
type writesVFS struct {
	vfs.VFSFilename
	lengths *[]int
}

func (v writesVFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := v.VFSFilename.OpenFilename(name, flags)
	if err != nil || flags&vfs.OPEN_WAL == 0 {
		return f, flags, err
	}
	return writesFile{f, v.lengths}, flags, nil
}

type writesFile struct {
	vfs.File
	lengths *[]int
}

func (f writesFile) WriteAt(b []byte, off int64) (int, error) {
	*f.lengths = append(*f.lengths, len(b))
	return f.File.WriteAt(b, off)
}

// TestFramesAreWrittenWhole, and what was written in one piece is read by another connection, and after the file was closed.
func TestFramesAreWrittenWhole(t *testing.T) {
	t.Parallel()
	var lengths []int
	vfs.Register("writes", writesVFS{vfs.Find("").(vfs.VFSFilename), &lengths})
	path := filepath.Join(t.TempDir(), "orders.db")
	db := openAt(t, path, sqlite.WithVFS("writes"))
	if err := db.Write(t.Context(), func(c *sqlite.Conn) error { return c.Script(schema) }); err != nil {
		t.Fatal(err)
	}
	lengths = nil
	long := strings.Repeat("x", 40_000) // pages beside the table's own
	if err := db.Write(t.Context(), func(c *sqlite.Conn) error { return insert(c, long, 1) }); err != nil {
		t.Fatal(err)
	}
	if len(lengths) < 10 {
		t.Errorf("%d writes to the log for ten pages and more", len(lengths))
	}
	for _, n := range lengths {
		if n != 24+4096 {
			t.Errorf("a write of %d bytes, want a header and its page: 24 and 4096", n)
		}
	}
	if n := count(t, db); n != 1 {
		t.Errorf("another connection sees %d rows, want 1", n)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if n := count(t, openAt(t, path)); n != 1 {
		t.Errorf("%d rows after it was opened again, want 1", n)
	}
}
