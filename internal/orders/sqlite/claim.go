package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

const (
	selectDue = `SELECT order_id FROM open_orders WHERE next_attempt_at <= ?
	ORDER BY next_attempt_at, order_id LIMIT ?`

	takeLease = `UPDATE open_orders SET lease = lease + 1, next_attempt_at = ? WHERE order_id = ?`
)

// Claim implements orders.Store. The one writer is what keeps two claims apart.
func (s *Store) Claim(ctx context.Context, now, leaseUntil time.Time, limit int) (claimed []orders.Order, err error) {
	if idle, err := s.idle(ctx, now); idle || err != nil {
		return nil, err
	}
	err = s.db.Write(ctx, func(c *sqlite.Conn) error {
		ids, err := due(c, now, limit)
		if err != nil {
			return err
		}
		stmt, err := c.Prepare(takeLease)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := stmt.Time(leaseUntil).Blob(id[:]).Exec(); err != nil {
				return fmt.Errorf("lease order %s: %w", id, err)
			}
		}
		claimed, err = get(c, ids)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim due orders: %w", err)
	}
	return claimed, nil
}

// idle looks through a reader whether anything is due: a loop that finds nothing shall not wait for the writer, nor have
// others wait for it.
func (s *Store) idle(ctx context.Context, now time.Time) (idle bool, err error) {
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		ids, err := due(c, now, 1)
		idle = len(ids) == 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("look for due orders: %w", err)
	}
	return idle, nil
}

func due(c *sqlite.Conn, now time.Time, limit int) (ids []orders.ID, err error) {
	stmt, err := c.Prepare(selectDue)
	if err != nil {
		return nil, err
	}
	err = stmt.Time(now).Int(limit).Query(func(r sqlite.Row) error {
		ids = append(ids, orders.ID(r.Raw(0)))
		return nil
	})
	return ids, err
}
