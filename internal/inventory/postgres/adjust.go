package postgres

import (
	"bytes"
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// Adjust implements inventory.Store.
func (s *Store) Adjust(ctx context.Context, request inventory.NewAdjustment, ids *id.Source) (made inventory.Adjustment, err error) {
	err = s.inTx(ctx, func(t *tx) error {
		made, err = adjust(ctx, t, request, ids)
		return err
	})
	if err != nil {
		return inventory.Adjustment{}, err
	}
	return made, nil
}

const (
	selectAdjustmentSQL = `SELECT fingerprint, id, sku, delta, reason, on_hand, created_at FROM adjustments WHERE key = $1`
	insertAdjustmentSQL = `INSERT INTO adjustments (key, fingerprint, id, sku, delta, reason, on_hand, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
)

func adjust(ctx context.Context, t *tx, request inventory.NewAdjustment, ids *id.Source) (inventory.Adjustment, error) {
	var items []inventory.Item
	var known []knownAdjustment
	b := &pgx.Batch{}
	queueLock(b, []inventory.SKU{request.Adjustment.SKU}, &items)
	// After the lock: whoever adjusts this item with the same key has committed by then.
	b.Queue(selectAdjustmentSQL, request.Key[:]).Query(func(rows pgx.Rows) (err error) {
		known, err = pgx.CollectRows(rows, scanAdjustment)
		return err
	})
	if err := t.first(ctx, b); err != nil {
		return inventory.Adjustment{}, err
	}
	if len(known) > 0 {
		if !bytes.Equal(known[0].fingerprint, request.Fingerprint[:]) {
			return inventory.Adjustment{}, inventory.ErrKeyReused
		}
		return known[0].Adjustment, nil
	}
	if len(items) == 0 {
		return inventory.Adjustment{}, inventory.ErrNotFound
	}
	made, movement, err := inventory.DecideAdjustment(items[0], request, ids)
	if err != nil {
		return inventory.Adjustment{}, err
	}
	b = &pgx.Batch{}
	b.Queue(insertAdjustmentSQL, request.Key[:], request.Fingerprint[:], nullable(made.ID), made.SKU, made.Delta, made.Reason,
		made.OnHand, made.CreatedAt.UnixMicro())
	queueMovements(b, []inventory.Movement{movement}, made.CreatedAt)
	queueChanges(b, []inventory.Change{movement.Change()}, made.CreatedAt)
	return made, t.last(ctx, b)
}

type knownAdjustment struct {
	inventory.Adjustment
	fingerprint []byte
}

func scanAdjustment(row pgx.CollectableRow) (a knownAdjustment, err error) {
	var id pgtype.UUID
	var created int64
	err = row.Scan(&a.fingerprint, &id, &a.SKU, &a.Delta, &a.Reason, &a.OnHand, &created)
	a.ID, a.CreatedAt = id.Bytes, fromMicros(created)
	return a, err
}
