package postgres

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

const (
	// settleNewSQL is for batches of orders that come to rest and were not written since they were placed, as nearly all
	// are. It has no join: the deleted rows are found by their key, and if one is not there, because somebody else has saved or claimed its
	// order, the statement fails, because a text that is no number is no count: then saveSQL decides.
	settleNewSQL = settleNew + countClosed

	// settleRareSQL is the same, for batches in which an order came to rest in a state that few do.
	settleRareSQL = settleNew + `, rare AS (
	INSERT INTO order_skus_by_state (sku, state, order_id) SELECT * FROM unnest($10::text[], $11::text[], $12::uuid[])
)` + countClosed

	settleNew = `WITH closed AS (
	DELETE FROM open_orders WHERE order_id = ANY($1::uuid[]) AND version = 1 AND lease = 0 RETURNING 1
), states AS (
	INSERT INTO order_states (order_id, version, lease, updated_at, status, payment_status, fulfillment_status, progress, settlement)
	SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
)`

	countClosed = `
SELECT CAST(CASE count(*) WHEN cardinality($1) THEN '1' ELSE 'orders were changed by others' END AS integer) FROM closed`

	// saveSQL finds what an order has to be at in the row that says so: of an open order that in open_orders, of one at rest
	// that in order_states.
	saveSQL = `WITH change AS MATERIALIZED (
	SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
		$9::text[], $10::bigint[], $11::bigint[]) AS c(order_id, version, lease, updated_at, status, payment_status, fulfillment_status, progress,
		events, next_attempt_at, from_version)
), closed AS (
	DELETE FROM open_orders o USING change c
	WHERE o.order_id = c.order_id AND o.version = c.from_version AND o.lease = c.lease AND c.next_attempt_at = 0
	RETURNING o.order_id
), kept AS (
	UPDATE open_orders o SET version = c.version, next_attempt_at = c.next_attempt_at FROM change c
	WHERE o.order_id = c.order_id AND o.version = c.from_version AND o.lease = c.lease AND c.next_attempt_at > 0
	RETURNING o.order_id
), changed AS (
	UPDATE order_states s SET version = c.version, updated_at = c.updated_at, status = c.status,
		payment_status = c.payment_status, fulfillment_status = c.fulfillment_status, progress = c.progress
	FROM change c WHERE s.order_id = c.order_id AND s.version = c.from_version AND s.lease = c.lease
		AND NOT EXISTS (SELECT FROM open_orders o WHERE o.order_id = c.order_id)
	RETURNING s.order_id
), reopened AS (
	INSERT INTO open_orders (order_id, version, lease, next_attempt_at)
	SELECT c.order_id, c.version, c.lease, c.next_attempt_at FROM change c JOIN changed USING (order_id) WHERE c.next_attempt_at > 0
), stated AS (
	INSERT INTO order_states AS s (order_id, version, lease, updated_at, status, payment_status, fulfillment_status, progress)
	SELECT c.order_id, c.version, c.lease, c.updated_at, c.status, c.payment_status, c.fulfillment_status, c.progress
	FROM change c JOIN (TABLE closed UNION ALL TABLE kept) AS was_open USING (order_id)
	ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, lease = excluded.lease, updated_at = excluded.updated_at,
		status = excluded.status, payment_status = excluded.payment_status, fulfillment_status = excluded.fulfillment_status,
		progress = excluded.progress
), saved AS (
	TABLE closed UNION ALL TABLE kept UNION ALL TABLE changed
), events AS (
	INSERT INTO order_events (order_id, after_version, events)
	SELECT c.order_id, c.from_version, c.events FROM change c JOIN saved USING (order_id) WHERE c.events IS NOT NULL
), rare AS (
	INSERT INTO order_skus_by_state (sku, state, order_id)
	SELECT r.* FROM unnest($12::text[], $13::text[], $14::uuid[]) AS r(sku, state, order_id) JOIN saved USING (order_id)
	ON CONFLICT DO NOTHING
)
SELECT order_id FROM saved`
)

// Save implements orders.Store.
func (s *Store) Save(ctx context.Context, changes []orders.Change) ([]bool, error) {
	rows, err := newChangedRows(changes)
	if err != nil {
		return nil, err
	}
	saved := make([]bool, len(changes))
	if rows.fresh {
		sql, args := rows.settlement()
		_, err := s.pool.Exec(ctx, sql, args...)
		if err == nil {
			for i := range saved {
				saved[i] = true
			}
			return saved, nil
		}
		if err = postgres.Classify(err); fault.IsTransient(err) {
			return nil, fmt.Errorf("settle %d orders: %w", len(changes), err)
		}
	}
	written, err := s.ids(ctx, replan, saveSQL, rows.args())
	if err != nil {
		return nil, fmt.Errorf("save %d orders: %w", len(changes), err)
	}
	for i := range changes {
		saved[i] = written[changes[i].Order.ID]
	}
	return saved, nil
}

// changedRows are what a batch of changes writes.
type changedRows struct {
	states       *stateColumns
	events       texts // nil where there are none
	dueAt, froms []int64
	rare         rareColumns
	fresh        bool // every order comes to rest, and was not written since it was placed
}

// newChangedRows sorts by id, so that two calls with the same orders mostly lock them in the same order.
func newChangedRows(changes []orders.Change) (*changedRows, error) {
	sorted := make([]*orders.Change, len(changes))
	for i := range changes {
		sorted[i] = &changes[i]
	}
	slices.SortFunc(sorted, func(a, b *orders.Change) int { return bytes.Compare(a.Order.ID[:], b.Order.ID[:]) })
	n := len(sorted)
	r := &changedRows{states: newStateColumns(n), events: make(texts, n), dueAt: make([]int64, 0, n), froms: make([]int64, 0, n), fresh: n > 0}
	for i, c := range sorted {
		if err := r.add(c); err != nil {
			return nil, err
		}
		if len(c.Events) == 0 {
			continue
		}
		var err error
		if r.events[i], err = orders.EncodeEvents(c.FromVersion, c.Events); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *changedRows) add(c *orders.Change) error {
	row, err := c.Order.StateRow()
	if err != nil {
		return err
	}
	r.fresh = r.fresh && c.FromVersion == 1 && row.Lease == 0 && row.NextAttemptAt == 0
	r.states.add(&row)
	r.rare.add(&c.Order)
	r.dueAt = append(r.dueAt, row.NextAttemptAt)
	r.froms = append(r.froms, c.FromVersion)
	return nil
}

// settlement is the statement for fresh rows.
func (r *changedRows) settlement() (sql string, args []any) {
	args = append(r.states.args(), r.events)
	if len(r.rare.ids) == 0 {
		return settleNewSQL, args
	}
	return settleRareSQL, append(args, r.rare.args()...)
}

func (r *changedRows) args() []any {
	return slices.Concat(r.states.args(), []any{r.events, r.dueAt, r.froms}, r.rare.args())
}
