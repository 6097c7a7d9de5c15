//go:build !noembedded

package migrate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
	"github.com/pressly/goose/v3"
)

// lockPatience bounds the wait for another process that migrates the same file.
const lockPatience = time.Minute

// SQLite applies what is pending to the file at path, which is created when it is missing, and answers the names of the
// files. Call it before the service opens the file. Several migrators take turns by the lock of a small file beside it.
//
// A database that is up to date, the usual case at start-up, costs one open of the native kind: no database/sql, no goose.
func SQLite(ctx context.Context, path string, fsys fs.FS) (applied []string, err error) {
	pending, err := PendingSQLite(ctx, path, fsys)
	if err != nil || len(pending) == 0 {
		return nil, err
	}
	unlock, err := lockFile(ctx, path+".migrate-lock")
	if err != nil {
		return nil, fmt.Errorf("migrate %s: wait for another migrator: %w", path, sqlite.Classify(err))
	}
	applied, err = upSQLite(ctx, path, fsys)
	if err := errors.Join(err, unlock()); err != nil {
		return applied, fmt.Errorf("migrate %s: %w", path, sqlite.Classify(err))
	}
	return applied, nil
}

// PendingSQLite answers the names of the migrations that SQLite would apply. It creates the file if it is missing, and
// changes nothing else.
func PendingSQLite(ctx context.Context, path string, fsys fs.FS) (pending []string, err error) {
	all, err := sources(fsys)
	if err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("look for pending migrations: %w", err)
	}
	var applied []int64
	// The writer, although it only reads: it is open already, and a reader would be another connection to open.
	err = db.Write(ctx, func(c *sqlite.Conn) (err error) {
		applied, err = appliedTo(c)
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, fmt.Errorf("read the applied migrations of %s: %w", path, err)
	}
	return missing(all, applied), nil
}

func appliedTo(c *sqlite.Conn) (versions []int64, err error) {
	table, err := c.Prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'goose_db_version'`)
	if err != nil {
		return nil, err
	}
	if exists, err := table.One(func(sqlite.Row) error { return nil }); err != nil || !exists {
		return nil, err
	}
	stmt, err := c.Prepare(appliedSQL)
	if err != nil {
		return nil, err
	}
	err = stmt.Query(func(r sqlite.Row) error { versions = append(versions, r.Int64(0)); return nil })
	return versions, err
}

// upSQLite runs goose over the database/sql driver, with the settings of sqlite.Open: a migration is a commit too.
func upSQLite(ctx context.Context, path string, fsys fs.FS) ([]string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the absolute path: %w", err)
	}
	db, err := driver.Open(sqlite.FileURI(abs, url.Values{
		"modeof": {abs}, "_txlock": {"immediate"},
		"_pragma": {"busy_timeout(5000)", "journal_mode(wal)", "synchronous(full)", "foreign_keys(on)"},
	}))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db.SetMaxOpenConns(1)
	applied, err := up(ctx, goose.DialectSQLite3, db, fsys)
	return applied, errors.Join(err, db.Close())
}

// lockFile takes a lock that ends with this process at the latest. The file stays: removing it would let a third process
// lock a new one while a second holds the old. SQLite's own lock is used because it is there on every system.
func lockFile(ctx context.Context, path string) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	c, err := sqlite3.OpenContext(ctx, sqlite.FileURI(abs, nil))
	if err != nil {
		return nil, err
	}
	c.SetInterrupt(ctx)
	if err := errors.Join(c.BusyTimeout(lockPatience), c.Exec(`BEGIN EXCLUSIVE`)); err != nil {
		return nil, errors.Join(ctx.Err(), err, c.Close())
	}
	return c.Close, nil // closing ends the transaction and the lock
}
