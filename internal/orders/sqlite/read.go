package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

// columns are what scan reads of orders o, open_orders p and order_states s; columnCount is how many. An order with no
// state is as it was placed.
const (
	columns = `o.id, o.payment_id, o.caller, coalesce(s.status, 'placed'), coalesce(s.payment_status, 'none'),
	coalesce(s.fulfillment_status, 'unfulfilled'), o.request, coalesce(s.progress, '` + orders.UntouchedProgress + `'),
	coalesce(s.version, 1), coalesce(p.lease, s.lease), coalesce(p.next_attempt_at, 0), o.created_at, coalesce(s.updated_at, o.created_at)`
	columnCount = 13
)

// withOpen and withState join what columns takes besides orders o.
const (
	withOpen  = ` LEFT JOIN open_orders p ON p.order_id = o.id`
	withState = withOpen + ` LEFT JOIN order_states s ON s.order_id = o.id`
)

func scan(r sqlite.Row) (orders.Order, error) {
	row := orders.Row{
		Caller: r.Text(2), Status: orders.Status(r.Text(3)), PaymentStatus: orders.PaymentStatus(r.Text(4)),
		FulfillmentStatus: orders.FulfillmentStatus(r.Text(5)), Request: r.Raw(6), Progress: r.Raw(7),
		Version: r.Int64(8), Lease: r.Int64(9), NextAttemptAt: r.Int64(10),
		CreatedAt: r.Int64(11), UpdatedAt: r.Int64(12),
	}
	copy(row.ID[:], r.Raw(0))
	copy(row.PaymentID[:], r.Raw(1))
	return row.Order()
}

const selectOrder = `SELECT ` + columns + ` FROM orders o` + withState + ` WHERE o.id = ?`

// Get implements orders.Store.
func (s *Store) Get(ctx context.Context, ids []orders.ID) (found []orders.Order, err error) {
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		found, err = get(c, ids)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read %d orders: %w", len(ids), err)
	}
	return found, nil
}

func get(c *sqlite.Conn, ids []orders.ID) ([]orders.Order, error) {
	stmt, err := c.Prepare(selectOrder)
	if err != nil {
		return nil, err
	}
	found := make([]orders.Order, 0, len(ids))
	seen := make(map[orders.ID]bool, len(ids))
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		_, err := stmt.Blob(id[:]).One(func(r sqlite.Row) error {
			order, err := scan(r)
			found = append(found, order)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

const selectEvents = `SELECT o.created_at, coalesce(e.after_version, -1), coalesce(e.events, '[]') FROM orders o LEFT JOIN (
	SELECT after_version, events FROM order_events WHERE order_id = ?1
	UNION ALL SELECT 1, settlement FROM order_states WHERE order_id = ?1 AND settlement IS NOT NULL
) AS e WHERE o.id = ?1 ORDER BY e.after_version`

// Events implements orders.Store.
func (s *Store) Events(ctx context.Context, order orders.ID) (events []orders.Event, err error) {
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(selectEvents)
		if err != nil {
			return err
		}
		return stmt.Blob(order[:]).Query(func(r sqlite.Row) error {
			if len(events) == 0 && r.Int64(1) != 0 {
				events = append(events, orders.PlacedEvent(order, r.Time(0)))
			}
			more, err := orders.DecodeEvents(order, r.Raw(2))
			events = append(events, more...)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read events of order %s: %w", order, err)
	}
	return events, nil
}

// The counts walk a table and indexes that hold nothing closed: a shop's ten million confirmed orders are not in them.
const (
	countOpen = `SELECT count(*), coalesce(min(o.created_at), 0)
	FROM open_orders p CROSS JOIN orders o ON o.id = p.order_id LEFT JOIN order_states s ON s.order_id = p.order_id
	WHERE coalesce(s.status, 'placed') <> 'awaiting_payment'`

	countUnknown = `SELECT count(*), 0 FROM order_states
	WHERE payment_status = 'unknown' AND ` + rarePayments

	countAwaiting = `SELECT count(*), 0 FROM order_states WHERE status = 'awaiting_payment'`
)

// Open implements orders.Store.
func (s *Store) Open(ctx context.Context) (open orders.Open, err error) {
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		var oldest, none int64
		for _, q := range []struct {
			sql           string
			count, oldest *int64
		}{
			{countOpen, &open.Orders, &oldest},
			{countUnknown, &open.PaymentsUnknown, &none},
			{countAwaiting, &open.AwaitingPayment, &none},
		} {
			stmt, err := c.Prepare(q.sql)
			if err != nil {
				return err
			}
			_, err = stmt.One(func(r sqlite.Row) error {
				*q.count, *q.oldest = r.Int64(0), r.Int64(1)
				return nil
			})
			if err != nil {
				return err
			}
		}
		if open.Orders > 0 {
			open.OldestCreatedAt = time.UnixMicro(oldest).UTC()
		}
		return nil
	})
	if err != nil {
		return orders.Open{}, fmt.Errorf("count open orders: %w", err)
	}
	return open, nil
}
