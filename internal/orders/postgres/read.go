package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

// columns are what targets takes, of orders o and order_states s.
const columns = `o.id, o.payment_id, o.caller, s.status, s.payment_status, s.fulfillment_status, o.request, s.progress,
	s.version, s.lease, s.next_attempt_at, o.created_at, s.updated_at`

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

const getSQL = `SELECT ` + columns + ` FROM orders o JOIN order_states s ON s.order_id = o.id WHERE o.id = ANY($1::uuid[])`

// Get implements orders.Store.
func (s *Store) Get(ctx context.Context, ids []orders.ID) ([]orders.Order, error) {
	found, err := s.orders(ctx, getSQL, uuidsOf(ids))
	if err != nil {
		return nil, fmt.Errorf("read %d orders: %w", len(ids), err)
	}
	return found, nil
}

const eventsSQL = `SELECT version, type, status, payment_status, reason, at FROM order_events WHERE order_id = $1 ORDER BY version`

// Events implements orders.Store.
func (s *Store) Events(ctx context.Context, order orders.ID) ([]orders.Event, error) {
	rows, err := s.pool.Query(ctx, eventsSQL, uuidOf(order))
	if err != nil {
		return nil, fmt.Errorf("read events of order %s: %w", order, postgres.Classify(err))
	}
	var events []orders.Event
	e := orders.Event{OrderID: order}
	var at int64
	_, err = pgx.ForEachRow(rows, []any{&e.Version, (*string)(&e.Type), (*string)(&e.Status), (*string)(&e.PaymentStatus), &e.Reason, &at}, func() error {
		e.At = time.UnixMicro(at).UTC()
		events = append(events, e)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read events of order %s: %w", order, postgres.Classify(err))
	}
	return events, nil
}

// The rows are locked in the order of the index, and those of another claim or save are passed over.
const claimSQL = `WITH due AS MATERIALIZED (
	SELECT order_id, next_attempt_at FROM order_states WHERE next_attempt_at > 0 AND next_attempt_at <= $1
	ORDER BY next_attempt_at, order_id LIMIT $3 FOR UPDATE SKIP LOCKED
), claimed AS (
	UPDATE order_states s SET lease = lease + 1, next_attempt_at = $2 FROM due WHERE s.order_id = due.order_id
	RETURNING s.*, due.next_attempt_at AS was_due_at
)
SELECT ` + columns + ` FROM claimed s JOIN orders o ON o.id = s.order_id ORDER BY s.was_due_at, s.order_id`

// Claim implements orders.Store.
func (s *Store) Claim(ctx context.Context, now, leaseUntil time.Time, limit int) ([]orders.Order, error) {
	claimed, err := s.orders(ctx, claimSQL, now.UnixMicro(), leaseUntil.UnixMicro(), limit)
	if err != nil {
		return nil, fmt.Errorf("claim due orders: %w", err)
	}
	return claimed, nil
}

// The counts walk indexes that hold nothing closed: a shop's ten million confirmed orders are not in them.
const openSQL = `SELECT n, coalesce(oldest, 0), unknown, awaiting FROM
	(SELECT count(*) AS n, min(o.created_at) AS oldest FROM order_states s JOIN orders o ON o.id = s.order_id
		WHERE s.next_attempt_at > 0 AND s.status <> 'awaiting_payment') AS open,
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
