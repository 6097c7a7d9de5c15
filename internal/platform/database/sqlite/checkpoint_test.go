package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

// gateVFS stops at the syncs of databases while it is shut. Besides those of checkpoints there are none, once a database is new
// no more.
type gateVFS struct {
	vfs.VFSFilename
	gate *gate
}

type gate struct {
	shut    atomic.Bool
	reached chan struct{}
	open    chan struct{}
}

func (v gateVFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := v.VFSFilename.OpenFilename(name, flags)
	if err != nil || flags&vfs.OPEN_MAIN_DB == 0 {
		return f, flags, err
	}
	return gateFile{f.(sharedFile), v.gate}, flags, nil
}

type gateFile struct {
	sharedFile
	gate *gate
}

func (f gateFile) Sync(flags vfs.SyncFlag) error {
	if f.gate.shut.CompareAndSwap(true, false) {
		close(f.gate.reached)
		<-f.gate.open
	}
	return f.sharedFile.Sync(flags)
}

// TestCommitsGoOnWhileTheLogIsMoved, however long the disk takes to sync the database.
func TestCommitsGoOnWhileTheLogIsMoved(t *testing.T) {
	t.Parallel()
	g := &gate{reached: make(chan struct{}), open: make(chan struct{})}
	vfs.Register("gate", gateVFS{vfs.Find("").(vfs.VFSFilename), g})
	db := openAt(t, filepath.Join(t.TempDir(), "orders.db"), sqlite.WithVFS("gate"), sqlite.WithLogPages(16))
	defer close(g.open) // before the database is closed
	keys := 0
	commit := func() {
		keys++
		done := make(chan error, 1)
		go func() {
			done <- db.Write(t.Context(), func(c *sqlite.Conn) error { return insert(c, fmt.Sprint(keys), 1) })
		}()
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("commit %d: %v", keys, err)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("commit %d waits for the log to be moved", keys)
		}
	}
	if err := db.Write(t.Context(), func(c *sqlite.Conn) error { return c.Script(schema) }); err != nil {
		t.Fatal(err)
	}
	g.shut.Store(true)
	for moving := false; !moving; commit() {
		select {
		case <-g.reached:
			moving = true
		default:
		}
	}
	for range 50 {
		commit()
	}
	if n := count(t, db); n != keys {
		t.Errorf("%d rows after %d commits", n, keys)
	}
}

// TestTheLogStaysShort under commits that follow each other without a pause, beside a reader who hardly makes one.
func TestTheLogStaysShort(t *testing.T) {
	t.Parallel()
	const pages, commits = 256, 4000
	path := filepath.Join(t.TempDir(), "orders.db")
	db := openAt(t, path, sqlite.WithLogPages(pages))
	if err := db.Write(t.Context(), func(c *sqlite.Conn) error { return c.Script(schema) }); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var reader sync.WaitGroup
	reader.Go(func() {
		for ctx.Err() == nil {
			_ = db.Read(ctx, func(c *sqlite.Conn) error { _, err := countIn(c); return err })
		}
	})
	for i := range commits { // three pages and more each
		if err := db.Write(t.Context(), func(c *sqlite.Conn) error { return insert(c, fmt.Sprint(i), 1) }); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	reader.Wait()
	log, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if limit := int64(8 * pages * 4096); log.Size() > limit {
		t.Errorf("the log has %d bytes, more than %d", log.Size(), limit)
	}
	if n := count(t, db); n != commits {
		t.Errorf("%d rows after %d commits", n, commits)
	}
}
