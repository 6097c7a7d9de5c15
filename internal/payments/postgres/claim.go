package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

// maxWatches bounds the watches that one Claim ends: at four claims a second, more batches than one process makes.
const maxWatches = 1000

const (
	// A charge that is decided or in the index of due charges stays so: no lock is needed to see it. This comes first,
	// because of nearly every watch nothing is left.
	endWatchesSQL = `DELETE FROM watches WHERE id IN (
	SELECT w.id FROM watches w WHERE w.due_at <= $1 AND NOT EXISTS (
		SELECT FROM charges c WHERE c.id = ANY(w.charges) AND c.due_at IS NULL AND c.next_attempt_at IS NOT NULL)
	ORDER BY w.due_at, w.id LIMIT $2 FOR UPDATE OF w SKIP LOCKED)`

	// A charge that is locked now is left out, and with it its watch is left to the next Claim.
	indexWatchedSQL = `UPDATE charges SET due_at = next_attempt_at WHERE id IN (
	SELECT c.id FROM (SELECT charges FROM watches WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2) AS w
		CROSS JOIN LATERAL unnest(w.charges) AS watched (id) JOIN charges c ON c.id = watched.id
	WHERE c.due_at IS NULL AND c.next_attempt_at IS NOT NULL ORDER BY c.id FOR UPDATE OF c SKIP LOCKED)`

	// The locks are taken in the order of what is due, and SKIP LOCKED waits for none. The new version and lease are the
	// same for all, so the columns are those from before.
	claimSQL = `WITH due AS (
	SELECT ` + chargeColumns + ` FROM charges WHERE due_at <= $1
	ORDER BY due_at, id LIMIT $3 FOR UPDATE SKIP LOCKED
), claimed AS (
	UPDATE charges c SET version = c.version + 1, next_attempt_at = $2, due_at = $2 FROM due WHERE c.id = due.id
) SELECT ` + chargeColumns + ` FROM due ORDER BY next_attempt_at, id`
)

// Claim implements payments.Store. It is one round trip and one transaction.
func (s *Store) Claim(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payments.Charge, error) {
	var charges []payments.Charge
	b := new(pgx.Batch)
	b.Queue(endWatchesSQL, now.UnixMicro(), maxWatches)
	b.Queue(indexWatchedSQL, now.UnixMicro(), maxWatches)
	b.Queue(claimSQL, now.UnixMicro(), leaseUntil.UnixMicro(), limit).Query(func(rows pgx.Rows) (err error) {
		charges, err = pgx.CollectRows(rows, scanCharge)
		return err
	})
	if err := s.pool.SendBatch(ctx, b).Close(); err != nil {
		return nil, fmt.Errorf("claim charges: %w", postgres.Classify(err))
	}
	for i := range charges {
		charges[i].Version++
		charges[i].NextAttemptAt = fromMicros(leaseUntil.UnixMicro())
	}
	return charges, nil
}
