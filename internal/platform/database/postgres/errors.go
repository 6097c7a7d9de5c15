package postgres

import (
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

// SQLSTATE codes, from appendix A of PostgreSQL's manual.
const (
	uniqueViolation      = "23505"
	checkViolation       = "23514"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
)

// passing holds what the same call may not meet again: whole classes by two characters, single codes by five.
var passing = map[string]bool{
	"08":                 true, // connection
	"53":                 true, // insufficient resources: disk, memory, connections
	"58":                 true, // system error outside the server: I/O
	serializationFailure: true,
	deadlockDetected:     true,
	"25P03":              true, // idle in a transaction for too long
	"55P03":              true, // lock not available
	"57014":              true, // query canceled, by a time-out or an operator
	"57P01":              true, // shutdown
	"57P02":              true, // crash of another backend
	"57P03":              true, // starting up
}

// Classify marks errors that the same call may not meet again as fault.Transient, and leaves the others as they are: by
// SQLSTATE when the server has spoken, otherwise by whether the connection is at fault. InTx has already done so.
func Classify(err error) error {
	if err == nil || fault.IsTransient(err) || !passes(err) {
		return err
	}
	return fault.Transient(err)
}

func passes(err error) bool {
	if state := sqlState(err); state != "" {
		return passing[state] || passing[state[:2]]
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// sqlState is the server's code, or "" when it did not answer with one.
func sqlState(err error) string {
	var p *pgconn.PgError
	if errors.As(err, &p) && len(p.Code) == 5 {
		return strings.ToUpper(p.Code)
	}
	return ""
}

func isGivenUp(err error) bool {
	state := sqlState(err)
	return state == serializationFailure || state == deadlockDetected
}

// IsUnique tells whether err is a second row under a unique or primary key. The transaction is lost, unlike with SQLite:
// use ON CONFLICT where the case is expected.
func IsUnique(err error) bool { return sqlState(err) == uniqueViolation }

// IsCheck tells whether err is a row that a CHECK refused. The transaction is lost, unlike with SQLite.
func IsCheck(err error) bool { return sqlState(err) == checkViolation }
