package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

// columns are what targets takes, of orders o, open_orders p and order_states s. An order with no state is as it was placed.
const columns = `o.id, o.payment_id, o.caller, coalesce(s.status, 'placed'), coalesce(s.payment_status, 'none'),
	coalesce(s.fulfillment_status, 'unfulfilled'), o.request, coalesce(s.progress, '` + orders.UntouchedProgress + `'),
	coalesce(s.version, 1), coalesce(p.lease, s.lease), coalesce(p.next_attempt_at, 0), o.created_at, coalesce(s.updated_at, o.created_at)`

// withState joins what columns takes to the order of an id.
func withState(id string) string {
	return ` LEFT JOIN open_orders p ON p.order_id = ` + id + ` LEFT JOIN order_states s ON s.order_id = ` + id
}

func targets(r *orders.Row) []any {
	return []any{(*[16]byte)(&r.ID), (*[16]byte)(&r.PaymentID), &r.Caller, (*string)(&r.Status), (*string)(&r.PaymentStatus),
		(*string)(&r.FulfillmentStatus), &r.Request, &r.Progress, &r.Version, &r.Lease, &r.NextAttemptAt,
		&r.CreatedAt, &r.UpdatedAt}
}

// orders reads the orders that a statement answers with.
func (s *Store) orders(ctx context.Context, sql string, args ...any) ([]orders.Order, error) {
	rows, err := s.pool.Query(ctx, sql, append([]any{replan}, args...)...)
	if err != nil {
		return nil, postgres.Classify(err)
	}
	var found []orders.Order
	var row orders.Row
	_, err = pgx.ForEachRow(rows, targets(&row), func() error {
		order, err := row.Order()
		found = append(found, order)
		return err
	})
	if err != nil {
		return nil, postgres.Classify(err)
	}
	return found, nil
}

var getSQL = `SELECT ` + columns + ` FROM orders o` + withState(`o.id`) + ` WHERE o.id = ANY($1::uuid[])`

// Get implements orders.Store.
func (s *Store) Get(ctx context.Context, ids []orders.ID) ([]orders.Order, error) {
	found, err := s.orders(ctx, getSQL, uuidsOf(ids))
	if err != nil {
		return nil, fmt.Errorf("read %d orders: %w", len(ids), err)
	}
	return found, nil
}

const eventsSQL = `SELECT o.created_at, e.after_version, e.events FROM orders o LEFT JOIN (
	SELECT after_version, events FROM order_events WHERE order_id = $1
	UNION ALL SELECT 1, settlement FROM order_states WHERE order_id = $1 AND settlement IS NOT NULL
) AS e ON true WHERE o.id = $1 ORDER BY e.after_version`

// Events implements orders.Store.
func (s *Store) Events(ctx context.Context, order orders.ID) ([]orders.Event, error) {
	rows, err := s.pool.Query(ctx, eventsSQL, uuidOf(order))
	if err != nil {
		return nil, fmt.Errorf("read events of order %s: %w", order, postgres.Classify(err))
	}
	var events []orders.Event
	var placedAt int64
	var after *int64
	var document []byte
	_, err = pgx.ForEachRow(rows, []any{&placedAt, &after, &document}, func() error {
		if len(events) == 0 && (after == nil || *after > 0) {
			events = append(events, orders.PlacedEvent(order, time.UnixMicro(placedAt).UTC()))
		}
		if after == nil {
			return nil
		}
		more, err := orders.DecodeEvents(order, document)
		events = append(events, more...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read events of order %s: %w", order, postgres.Classify(err))
	}
	return events, nil
}

// Rows that another claim or save has locked are passed over: no order of locks is needed.
var claimSQL = `WITH due AS MATERIALIZED (
	SELECT order_id, next_attempt_at FROM open_orders WHERE next_attempt_at <= $1
	ORDER BY next_attempt_at, order_id LIMIT $3 FOR UPDATE SKIP LOCKED
), claimed AS (
	UPDATE open_orders p SET lease = lease + 1, next_attempt_at = $2 FROM due WHERE p.order_id = due.order_id
	RETURNING p.*, due.next_attempt_at AS was_due_at
)
SELECT ` + columns + ` FROM claimed p JOIN orders o ON o.id = p.order_id LEFT JOIN order_states s ON s.order_id = p.order_id
ORDER BY p.was_due_at, p.order_id`

// Claim implements orders.Store.
func (s *Store) Claim(ctx context.Context, now, leaseUntil time.Time, limit int) ([]orders.Order, error) {
	claimed, err := s.orders(ctx, claimSQL, now.UnixMicro(), leaseUntil.UnixMicro(), limit)
	if err != nil {
		return nil, fmt.Errorf("claim due orders: %w", err)
	}
	return claimed, nil
}

// The counts walk a table and indexes that hold nothing closed: a shop's ten million confirmed orders are not in them.
const openSQL = `SELECT n, coalesce(oldest, 0), unknown, awaiting FROM
	(SELECT count(*) AS n, min(o.created_at) AS oldest FROM open_orders p JOIN orders o ON o.id = p.order_id
		LEFT JOIN order_states s ON s.order_id = p.order_id WHERE coalesce(s.status, 'placed') <> 'awaiting_payment') AS open,
	(SELECT count(*) AS unknown FROM order_states WHERE payment_status = 'unknown') AS lost,
	(SELECT count(*) AS awaiting FROM order_states WHERE status = 'awaiting_payment') AS waiting`

// Open implements orders.Store.
func (s *Store) Open(ctx context.Context) (orders.Open, error) {
	var open orders.Open
	var oldest int64
	err := s.pool.QueryRow(ctx, openSQL, replan).Scan(&open.Orders, &oldest, &open.PaymentsUnknown, &open.AwaitingPayment)
	if err != nil {
		return orders.Open{}, fmt.Errorf("count open orders: %w", postgres.Classify(err))
	}
	if open.Orders > 0 {
		open.OldestCreatedAt = time.UnixMicro(oldest).UTC()
	}
	return open, nil
}
