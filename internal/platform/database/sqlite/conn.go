package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

// maxStatements is how many prepared statements a connection keeps from one transaction to the next. The engines have
// a few dozen; more than this is SQL that was built from values, and its statements are let go.
const maxStatements = 256

// Conn is a connection inside a transaction. It belongs to the function that got it, and to one goroutine.
type Conn struct {
	native *sqlite3.Conn
	stmts  map[string]*Stmt
	broken bool // a transaction could be neither committed nor rolled back
}

func newConn(native *sqlite3.Conn) *Conn {
	return &Conn{native: native, stmts: make(map[string]*Stmt)}
}

// Prepare answers the statement for one piece of SQL, compiled at its first use on this connection. It stays valid until
// the transaction ends.
func (c *Conn) Prepare(sql string) (*Stmt, error) {
	if s, ok := c.stmts[sql]; ok {
		return s, nil
	}
	native, tail, err := c.native.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", sql, err)
	}
	if native == nil {
		return nil, fmt.Errorf("prepare %q: there is no statement in it", sql)
	}
	if strings.TrimSpace(tail) != "" {
		return nil, errors.Join(fmt.Errorf("prepare %q: more than one statement", sql), native.Close())
	}
	s := &Stmt{native: native, params: native.BindCount()}
	c.stmts[sql] = s
	return s, nil
}

// Exec prepares and runs a statement without parameters.
func (c *Conn) Exec(sql string) error {
	s, err := c.Prepare(sql)
	if err != nil {
		return err
	}
	return s.Exec()
}

// Script runs any number of statements without parameters. They are not cached: it is for schemas, not for hot paths.
func (c *Conn) Script(sql string) error { return c.native.Exec(sql) }

// Changes is the number of rows that the last INSERT, UPDATE or DELETE changed, without those changed by triggers or
// foreign keys. Another kind of statement leaves the number as it was.
func (c *Conn) Changes() int64 { return c.native.Changes() }

// transaction is how a transaction begins, and what the end of its context does.
type transaction struct {
	begin string
	// interrupt says that the statements stop when the context ends. A write never stops half-way: its order may
	// already have been accepted, whoever asked for it has gone.
	interrupt bool
}

var (
	// IMMEDIATE takes the write lock at once: a deferred one would find out at its first write that it has read old data.
	beginWrite = transaction{begin: `BEGIN IMMEDIATE`}
	beginRead  = transaction{begin: `BEGIN DEFERRED`, interrupt: true}
)

func (c *Conn) transact(ctx context.Context, kind transaction, fn func(*Conn) error) (err error) {
	if err := c.begin(ctx, kind); err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed { // fn returned an error, or panicked, or COMMIT did not work
			c.rollback()
		}
		if kind.interrupt && errors.Is(err, sqlite3.INTERRUPT) && ctx.Err() != nil {
			err = fmt.Errorf("%w (%w)", ctx.Err(), err)
		}
	}()
	if err := fn(c); err != nil {
		return err
	}
	c.native.SetInterrupt(context.Background())
	if err := c.Exec(`COMMIT`); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	committed = true
	return nil
}

// begin waits for another process's lock no longer than ctx lasts.
func (c *Conn) begin(ctx context.Context, kind transaction) error {
	c.native.SetInterrupt(ctx)
	err := c.Exec(kind.begin)
	if err == nil && kind.interrupt {
		return nil
	}
	c.native.SetInterrupt(context.Background())
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("begin: %w (%w)", ctx.Err(), err)
	}
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}

// rollback ends the transaction, unless SQLite has already done so by itself, as it does when the disk is full.
func (c *Conn) rollback() {
	c.broken = true // until proved otherwise: the next lines may panic
	c.native.SetInterrupt(context.Background())
	if !c.native.GetAutocommit() {
		// The error that led here is the one to report; a connection that cannot roll back is thrown away.
		_ = c.Exec(`ROLLBACK`)
	}
	c.broken = !c.native.GetAutocommit()
}

// trim keeps the statement cache bounded, between transactions, when nobody holds a statement.
func (c *Conn) trim() {
	if len(c.stmts) > maxStatements {
		// The only error that finalizing reports is that of the last run, which was reported then.
		_ = c.finalize()
	}
}

func (c *Conn) finalize() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.native.Close())
	}
	clear(c.stmts)
	return errors.Join(errs...)
}

func (c *Conn) close() error {
	return errors.Join(c.finalize(), c.native.Close())
}

// discard closes a connection that may be in any state. Its locks must go, and neither an error nor a panic of a closing
// wreck helps anybody: the pool opens another.
func (c *Conn) discard() {
	defer func() { _ = recover() }()
	_ = c.close()
}
