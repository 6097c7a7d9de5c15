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
	// placeNewSQL is for batches whose keys are all new, as nearly all are. Its plan has no join, so that it can be kept
	// whatever the size of a batch. A key that is there fails it, and so does a bad row, even under a key that is there: then
	// placeSQL decides.
	placeNewSQL = `WITH placed AS (
	INSERT INTO orders (id, payment_id, created_at, caller, email, key, fingerprint, request)
	SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::bytea[], $7::bytea[], $8::text[])
), states AS (
	INSERT INTO order_states (order_id, version, lease, next_attempt_at, updated_at, status, payment_status,
		fulfillment_status, progress)
	SELECT * FROM unnest($9::uuid[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::text[],
		$15::text[], $16::text[], $17::text[])
), events AS (
	INSERT INTO order_events (order_id, version, at, type, status, payment_status, reason)
	SELECT * FROM unnest($18::uuid[], $19::bigint[], $20::bigint[], $21::text[], $22::text[], $23::text[], $24::text[])
)
INSERT INTO order_skus (sku, order_id) SELECT * FROM unnest($25::text[], $26::uuid[])`

	placeSQL = `WITH placed AS (
	INSERT INTO orders (id, payment_id, created_at, caller, email, key, fingerprint, request)
	SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::bytea[], $7::bytea[], $8::text[])
	ON CONFLICT (key) DO NOTHING RETURNING id
), states AS (
	INSERT INTO order_states (order_id, version, lease, next_attempt_at, updated_at, status, payment_status,
		fulfillment_status, progress)
	SELECT s.* FROM unnest($9::uuid[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::text[],
		$15::text[], $16::text[], $17::text[]) AS s(order_id) JOIN placed ON placed.id = s.order_id
), events AS (
	INSERT INTO order_events (order_id, version, at, type, status, payment_status, reason)
	SELECT e.* FROM unnest($18::uuid[], $19::bigint[], $20::bigint[], $21::text[], $22::text[], $23::text[], $24::text[])
		AS e(order_id) JOIN placed ON placed.id = e.order_id
), skus AS (
	INSERT INTO order_skus (sku, order_id)
	SELECT k.sku, k.order_id FROM unnest($25::text[], $26::uuid[]) AS k(sku, order_id) JOIN placed ON placed.id = k.order_id
)
SELECT id FROM placed`

	selectByKey = `SELECT ` + columns + `, o.key, o.fingerprint
	FROM orders o JOIN order_states s ON s.order_id = o.id WHERE o.key = ANY($1::bytea[])`
)

// Place implements orders.Store.
func (s *Store) Place(ctx context.Context, placements []orders.Placement) ([]orders.Placing, error) {
	args, err := placeArgs(placements)
	if err != nil {
		return nil, err
	}
	if len(args[0].(uuids)) == len(placements) { // no key stands in the batch twice
		_, err := s.pool.Exec(ctx, placeNewSQL, args...)
		if err == nil {
			return make([]orders.Placing, len(placements)), nil
		}
		if err = postgres.Classify(err); fault.IsTransient(err) {
			return nil, fmt.Errorf("place %d orders: %w", len(placements), err)
		}
	}
	plan := planFor(len(placements))
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

// placeArgs sorts by key, so that two calls with the same keys wait for each other instead of deadlocking.
func placeArgs(placements []orders.Placement) ([]any, error) {
	firsts := firstByKey(placements)
	n := len(firsts)
	requests, states, events := newRequestColumns(n), newStateColumns(n), newEventColumns(n)
	skus, skuOrders := make([]string, 0, 2*n), make(uuids, 0, 2*n)
	for _, p := range firsts {
		row, err := p.Order.Row()
		if err != nil {
			return nil, err
		}
		requests.add(p, &row)
		states.add(&row)
		events.add(p.Order.Events())
		for _, sku := range p.Order.SKUs() {
			skus, skuOrders = append(skus, sku), append(skuOrders, uuidOf(row.ID))
		}
	}
	return slices.Concat(requests.args(), states.args(), events.args(), []any{skus, skuOrders}), nil
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
