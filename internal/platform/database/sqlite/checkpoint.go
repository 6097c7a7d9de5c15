package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"
)

const (
	// closingPages is what may be left for the pass that commits wait for: little more than the syncs.
	closingPages = 512
	// retries is how often a log that could not begin anew, because somebody read from it then, is tried again before it has
	// grown by its limit once more.
	retries = 16
	// maxPasses bounds the passes beside the writer, for one that writes faster than its log is moved.
	maxPasses = 5
)

// checkpointer moves the log into the database beside the writer, instead of in the commit that meets the limit. That commit,
// and all that queue behind it, would wait for two syncs and for every page that has changed: a tenth of a second and more.
type checkpointer struct {
	pages   int // that the log may have
	connect func(context.Context) (*Conn, error)
	writers *pool

	due    chan struct{}
	tried  atomic.Int64 // how long the log was at the last try; 0 when it has begun anew since
	cancel context.CancelFunc
	ended  chan struct{}
}

// start works until stop.
func (k *checkpointer) start() {
	k.due, k.ended = make(chan struct{}, 1), make(chan struct{})
	var ctx context.Context
	ctx, k.cancel = context.WithCancel(context.Background())
	go k.run(ctx)
}

// stop interrupts a pass: what it has moved stays moved.
func (k *checkpointer) stop() {
	k.cancel()
	<-k.ended
}

// watch has every commit of a writer tell how long the log is. It takes the place of SQLite's own checkpoints.
func (k *checkpointer) watch(c *Conn) {
	c.native.WALHook(func(_ *sqlite3.Conn, _ string, pages int) error {
		tried := int(k.tried.Load())
		if pages < tried { // the log has begun anew
			tried = 0
			k.tried.Store(0)
		}
		if pages >= k.pages && pages-tried >= k.pages/retries {
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
	for {
		select {
		case <-k.due:
			// As with SQLite's own checkpoints nobody hears of an error: the log is whole without them, the next commit asks
			// again, and when the disk is full that commit fails by itself.
			_ = k.checkpoint(ctx)
			select {
			case <-k.due: // asked for by a commit that was early enough to be in it
			default:
			}
		case <-ctx.Done():
			return
		}
	}
}

// checkpoint moves what the log has, beside the writer, and then in its place what came meanwhile. Then all is moved, and
// the next commit begins the log anew, unless somebody still reads from it.
func (k *checkpointer) checkpoint(ctx context.Context) (err error) {
	c, err := k.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	c.native.SetInterrupt(ctx)
	for range maxPasses {
		grown, err := k.pass(c)
		if err != nil {
			return err
		}
		if grown < closingPages {
			break
		}
	}
	w, err := k.writers.acquire(ctx)
	if err != nil {
		return err
	}
	defer k.writers.release(w)
	_, err = k.pass(w)
	return err
}

// pass waits for nobody: it moves as far as readers allow. It tells by how many pages the log has grown since the last one.
func (k *checkpointer) pass(c *Conn) (grown int, err error) {
	pages, _, err := c.native.WALCheckpoint("main", sqlite3.CHECKPOINT_PASSIVE)
	if err != nil {
		return 0, fmt.Errorf("move the log into the database: %w", err)
	}
	return pages - int(k.tried.Swap(int64(pages))), nil
}
