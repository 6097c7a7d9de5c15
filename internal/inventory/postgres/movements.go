package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

// nullable is NULL for the zero id.
func nullable(id [16]byte) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: id != [16]byte{}} }

const insertMovementsSQL = `INSERT INTO movements
	(id, previous, sku, kind, on_hand_delta, held_delta, on_hand_after, held_after, order_id, reason, at)
SELECT id, previous, sku, kind, on_hand_delta, held_delta, on_hand_after, held_after, order_id, reason, $11
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::uuid[], $10::text[])
	AS m (id, previous, sku, kind, on_hand_delta, held_delta, on_hand_after, held_after, order_id, reason)`

func queueMovements(b *pgx.Batch, movements []inventory.Movement, now time.Time) {
	n := len(movements)
	uuids := make([]pgtype.UUID, 3*n)
	texts := make([]string, 3*n)
	numbers := make([]int64, 4*n)
	for i := range movements {
		m := &movements[i]
		uuids[i], uuids[n+i], uuids[2*n+i] = nullable(m.ID), nullable(m.Previous), nullable(m.OrderID)
		texts[i], texts[n+i], texts[2*n+i] = string(m.SKU), string(m.Kind), m.Reason
		numbers[i], numbers[n+i], numbers[2*n+i], numbers[3*n+i] = m.OnHandDelta, m.HeldDelta, m.OnHandAfter, m.HeldAfter
	}
	b.Queue(insertMovementsSQL, uuids[:n], uuids[n:2*n], texts[:n], texts[n:2*n],
		numbers[:n], numbers[n:2*n], numbers[2*n:3*n], numbers[3*n:], uuids[2*n:], texts[2*n:], now.UnixMicro())
}

// ANY repeats what the join says, because without it the planner reads the whole catalogue into a hash: for 256 of 10,000
// items that took 13–17 ms of a batch's 30. The row count is checked by the server, because COMMIT is already on its way: a text that is no number fails the statement.
const changeItemsSQL = `WITH changed AS (
	UPDATE items i SET on_hand = i.on_hand + c.on_hand_delta, held = i.held + c.held_delta, last_movement = c.last_movement, updated_at = $5
	FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::uuid[]) AS c (sku, on_hand_delta, held_delta, last_movement)
	WHERE i.sku = c.sku AND i.sku = ANY($1)
	RETURNING 1)
SELECT CAST(CASE count(*) WHEN cardinality($1) THEN '1' ELSE 'locked items are gone' END AS integer) FROM changed`

func queueChanges(b *pgx.Batch, changes []inventory.Change, now time.Time) {
	n := len(changes)
	skus, last, deltas := make([]string, n), make([]pgtype.UUID, n), make([]int64, 2*n)
	for i, c := range changes {
		skus[i], last[i], deltas[i], deltas[n+i] = string(c.SKU), nullable(c.LastMovement), c.OnHandDelta, c.HeldDelta
	}
	b.Queue(changeItemsSQL, skus, deltas[:n], deltas[n:], last, now.UnixMicro())
}

const listMovementsSQL = `WITH RECURSIVE chain AS (
	SELECT m.*, 1 AS position FROM movements m
	WHERE m.sku = $1 AND m.id = CASE WHEN $2::uuid IS NULL
		THEN (SELECT last_movement FROM items WHERE sku = $1)
		ELSE (SELECT previous FROM movements WHERE id = $2 AND sku = $1) END
	UNION ALL
	SELECT m.*, c.position + 1 FROM chain c JOIN movements m ON m.id = c.previous WHERE c.position < $3)
SELECT id, previous, sku, kind, on_hand_delta, held_delta, on_hand_after, held_after, order_id, reason, at
FROM chain ORDER BY position LIMIT $3`

// ListMovements implements inventory.Store.
func (s *Store) ListMovements(ctx context.Context, filter inventory.MovementFilter) ([]inventory.Movement, error) {
	rows, err := s.pool.Query(ctx, listMovementsSQL, filter.SKU, nullable(filter.Before), filter.Limit)
	if err != nil {
		return nil, postgres.Classify(err)
	}
	page, err := pgx.CollectRows(rows, scanMovement)
	return page, postgres.Classify(err)
}

func scanMovement(row pgx.CollectableRow) (m inventory.Movement, err error) {
	var id, previous, order pgtype.UUID
	var at int64
	err = row.Scan(&id, &previous, &m.SKU, &m.Kind, &m.OnHandDelta, &m.HeldDelta, &m.OnHandAfter, &m.HeldAfter, &order, &m.Reason, &at)
	m.ID, m.Previous, m.OrderID, m.At = id.Bytes, previous.Bytes, order.Bytes, fromMicros(at)
	return m, err
}
