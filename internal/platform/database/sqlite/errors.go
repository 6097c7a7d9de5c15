package sqlite

import (
	"errors"

	"github.com/ncruces/go-sqlite3"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

// Classify marks errors that the same call may not meet again as fault.Transient, and leaves the others as they are.
// DB.Write and DB.Read have already done so.
func Classify(err error) error {
	var code sqlite3.ErrorCode
	if err == nil || fault.IsTransient(err) || !errors.As(err, &code) {
		return err
	}
	switch code {
	case sqlite3.BUSY, sqlite3.LOCKED, sqlite3.PROTOCOL, // another connection's lock
		sqlite3.FULL, sqlite3.IOERR, // the disk: somebody makes room, a volume comes back
		sqlite3.INTERRUPT:
		return fault.Transient(err)
	default:
		return err
	}
}

// IsUnique tells whether err is a second row under a unique or primary key. The statement had no effect; the
// transaction goes on.
func IsUnique(err error) bool {
	return errors.Is(err, sqlite3.CONSTRAINT_UNIQUE) || errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY) ||
		errors.Is(err, sqlite3.CONSTRAINT_ROWID)
}

// IsCheck tells whether err is a row that a CHECK refused. The statement had no effect; the transaction goes on.
func IsCheck(err error) bool { return errors.Is(err, sqlite3.CONSTRAINT_CHECK) }
