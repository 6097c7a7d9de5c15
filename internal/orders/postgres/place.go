package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

// replan has the server plan a statement for the values that it is given. A plan that is kept expects ten elements of
// every array and a table as large as when it was made: in a new database that is a scan of all orders for every batch.
const replan = pgx.QueryExecModeCacheDescribe

// keepUpTo is how many placements a kept plan is right for. It saves 0.5 ms of the server's time a call, which is much for
// one order and nothing for 256.
const keepUpTo = 16

func planFor(placements int) pgx.QueryExecMode {
	if placements <= keepUpTo {
		return pgx.QueryExecModeCacheStatement
	}
	return replan
}

const (
	// placeNewSQL is for batches of untouched orders whose keys are all new, as nearly all are. Its plan has no join, so that
	// it can be kept whatever the size of a batch. A key that is there fails it, and so does a bad row, even under a key that is there: then
	// placeSQL decides.
	placeNewSQL = `WITH placed AS (
	INSERT INTO orders (id, payment_id, created_at, caller, email, key, fingerprint, request)
	SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::bytea[], $7::bytea[], $8::text[])
), opened AS (
	INSERT INTO open_orders (order_id, version, lease, next_attempt_at) SELECT id, 1, 0, due FROM unnest($1::uuid[], $9::bigint[]) AS o(id, due)
)
INSERT INTO order_skus (sku, order_id) SELECT * FROM unnest($10::text[], $11::uuid[])`

	placeSQL = `WITH placed AS (
	INSERT INTO orders (id, payment_id, created_at, caller, email, key, fingerprint, request)
	SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::bytea[], $7::bytea[], $8::text[])
	ON CONFLICT (key) DO NOTHING RETURNING id
), skus AS (
	INSERT INTO order_skus (sku, order_id)
	SELECT k.sku, k.order_id FROM unnest($9::text[], $10::uuid[]) AS k(sku, order_id) JOIN placed ON placed.id = k.order_id
), opened AS (
	INSERT INTO open_orders (order_id, version, lease, next_attempt_at)
	SELECT o.* FROM unnest($11::uuid[], $12::bigint[], $13::bigint[], $14::bigint[]) AS o(order_id) JOIN placed ON placed.id = o.order_id
), states AS (
	INSERT INTO order_states (order_id, version, lease, updated_at, status, payment_status, fulfillment_status, progress)
	SELECT s.* FROM unnest($15::uuid[], $16::bigint[], $17::bigint[], $18::bigint[], $19::text[], $20::text[], $21::text[], $22::text[])
		AS s(order_id) JOIN placed ON placed.id = s.order_id
), events AS (
	INSERT INTO order_events (order_id, after_version, events)
	SELECT e.* FROM unnest($23::uuid[], $24::bigint[], $25::text[]) AS e(order_id) JOIN placed ON placed.id = e.order_id
), rare AS (
	INSERT INTO order_skus_by_state (sku, state, order_id)
	SELECT r.* FROM unnest($26::text[], $27::text[], $28::uuid[]) AS r(sku, state, order_id) JOIN placed ON placed.id = r.order_id
)
SELECT id FROM placed`
)

var selectByKey = `SELECT ` + columns + `, o.key, o.fingerprint FROM orders o` + withState(`o.id`) + ` WHERE o.key = ANY($1::bytea[])`

// Place implements orders.Store.
func (s *Store) Place(ctx context.Context, placements []orders.Placement) ([]orders.Placing, error) {
	rows, err := newRows(placements)
	if err != nil {
		return nil, err
	}
	if rows.fresh() && len(rows.requests.ids) == len(placements) { // no key stands in the batch twice
		_, err := s.pool.Exec(ctx, placeNewSQL, rows.newArgs()...)
		if err == nil {
			return make([]orders.Placing, len(placements)), nil
		}
		if err = postgres.Classify(err); fault.IsTransient(err) {
			return nil, fmt.Errorf("place %d orders: %w", len(placements), err)
		}
	}
	plan, args := planFor(len(placements)), rows.args()
	written, err := s.ids(ctx, plan, placeSQL, args)
	if postgres.IsUnique(err) {
		// The same call may run twice at once, after an unknown commit: then the ids collide, not only the keys, and by now
		// the keys are there. Ids that collide under other keys do so again.
		written, err = s.ids(ctx, plan, placeSQL, args)
	}
	if err != nil {
		return nil, fmt.Errorf("place %d orders: %w", len(placements), err)
	}
	placings := make([]orders.Placing, len(placements))
	if len(written) == len(placements) {
		return placings, nil
	}
	if err := s.fillExisting(ctx, placements, written, placings); err != nil {
		// What is new has been written: for the caller that is an unknown outcome, which a repeated call resolves.
		return nil, fmt.Errorf("read orders that were placed before: %w", err)
	}
	return placings, nil
}

// ids runs a statement that answers with the ids of the orders that it wrote.
func (s *Store) ids(ctx context.Context, plan pgx.QueryExecMode, sql string, args []any) (map[orders.ID]bool, error) {
	rows, err := s.pool.Query(ctx, sql, append([]any{plan}, args...)...)
	if err != nil {
		return nil, postgres.Classify(err)
	}
	written := make(map[orders.ID]bool)
	var id [16]byte
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
		written[id] = true
		return nil
	})
	return written, postgres.Classify(err)
}

// rows are what a batch of placements writes.
type rows struct {
	requests  *requestColumns
	skus      []string
	skuOrders uuids
	open      openColumns
	states    stateColumns // of orders that are not as they were placed: in the service there are none
	events    eventColumns // of the same
	rare      rareColumns  // of the same
}

// newRows sorts by key, so that two calls with the same keys wait for each other instead of deadlocking.
func newRows(placements []orders.Placement) (*rows, error) {
	firsts := firstByKey(placements)
	n := len(firsts)
	r := &rows{requests: newRequestColumns(n), skus: make([]string, 0, 2*n), skuOrders: make(uuids, 0, 2*n)}
	for _, p := range firsts {
		if err := r.add(p); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *rows) add(p *orders.Placement) error {
	row, err := p.Order.Row()
	if err != nil {
		return err
	}
	r.requests.add(p, &row)
	for _, sku := range p.Order.SKUs() {
		r.skus, r.skuOrders = append(r.skus, sku), append(r.skuOrders, uuidOf(row.ID))
	}
	if row.NextAttemptAt != 0 {
		r.open.add(&row)
	}
	if row.NextAttemptAt != 0 && p.Order.IsUntouched(&row) {
		return nil
	}
	r.states.add(&row)
	r.rare.add(&p.Order)
	return r.events.add(row.ID, 0, p.Order.Events())
}

// fresh tells whether placeNewSQL can write the rows: all orders are open, and as they were placed.
func (r *rows) fresh() bool { return len(r.states.ids) == 0 }

func (r *rows) newArgs() []any {
	return append(r.requests.args(), r.open.dueAt, r.skus, r.skuOrders)
}

func (r *rows) args() []any {
	return slices.Concat(r.requests.args(), []any{r.skus, r.skuOrders}, r.open.args(), r.states.args(), r.events.args(), r.rare.args())
}

func firstByKey(placements []orders.Placement) []*orders.Placement {
	firsts := make([]*orders.Placement, len(placements))
	for i := range placements {
		firsts[i] = &placements[i]
	}
	slices.SortStableFunc(firsts, func(a, b *orders.Placement) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	return slices.CompactFunc(firsts, func(a, b *orders.Placement) bool { return a.Key == b.Key })
}

// fillExisting answers the placements that were not written by what their keys belong to.
func (s *Store) fillExisting(ctx context.Context, placements []orders.Placement, written map[orders.ID]bool, placings []orders.Placing) error {
	keys := make(texts, 0, len(placements)-len(written))
	for i := range placements {
		if !written[placements[i].Order.ID] {
			keys = append(keys, placements[i].Key[:])
		}
	}
	known, err := s.byKey(ctx, keys)
	if err != nil {
		return err
	}
	for i := range placements {
		p := &placements[i]
		if written[p.Order.ID] {
			continue
		}
		existing, ok := known[p.Key]
		if !ok {
			return fault.Transient(errors.New("a key that is there cannot be read"))
		}
		if existing.Order.ID != p.Order.ID { // otherwise the call was repeated
			placings[i] = existing
		}
	}
	return nil
}

func (s *Store) byKey(ctx context.Context, keys texts) (map[orders.IdempotencyKey]orders.Placing, error) {
	rows, err := s.pool.Query(ctx, selectByKey, replan, keys)
	if err != nil {
		return nil, fault.Transient(err)
	}
	known := make(map[orders.IdempotencyKey]orders.Placing, len(keys))
	var row orders.Row
	var key, fingerprint []byte
	_, err = pgx.ForEachRow(rows, append(targets(&row), &key, &fingerprint), func() error {
		order, err := row.Order()
		known[orders.IdempotencyKey(key)] = orders.Placing{Existing: true, Order: order, Fingerprint: orders.Fingerprint(fingerprint)}
		return err
	})
	return known, fault.Transient(err)
}
