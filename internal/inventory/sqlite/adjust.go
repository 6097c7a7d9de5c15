package sqlite

import (
	"bytes"
	"context"
	"fmt"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// Adjust implements inventory.Store.
func (s *Store) Adjust(ctx context.Context, request inventory.NewAdjustment, ids *id.Source) (made inventory.Adjustment, err error) {
	err = s.db.Write(ctx, func(c *sqlite.Conn) error {
		var known bool
		if made, known, err = knownAdjustment(c, request); err != nil || known {
			return err
		}
		made, err = adjust(c, request, ids)
		return err
	})
	if err != nil {
		return inventory.Adjustment{}, err
	}
	return made, nil
}

const selectAdjustmentSQL = `SELECT fingerprint, id, sku, delta, reason, on_hand, created_at FROM adjustments WHERE key = ?`

func knownAdjustment(c *sqlite.Conn, request inventory.NewAdjustment) (made inventory.Adjustment, known bool, err error) {
	stmt, err := c.Prepare(selectAdjustmentSQL)
	if err != nil {
		return made, false, err
	}
	known, err = stmt.Blob(request.Key[:]).One(func(r sqlite.Row) error {
		if !bytes.Equal(r.Raw(0), request.Fingerprint[:]) {
			return inventory.ErrKeyReused
		}
		made = inventory.Adjustment{
			SKU: inventory.SKU(r.Text(2)), Delta: r.Int64(3), Reason: r.Text(4), OnHand: r.Int64(5), CreatedAt: r.Time(6),
		}
		copy(made.ID[:], r.Raw(1))
		return nil
	})
	return made, known, err
}

const insertAdjustmentSQL = `INSERT INTO adjustments (key, fingerprint, id, sku, delta, reason, on_hand, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

func adjust(c *sqlite.Conn, request inventory.NewAdjustment, ids *id.Source) (inventory.Adjustment, error) {
	items, err := selectItems(c, []inventory.SKU{request.Adjustment.SKU})
	if err != nil {
		return inventory.Adjustment{}, err
	}
	if len(items) == 0 {
		return inventory.Adjustment{}, inventory.ErrNotFound
	}
	made, movement, err := inventory.DecideAdjustment(items[0], request, ids)
	if err != nil {
		return inventory.Adjustment{}, err
	}
	stmt, err := c.Prepare(insertAdjustmentSQL)
	if err != nil {
		return inventory.Adjustment{}, err
	}
	err = stmt.Blob(request.Key[:]).Blob(request.Fingerprint[:]).Blob(made.ID[:]).Text(string(made.SKU)).Int64(made.Delta).
		Text(made.Reason).Int64(made.OnHand).Time(made.CreatedAt).Exec()
	if err != nil {
		return inventory.Adjustment{}, fmt.Errorf("insert adjustment: %w", err)
	}
	if err := insertMovements(c, []inventory.Movement{movement}); err != nil {
		return inventory.Adjustment{}, err
	}
	return made, changeItem(c, movement.Change(), made.CreatedAt)
}
