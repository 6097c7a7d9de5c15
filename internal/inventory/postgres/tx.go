package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

// maxCollisions bounds how often a batch starts anew because another one wrote the same round or key first.
const maxCollisions = 5

// errOvertaken says that a round was held after its release had looked for it, by a hold that committed first.
var errOvertaken = fault.Transient(errors.New("a round was held while it was being released"))

// inTx runs fn like postgres.InTx, in fewer round trips, and again when a row that it found missing was inserted
// meanwhile: the next run finds it.
func (s *Store) inTx(ctx context.Context, fn func(*tx) error) error {
	var err error
	for range maxCollisions {
		err = postgres.InTx(ctx, pipeline{s.pool}, func(t pgx.Tx) error { return fn(t.(*tx)) })
		if !postgres.IsUnique(err) && !errors.Is(err, errOvertaken) {
			return err
		}
	}
	return fault.Transient(err)
}

// pipeline begins transactions without a round trip.
type pipeline struct{ pool *pgxpool.Pool }

// Begin implements postgres.Beginner.
func (p pipeline) Begin(ctx context.Context) (pgx.Tx, error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	return &tx{conn: conn}, nil
}

// tx is a transaction whose BEGIN travels with the first batch and whose COMMIT with the last. The locks of a hot SKU are
// held for one round trip less that way, and the next batch waits that much less. Of pgx.Tx it has what InTx needs.
type tx struct {
	pgx.Tx
	conn      *pgxpool.Conn
	committed bool
}

// first sends BEGIN and b.
func (t *tx) first(ctx context.Context, b *pgx.Batch) error {
	begin := &pgx.Batch{}
	begin.Queue(`BEGIN`)
	begin.QueuedQueries = append(begin.QueuedQueries, b.QueuedQueries...)
	return t.conn.SendBatch(ctx, begin).Close()
}

// next sends b alone.
func (t *tx) next(ctx context.Context, b *pgx.Batch) error { return t.conn.SendBatch(ctx, b).Close() }

// last sends b and COMMIT, which the server skips when b fails: what has to be checked before it is checked by b's SQL.
func (t *tx) last(ctx context.Context, b *pgx.Batch) error {
	b.Queue(`COMMIT`)
	if err := t.conn.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("write and commit: %w", err)
	}
	t.committed = true
	return nil
}

// Commit implements pgx.Tx for a transaction that last has committed, or that has only read.
func (t *tx) Commit(ctx context.Context) error {
	if !t.committed {
		if _, err := t.conn.Exec(ctx, `COMMIT`); err != nil {
			return err
		}
	}
	t.conn.Release()
	return nil
}

// Rollback implements pgx.Tx. A connection that cannot roll back is closed by the pool.
func (t *tx) Rollback(ctx context.Context) error {
	defer t.conn.Release()
	_, err := t.conn.Exec(ctx, `ROLLBACK`)
	return err
}
