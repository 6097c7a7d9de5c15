package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

const schema = `CREATE TABLE item (
	id BLOB PRIMARY KEY, sku TEXT NOT NULL UNIQUE, quantity INTEGER NOT NULL CHECK (quantity >= 0), at INTEGER, note TEXT
) STRICT, WITHOUT ROWID`

const insertItem = `INSERT INTO item (id, sku, quantity, at, note) VALUES (?, ?, ?, ?, ?)`

var noon = time.Date(2026, 11, 27, 12, 0, 0, 123456000, time.UTC)

func open(tb testing.TB, opts ...sqlite.Option) *sqlite.DB {
	tb.Helper()
	return openAt(tb, filepath.Join(tb.TempDir(), "data", "orders.db"), opts...)
}

func openAt(tb testing.TB, path string, opts ...sqlite.Option) *sqlite.DB {
	tb.Helper()
	db, err := sqlite.Open(tb.Context(), path, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

func withSchema(tb testing.TB, opts ...sqlite.Option) *sqlite.DB {
	tb.Helper()
	db := open(tb, opts...)
	if err := db.Write(tb.Context(), func(c *sqlite.Conn) error { return c.Script(schema) }); err != nil {
		tb.Fatal(err)
	}
	return db
}

func insert(c *sqlite.Conn, key string, quantity int) error {
	stmt, err := c.Prepare(insertItem)
	if err != nil {
		return err
	}
	return stmt.Blob([]byte(key)).Text(key).Int(quantity).Time(noon).Null().Exec()
}

func count(tb testing.TB, db *sqlite.DB) (n int) {
	tb.Helper()
	err := db.Read(tb.Context(), func(c *sqlite.Conn) (err error) {
		n, err = countIn(c)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

func countIn(c *sqlite.Conn) (n int, err error) {
	stmt, err := c.Prepare(`SELECT count(*) FROM item`)
	if err != nil {
		return 0, err
	}
	_, err = stmt.One(func(r sqlite.Row) error { n = r.Int(0); return nil })
	return n, err
}

func TestFilesBelongToTheOwnerOnly(t *testing.T) {
	t.Parallel()
	db := withSchema(t)
	folder := filepath.Dir(db.Path())
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v %v, want mode 0700", info.Mode(), err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(db.Path() + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", info.Name(), info.Mode())
		}
	}
}

func TestOpenTakesAnyFileName(t *testing.T) {
	t.Parallel()
	db := openAt(t, filepath.Join(t.TempDir(), "um arquivo? 100% #1&vfs=x.db"))
	if _, err := os.Stat(db.Path()); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path string
		opts []sqlite.Option
		want string
	}{
		"no path":       {path: "", want: "must name a file"},
		"memory":        {path: ":memory:", want: "must name a file"},
		"another file":  {path: text, want: "not a database"},
		"no readers":    {path: text, opts: []sqlite.Option{sqlite.WithReaders(0)}, want: "must be positive"},
		"unknown level": {path: text, opts: []sqlite.Option{sqlite.UnsafeSynchronous(7)}, want: "unknown synchronous level"},
		"unknown VFS":   {path: text, opts: []sqlite.Option{sqlite.WithVFS("none")}, want: "no such vfs"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sqlite.Open(t.Context(), c.path, c.opts...)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	t.Parallel()
	db := withSchema(t)
	err := db.Write(t.Context(), func(c *sqlite.Conn) error { return insert(c, "a", 3) })
	if err != nil {
		t.Fatal(err)
	}
	err = db.Read(t.Context(), func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(`SELECT id, sku, quantity, at, note FROM item WHERE sku = ?`)
		if err != nil {
			return err
		}
		return stmt.Text("a").Query(func(r sqlite.Row) error {
			if string(r.Blob(0)) != "a" || string(r.Raw(0)) != "a" || r.Text(1) != "a" || r.Int64(2) != 3 || !r.Time(3).Equal(noon) {
				t.Errorf("row is %q %q %d %s", r.Blob(0), r.Text(1), r.Int64(2), r.Time(3))
			}
			if !r.IsNull(4) || r.IsNull(0) || r.Text(4) != "" {
				t.Error("NULL is mistaken")
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestErrorRollsBack(t *testing.T) {
	t.Parallel()
	db := withSchema(t)
	mine := errors.New("mine")
	err := db.Write(t.Context(), func(c *sqlite.Conn) error {
		return errors.Join(insert(c, "a", 1), mine)
	})
	if !errors.Is(err, mine) || fault.IsTransient(err) {
		t.Errorf("got %v, want the function's own error", err)
	}
	if n := count(t, db); n != 0 {
		t.Errorf("%d rows, want 0", n)
	}
}

func TestPanicRollsBackAndReleases(t *testing.T) {
	t.Parallel()
	db := withSchema(t)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = db.Write(t.Context(), func(c *sqlite.Conn) error {
			if err := insert(c, "a", 1); err != nil {
				t.Error(err)
			}
			panic("boom")
		})
	}()
	if err := db.Write(t.Context(), func(c *sqlite.Conn) error { return insert(c, "b", 1) }); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestWritersTakeTurns(t *testing.T) {
	t.Parallel()
	db := withSchema(t)
	if err := db.Write(t.Context(), func(c *sqlite.Conn) error { return insert(c, "a", 0) }); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 25 {
				err := db.Write(t.Context(), func(c *sqlite.Conn) error { return c.Exec(`UPDATE item SET quantity = quantity + 1`) })
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	err := db.Read(t.Context(), func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(`SELECT quantity FROM item`)
		if err != nil {
			return err
		}
		_, err = stmt.One(func(r sqlite.Row) error {
			if r.Int(0) != 200 {
				t.Errorf("quantity is %d, want 200", r.Int(0))
			}
			return nil
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWaitEndsWithTheContext(t *testing.T) {
	t.Parallel()
	db := withSchema(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Write(t.Context(), func(*sqlite.Conn) error {
		waiting := make(chan error)
		go func() { waiting <- db.Write(ctx, func(*sqlite.Conn) error { return nil }) }()
		cancel()
		return <-waiting
	})
	if !errors.Is(err, context.Canceled) || !fault.IsTransient(err) {
		t.Errorf("got %v, want the end of the context", err)
	}
	if err := db.Read(ctx, func(*sqlite.Conn) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("read: got %v, want the end of the context", err)
	}
}

func TestRunningWriteIsNotCut(t *testing.T) {
	t.Parallel()
	db := withSchema(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Write(ctx, func(c *sqlite.Conn) error {
		cancel()
		return insert(c, "a", 1)
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestRunningReadIsCut(t *testing.T) {
	t.Parallel()
	db := withSchema(t, sqlite.WithReaders(1))
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Read(ctx, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n`)
		if err != nil {
			return err
		}
		return stmt.Query(func(sqlite.Row) error { cancel(); return nil })
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context", err)
	}
	if n := count(t, db); n != 0 { // the only reader is fit for use again
		t.Errorf("%d rows, want 0", n)
	}
}

func TestReadSeesOneState(t *testing.T) {
	t.Parallel()
	db := withSchema(t)
	err := db.Read(t.Context(), func(c *sqlite.Conn) error {
		before, err := countIn(c)
		if err != nil {
			return err
		}
		if err := db.Write(t.Context(), func(c *sqlite.Conn) error { return insert(c, "a", 1) }); err != nil {
			return err
		}
		after, err := countIn(c)
		if before != 0 || after != 0 {
			t.Errorf("the read saw %d, then %d rows, want 0 and 0", before, after)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestReadCannotWrite(t *testing.T) {
	t.Parallel()
	db := withSchema(t)
	if err := db.Read(t.Context(), func(c *sqlite.Conn) error { return insert(c, "a", 1) }); err == nil {
		t.Error("a read transaction wrote")
	}
}

func TestReadersAreBounded(t *testing.T) {
	t.Parallel()
	db := withSchema(t, sqlite.WithReaders(1))
	err := db.Read(t.Context(), func(*sqlite.Conn) error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		return db.Ping(ctx)
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a second reader to wait until its deadline", err)
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAnotherProcessHoldsTheLock(t *testing.T) {
	t.Parallel()
	db := withSchema(t)
	other := openAt(t, db.Path(), sqlite.WithBusyTimeout(time.Millisecond))
	patient := openAt(t, db.Path(), sqlite.WithBusyTimeout(time.Hour))
	err := db.Write(t.Context(), func(*sqlite.Conn) error {
		err := other.Write(t.Context(), func(*sqlite.Conn) error { return nil })
		if !fault.IsTransient(err) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want a lock that passes", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer cancel()
		err = patient.Write(ctx, func(*sqlite.Conn) error { return nil })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the wait to end with the context", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Write(t.Context(), func(c *sqlite.Conn) error { return insert(c, "a", 1) }); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	db := withSchema(t)
	if err := db.Write(t.Context(), func(c *sqlite.Conn) error { return insert(c, "a", 1) }); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Ping(t.Context()); err == nil || fault.IsTransient(err) {
		t.Errorf("ping after close: got %v, want a refusal that stays", err)
	}
	if _, err := os.Stat(db.Path() + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the log is still there: %v", err)
	}
	if n := count(t, openAt(t, db.Path())); n != 1 {
		t.Errorf("%d rows after opening again, want 1", n)
	}
}

func TestCloseWaitsForTheWriter(t *testing.T) {
	t.Parallel()
	db := withSchema(t)
	closed := make(chan error)
	err := db.Write(t.Context(), func(c *sqlite.Conn) error {
		go func() { closed <- db.Close() }()
		for db.Ping(t.Context()) == nil { // until Close has begun
		}
		return insert(c, "a", 1)
	})
	if err := errors.Join(err, <-closed); err != nil {
		t.Fatal(err)
	}
	if n := count(t, openAt(t, db.Path())); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestFullDiskPasses(t *testing.T) {
	t.Parallel()
	db := withSchema(t)
	err := db.Write(t.Context(), func(c *sqlite.Conn) error {
		if err := c.Script(`PRAGMA max_page_count=20`); err != nil {
			return err
		}
		for i := range 10_000 {
			if err := insert(c, fmt.Sprintf("%080d", i), 1); err != nil {
				return err
			}
		}
		return nil
	})
	if !fault.IsTransient(err) || !strings.Contains(err.Error(), "full") {
		t.Errorf("got %v, want a full disk, marked as passing", err)
	}
	if n := count(t, db); n != 0 {
		t.Errorf("%d rows, want 0", n)
	}
	if err := db.Write(t.Context(), func(c *sqlite.Conn) error { return insert(c, "a", 1) }); err != nil {
		t.Errorf("the writer is unfit after a full disk: %v", err)
	}
}
