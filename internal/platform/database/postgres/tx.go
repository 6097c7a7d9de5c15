package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	maxAttempts   = 3
	retryPause    = 10 * time.Millisecond
	rollbackLimit = 5 * time.Second
)

// Beginner is what InTx needs of a pool.
type Beginner interface {
	Begin(ctx context.Context) (pgx.Tx, error)
}

// InTx runs fn in a transaction and commits unless fn returns an error or panics. When the server gave the transaction up
// for a serialization failure or a deadlock, all of it runs again, at most three times; so fn must have no effect outside
// the transaction but to set what it sets anew each time. Rows should be locked in one order all the same: a deadlock costs
// a second before it is found.
//
// An error that names the commit means that the outcome is unknown, not that nothing happened: the server may have
// committed before the connection broke. Look up by key, or repeat what is idempotent. For the same reason nothing but
// those two codes, which are a promise that nothing happened, is retried here.
func InTx(ctx context.Context, db Beginner, fn func(pgx.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := once(ctx, db, fn)
		if err == nil || attempt == maxAttempts || !isGivenUp(err) {
			return Classify(err)
		}
		if pause(ctx, retryPause<<attempt) != nil {
			return Classify(err)
		}
	}
}

func once(ctx context.Context, db Beginner, fn func(pgx.Tx) error) error {
	tx, err := db.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	committed := false
	defer func() {
		if !committed {
			rollback(ctx, tx)
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	committed = true
	return nil
}

// rollback outlives ctx, because a context that has ended would cost the connection as well. Its own error says nothing
// new: a connection that cannot roll back is closed, and the server rolls back.
func rollback(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackLimit)
	defer cancel()
	_ = tx.Rollback(ctx)
}
