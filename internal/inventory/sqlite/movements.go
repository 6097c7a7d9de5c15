package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

const insertMovementSQL = `INSERT INTO movements
	(id, previous, sku, kind, on_hand_delta, held_delta, on_hand_after, held_after, order_id, reason, at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

func insertMovements(c *sqlite.Conn, movements []inventory.Movement) error {
	stmt, err := c.Prepare(insertMovementSQL)
	if err != nil {
		return err
	}
	for i := range movements {
		m := &movements[i]
		err := stmt.Blob(m.ID[:]).Blob(nullable((*[16]byte)(&m.Previous))).Text(string(m.SKU)).Text(string(m.Kind)).
			Int64(m.OnHandDelta).Int64(m.HeldDelta).Int64(m.OnHandAfter).Int64(m.HeldAfter).
			Blob(nullable((*[16]byte)(&m.OrderID))).Text(m.Reason).Time(m.At).Exec()
		if err != nil {
			return fmt.Errorf("insert movement of %s: %w", m.SKU, err)
		}
	}
	return nil
}

// nullable is NULL for the zero id.
func nullable(id *[16]byte) []byte {
	if *id == [16]byte{} {
		return nil
	}
	return id[:]
}

const changeItemSQL = `UPDATE items SET on_hand = on_hand + ?, held = held + ?, last_movement = ?, updated_at = ? WHERE sku = ?`

func changeItem(c *sqlite.Conn, change inventory.Change, now time.Time) error {
	stmt, err := c.Prepare(changeItemSQL)
	if err != nil {
		return err
	}
	err = stmt.Int64(change.OnHandDelta).Int64(change.HeldDelta).Blob(change.LastMovement[:]).Time(now).Text(string(change.SKU)).Exec()
	if err != nil {
		return fmt.Errorf("change stock of %s: %w", change.SKU, err)
	}
	return wantRow(c, "items", string(change.SKU))
}

// wantRow checks that the last statement changed one row: a rule that was decided on a row which is not there would be lost silently.
func wantRow(c *sqlite.Conn, table, key string) error {
	if n := c.Changes(); n != 1 {
		return fmt.Errorf("change %s in %s: %d rows instead of 1", key, table, n)
	}
	return nil
}

const selectMovementSQL = `SELECT id, previous, sku, kind, on_hand_delta, held_delta, on_hand_after, held_after, order_id, reason, at
FROM movements WHERE id = ? AND sku = ?`

// ListMovements implements inventory.Store.
func (s *Store) ListMovements(ctx context.Context, filter inventory.MovementFilter) (page []inventory.Movement, err error) {
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		next, err := firstOfPage(c, filter)
		for err == nil && !next.IsZero() && len(page) < filter.Limit {
			var m inventory.Movement
			if m, err = selectMovement(c, filter.SKU, next); err == nil {
				page = append(page, m)
				next = m.Previous
			}
		}
		return err
	})
	return page, err
}

func firstOfPage(c *sqlite.Conn, filter inventory.MovementFilter) (inventory.MovementID, error) {
	if !filter.Before.IsZero() {
		m, err := selectMovement(c, filter.SKU, filter.Before)
		return m.Previous, err
	}
	items, err := selectItems(c, []inventory.SKU{filter.SKU})
	if err != nil || len(items) == 0 {
		return inventory.MovementID{}, err
	}
	return items[0].LastMovement, nil
}

// selectMovement is the zero Movement when the SKU has no such one.
func selectMovement(c *sqlite.Conn, sku inventory.SKU, id inventory.MovementID) (m inventory.Movement, err error) {
	stmt, err := c.Prepare(selectMovementSQL)
	if err != nil {
		return m, err
	}
	_, err = stmt.Blob(id[:]).Text(string(sku)).One(func(r sqlite.Row) error {
		m = inventory.Movement{
			SKU: inventory.SKU(r.Text(2)), Kind: inventory.MovementKind(r.Text(3)),
			OnHandDelta: r.Int64(4), HeldDelta: r.Int64(5), OnHandAfter: r.Int64(6), HeldAfter: r.Int64(7),
			Reason: r.Text(9), At: r.Time(10),
		}
		copy(m.ID[:], r.Raw(0))
		copy(m.Previous[:], r.Raw(1))
		copy(m.OrderID[:], r.Raw(8))
		return nil
	})
	return m, err
}
