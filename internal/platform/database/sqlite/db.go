// Package sqlite is the embedded engine: one file, one writer, a few readers, and commits that survive a power cut.
//
// It stands on the native interface of ncruces/go-sqlite3 instead of database/sql, because on the batched path a row
// costs a bind and a step, and database/sql adds an allocation and a lock to each of them.
package sqlite

import (
	"context"
	"errors"
	"fmt"
)

// DB is one database file, opened for this process. It is safe for concurrent use.
type DB struct {
	path         string
	writers      *pool
	readers      *pool
	checkpointer *checkpointer
}

// Open opens the database file at path and creates it, readable by its owner only, when it is missing.
//
// It refuses to start with less than the product promises: a SQLite with the WAL-reset bug, a journal that is not a
// WAL, or commits that do not reach the disk (see UnsafeSynchronous for the tests that need that).
func Open(ctx context.Context, path string, opts ...Option) (*DB, error) {
	s := underFaults(defaults())
	for _, o := range opts {
		o(&s)
	}
	if err := s.validate(); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	source, err := s.locate(path)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	db := s.database(path, source)
	if err := db.writers.warm(ctx); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, Classify(err))
	}
	db.checkpointer.start()
	if s.vfs == "" {
		if err := restrictIndex(path); err != nil {
			return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), db.Close())
		}
	}
	return db, nil
}

func (s settings) database(path, source string) *DB {
	connect := func(ctx context.Context) (*Conn, error) { return s.connect(ctx, source, writer) }
	k := newCheckpointer(s, connect)
	k.writers = newPool(1, func(ctx context.Context) (*Conn, error) {
		c, err := connect(ctx)
		if err == nil {
			k.watch(c)
		}
		return c, err
	})
	readers := newPool(s.readers, func(ctx context.Context) (*Conn, error) { return s.connect(ctx, source, reader) })
	return &DB{path: path, writers: k.writers, readers: readers, checkpointer: k}
}

// Path is the file that was given to Open.
func (db *DB) Path() string { return db.path }

// Write runs fn in the one write transaction that there is at a time, and commits unless fn returns an error or panics.
//
// It waits its turn for as long as ctx lasts, and then returns the context's error; a transaction that has begun is
// never cut. fn must not keep the Conn, start another Write, or wait for the network.
//
// An error that names the commit means that the outcome is unknown, not that nothing happened: the pages may have
// reached the disk before the failure. Look up by key, or repeat what is idempotent.
func (db *DB) Write(ctx context.Context, fn func(*Conn) error) error {
	return Classify(db.writers.transact(ctx, beginWrite, fn))
}

// Read runs fn in a read transaction: all that fn reads is one state of the database. It neither waits for a writer nor
// holds one up. When ctx ends, a query that runs is interrupted and the context's error is returned.
func (db *DB) Read(ctx context.Context, fn func(*Conn) error) error {
	return Classify(db.readers.transact(ctx, beginRead, fn))
}

// Ping reads from the file, through a reader: a busy writer does not make the database unready.
func (db *DB) Ping(ctx context.Context) error {
	err := db.Read(ctx, func(c *Conn) error {
		stmt, err := c.Prepare(pingSQL)
		if err != nil {
			return err
		}
		_, err = stmt.One(func(Row) error { return nil })
		return err
	})
	if err != nil {
		return fmt.Errorf("ping database %s: %w", db.path, err)
	}
	return nil
}

// A schema that can be read is a file that can be read: `SELECT 1` would not touch it.
const pingSQL = `SELECT count(*) FROM sqlite_schema`

// Close waits for the transactions that run, moves the log into the database file and closes it. A DB that is closed
// refuses work; closing it again does nothing.
func (db *DB) Close() error {
	if !db.readers.shut() || !db.writers.shut() {
		return nil
	}
	db.checkpointer.stop()
	readers := db.readers.drain()
	// Without TRUNCATE the last close does the same, but silently: a full disk would not be heard of.
	checkpoint := db.writers.each(func(c *Conn) error { return c.native.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`) })
	if err := errors.Join(readers, checkpoint, db.writers.drain()); err != nil {
		return fmt.Errorf("close database %s: %w", db.path, err)
	}
	return nil
}
