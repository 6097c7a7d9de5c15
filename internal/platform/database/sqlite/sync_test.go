package sqlite_test

import (
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

// syncVFS counts the syncs of write-ahead logs; everything else goes straight to the system.
type syncVFS struct {
	vfs.VFSFilename
	syncs *atomic.Int64
}

func (v syncVFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := v.VFSFilename.OpenFilename(name, flags)
	if err != nil || flags&(vfs.OPEN_WAL|vfs.OPEN_MAIN_DB) == 0 {
		return f, flags, err
	}
	syncs := v.syncs
	if !strings.HasSuffix(name.String(), "-wal") {
		syncs = new(atomic.Int64)
	}
	return syncFile{f.(sharedFile), syncs}, flags, nil
}

type sharedFile interface {
	vfs.File
	vfs.FileSharedMemory
}

type syncFile struct {
	sharedFile
	syncs *atomic.Int64
}

func (f syncFile) Sync(flags vfs.SyncFlag) error {
	f.syncs.Add(1)
	return f.sharedFile.Sync(flags)
}

// Rule 3: no commit returns before its log is synced. The weaker level is the control: it shows that the test can fail.
func TestCommitIsSynced(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts []sqlite.Option
		want int64
	}{
		"full":   {want: 10},
		"normal": {opts: []sqlite.Option{sqlite.UnsafeSynchronous(sqlite.SyncNormal)}, want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var syncs atomic.Int64
			vfs.Register("sync-"+name, syncVFS{vfs.Find("").(vfs.VFSFilename), &syncs})
			db := openAt(t, filepath.Join(t.TempDir(), "orders.db"), append(c.opts, sqlite.WithVFS("sync-"+name))...)
			if err := db.Write(t.Context(), func(c *sqlite.Conn) error { return c.Script(schema) }); err != nil {
				t.Fatal(err)
			}
			before := syncs.Load()
			for i := range 10 {
				if err := db.Write(t.Context(), func(c *sqlite.Conn) error { return insert(c, string(rune('a'+i)), 1) }); err != nil {
					t.Fatal(err)
				}
				if done := syncs.Load() - before; name == "full" && done != int64(i)+1 {
					t.Errorf("%d syncs of the log after %d commits", done, i+1)
				}
			}
			if done := syncs.Load() - before; done != c.want {
				t.Errorf("%d syncs of the log, want %d", done, c.want)
			}
		})
	}
}
