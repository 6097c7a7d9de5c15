package sqlite

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// parts is in how many pieces a log is moved before it begins anew. Small ones leave the disk and a core to the commits in
// between; a page that changes all the time is moved once in each.
const parts = 8

// checkpointer moves the log into the database beside the writer. SQLite would do it in the commit that meets the limit: that
// one, and all that queue behind it, would wait for two syncs and for every page that has changed.
type checkpointer struct {
	pages   int // that the log may have
	connect func(context.Context) (*Conn, error)
	writers *pool
	syncs   bool // whether commits are durable, so that what is moved has to be

	conn  *Conn         // of its own, once there was something to do
	due   chan struct{} // has a token when a part is to be moved
	tried atomic.Int64  // how long the log was when it was last moved; 0 when it has begun anew since

	cancel context.CancelFunc
	ended  chan struct{}
}

func newCheckpointer(s settings, connect func(context.Context) (*Conn, error)) *checkpointer {
	return &checkpointer{
		pages: s.logPages, syncs: s.sync != SyncOff, connect: connect,
		due: make(chan struct{}, 1), ended: make(chan struct{}),
	}
}

// start works until stop.
func (k *checkpointer) start() {
	var ctx context.Context
	ctx, k.cancel = context.WithCancel(context.Background())
	go k.run(ctx)
}

// stop interrupts what is being moved: what has been moved stays so.
func (k *checkpointer) stop() {
	k.cancel()
	<-k.ended
}

// watch has every commit of a writer tell how long the log is, in the place of SQLite's own checkpoints.
func (k *checkpointer) watch(c *Conn) {
	c.native.WALHook(func(_ *sqlite3.Conn, _ string, pages int) error {
		tried := int(k.tried.Load())
		if pages < tried { // the log has begun anew
			tried = 0
			k.tried.Store(0)
		}
		if pages-tried >= k.pages/parts {
			select {
			case k.due <- struct{}{}:
			default:
			}
		}
		return nil
	})
}

func (k *checkpointer) run(ctx context.Context) {
	defer close(k.ended)
	defer func() {
		if k.conn != nil {
			k.conn.discard() // it may have been interrupted
		}
	}()
	for {
		select {
		case <-k.due:
			// As with SQLite's own checkpoints nobody hears of an error: the log is whole without them, the next commit asks
			// again, and when the disk is full that commit fails by itself.
			_ = k.checkpoint(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// checkpoint moves what the log has. Once that is as long as it may be it moves what came meanwhile too, and then, in the
// writer's place, the little that came after that: then all is moved, and the next commit begins the log anew, unless somebody
// still reads from it. In that case it is tried again after another part.
func (k *checkpointer) checkpoint(ctx context.Context) error {
	pages, err := k.move(ctx)
	if err != nil || pages < k.pages {
		return err
	}
	if _, err := k.move(ctx); err != nil {
		return err
	}
	w, err := k.writers.acquire(ctx)
	if err != nil {
		return err
	}
	defer k.writers.release(w)
	_, err = k.pass(w)
	return err
}

// move moves what the log has, beside the writer, and has the disk take it. It answers how long the log is.
func (k *checkpointer) move(ctx context.Context) (pages int, err error) {
	if k.conn == nil {
		if k.conn, err = k.connect(ctx); err != nil {
			return 0, err
		}
		k.conn.native.SetInterrupt(ctx)
	}
	if pages, err = k.pass(k.conn); err != nil || !k.syncs {
		return pages, err
	}
	// SQLite syncs the database only when all is moved. Beside a writer it never is, so that everything would be left to the
	// pass in the writer's place.
	file, err := k.conn.native.FileControl("main", sqlite3.FCNTL_FILE_POINTER)
	if err != nil {
		return 0, fmt.Errorf("find the database's file: %w", err)
	}
	return pages, file.(vfs.File).Sync(vfs.SYNC_NORMAL)
}

// pass waits for nobody: it moves as far as readers allow.
func (k *checkpointer) pass(c *Conn) (pages int, err error) {
	pages, _, err = c.native.WALCheckpoint("main", sqlite3.CHECKPOINT_PASSIVE)
	if err != nil {
		return 0, fmt.Errorf("move the log into the database: %w", err)
	}
	k.tried.Store(int64(pages))
	return pages, nil
}
