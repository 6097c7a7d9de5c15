package sqlite

import (
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"
)

var errBusy = errors.New("statement is used inside its own rows")

// Stmt is a prepared statement. Values are bound from left to right, one call a parameter, and then it is run:
//
//	err := stmt.Blob(id[:]).Text(sku).Int64(quantity).Exec()
//
// Running it checks that every parameter was bound, and leaves it reset and unbound for the next use, whatever happened.
// A binding that fails is reported when the statement is run. None of this allocates.
type Stmt struct {
	native *sqlite3.Stmt
	params int
	bound  int
	err    error // of the first binding that failed
	busy   bool
}

// Int64 binds an integer.
func (s *Stmt) Int64(v int64) *Stmt { s.note(s.native.BindInt64(s.next(), v)); return s }

// Int binds an integer.
func (s *Stmt) Int(v int) *Stmt { return s.Int64(int64(v)) }

// Bool binds 0 or 1.
func (s *Stmt) Bool(v bool) *Stmt { s.note(s.native.BindBool(s.next(), v)); return s }

// Text binds a copy of a string.
func (s *Stmt) Text(v string) *Stmt { s.note(s.native.BindText(s.next(), v)); return s }

// Blob binds a copy of bytes, or NULL for a nil slice.
func (s *Stmt) Blob(v []byte) *Stmt {
	if v == nil {
		return s.Null()
	}
	s.note(s.native.BindBlob(s.next(), v))
	return s
}

// Time binds microseconds since 1970, the portable form of a time in both engines.
func (s *Stmt) Time(v time.Time) *Stmt { return s.Int64(v.UnixMicro()) }

// Null binds NULL.
func (s *Stmt) Null() *Stmt { s.note(s.native.BindNull(s.next())); return s }

// Exec runs the statement to its end and ignores its rows.
func (s *Stmt) Exec() error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.forget() // the native Exec resets
	return s.native.Exec()
}

// Query runs the statement and calls row with each of its rows, until row returns an error, which Query then returns.
// row may use other statements, but not this one.
func (s *Stmt) Query(row func(Row) error) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.end()
	for s.native.Step() {
		if err := row(Row{s.native}); err != nil {
			return err
		}
	}
	return s.native.Err()
}

// One runs the statement and calls row with its first row. It is false when there is none.
func (s *Stmt) One(row func(Row) error) (bool, error) {
	if err := s.begin(); err != nil {
		return false, err
	}
	defer s.end()
	if !s.native.Step() {
		return false, s.native.Err()
	}
	return true, row(Row{s.native})
}

func (s *Stmt) next() int {
	s.bound++
	return s.bound
}

func (s *Stmt) note(err error) {
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("bind parameter %d of %d: %w", s.bound, s.params, err)
	}
}

// begin takes what was bound, or refuses it and forgets it.
func (s *Stmt) begin() error {
	if s.busy {
		return errBusy
	}
	if s.err == nil && s.bound != s.params {
		s.err = fmt.Errorf("%d of %d parameters are bound", s.bound, s.params)
	}
	if err := s.err; err != nil {
		s.forget()
		return err
	}
	s.busy = true
	return nil
}

// end resets; the error of a reset is that of the run, which the caller has.
func (s *Stmt) end() {
	_ = s.native.Reset()
	s.forget()
}

// forget frees the copies of what was bound. It cannot fail.
func (s *Stmt) forget() {
	_ = s.native.ClearBindings()
	s.bound, s.err, s.busy = 0, nil, false
}

// Row is the current row of a query. It is valid until the function that got it returns. Columns count from 0.
type Row struct{ native *sqlite3.Stmt }

// Int64 reads an integer; NULL reads as 0.
func (r Row) Int64(column int) int64 { return r.native.ColumnInt64(column) }

// Int reads an integer; NULL reads as 0.
func (r Row) Int(column int) int { return r.native.ColumnInt(column) }

// Bool is whether a number is not 0; NULL reads as false.
func (r Row) Bool(column int) bool { return r.native.ColumnInt64(column) != 0 }

// Text reads a copy of a string; NULL reads as "".
func (r Row) Text(column int) string { return r.native.ColumnText(column) }

// Blob reads a copy of bytes; NULL and an empty blob read as nil.
func (r Row) Blob(column int) []byte { return r.native.ColumnBlob(column, nil) }

// Raw reads bytes or text without a copy, for parsing in place. They must not be changed, nor kept after the row.
func (r Row) Raw(column int) []byte { return r.native.ColumnRawBlob(column) }

// Time reads what Stmt.Time bound, in UTC.
func (r Row) Time(column int) time.Time { return time.UnixMicro(r.native.ColumnInt64(column)).UTC() }

// IsNull tells NULL from a value.
func (r Row) IsNull(column int) bool { return r.native.ColumnType(column) == sqlite3.NULL }
