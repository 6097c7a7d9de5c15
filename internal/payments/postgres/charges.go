package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

const createSQL = `INSERT INTO charges (` + chargeColumns + `)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
	$9::bigint[], $10::integer[], $11::boolean[], $12::boolean[], $13::boolean[], $14::text[], $15::text[], $16::text[],
	$17::text[], $18::text[], $19::text[], $20::text[], $21::bigint[])
ON CONFLICT (id) DO NOTHING RETURNING id`

// Create implements payments.Store. It is one round trip, and a second one only when an id was there before.
func (s *Store) Create(ctx context.Context, charges []payments.Charge) ([]payments.Created, error) {
	if len(charges) == 0 {
		return nil, nil
	}
	c := newColumns(charges)
	rows, err := s.pool.Query(ctx, createSQL, c.ids, c.orders, c.amounts, c.received, c.refunded, c.versions, c.next, c.created,
		c.updated, c.attempts, c.closeWanted, c.refundWanted, c.notices, c.methods, c.tokens, c.providers, c.statuses, c.reasons,
		c.pixTxIDs, c.pixPastes, c.pixExpires)
	written, err := collectIDs(rows, err)
	if err != nil {
		return nil, fmt.Errorf("insert charges: %w", err)
	}
	created, others := claimNew(charges, written)
	if len(others) == 0 {
		return created, nil
	}
	existing, err := s.Get(ctx, others)
	if err != nil {
		return nil, fmt.Errorf("read charges that were there before: %w", err)
	}
	return fillOthers(created, charges, existing)
}

// newColumns lists each id once, its first mention, by id: two batches that share ids wait for each other in one order.
func newColumns(charges []payments.Charge) *columns {
	order := make([]*payments.Charge, len(charges))
	for i := range charges {
		order[i] = &charges[i]
	}
	slices.SortStableFunc(order, func(a, b *payments.Charge) int { return slices.Compare(a.ID[:], b.ID[:]) })
	c := new(columns)
	for i, charge := range order {
		if i == 0 || charge.ID != order[i-1].ID {
			c.add(charge)
		}
	}
	return c
}

// claimNew marks the first mention of each id that was written, and lists the ids of the rest.
func claimNew(charges []payments.Charge, written map[payments.ID]bool) (created []payments.Created, others []payments.ID) {
	created = make([]payments.Created, len(charges))
	for i := range charges {
		if !written[charges[i].ID] {
			others = append(others, charges[i].ID)
			continue
		}
		delete(written, charges[i].ID)
		created[i] = payments.Created{Charge: charges[i], New: true}
	}
	return created, others
}

func fillOthers(created []payments.Created, charges, existing []payments.Charge) ([]payments.Created, error) {
	byID := make(map[payments.ID]payments.Charge, len(existing))
	for _, c := range existing {
		byID[c.ID] = c
	}
	for i := range created {
		if created[i].New {
			continue
		}
		found, ok := byID[charges[i].ID]
		if !ok {
			return nil, fmt.Errorf("charge %s was neither written nor there", charges[i].ID)
		}
		created[i].Charge = found
	}
	return created, nil
}

func collectIDs(rows pgx.Rows, err error) (map[payments.ID]bool, error) {
	if err != nil {
		return nil, postgres.Classify(err)
	}
	found := make(map[payments.ID]bool)
	var id [16]byte
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
		found[id] = true
		return nil
	})
	return found, postgres.Classify(err)
}

// The three writes are one statement: the ledger gets the rows of those charges alone that were updated, and its sums
// get one row a batch. ANY repeats what the join says, so that a kept plan finds the charges by their key.
const saveSQL = `WITH updated AS (
	UPDATE charges c SET received_cents = n.received_cents, refunded_cents = n.refunded_cents, version = n.version,
		next_attempt_at = n.next_attempt_at, updated_at = n.updated_at, attempts = n.attempts, close_wanted = n.close_wanted,
		refund_wanted = n.refund_wanted, notice = n.notice, status = n.status, decline_reason = n.decline_reason,
		pix_txid = n.pix_txid, pix_copy_paste = n.pix_copy_paste, pix_expires_at = n.pix_expires_at
	FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::integer[], $8::boolean[],
		$9::boolean[], $10::boolean[], $11::text[], $12::text[], $13::text[], $14::text[], $15::bigint[])
		AS n (id, received_cents, refunded_cents, version, next_attempt_at, updated_at, attempts, close_wanted, refund_wanted,
			notice, status, decline_reason, pix_txid, pix_copy_paste, pix_expires_at)
	WHERE c.id = n.id AND c.version = n.version - 1 AND c.id = ANY($1::uuid[])
	RETURNING c.id
), written AS (
	INSERT INTO ledger (payment_id, number, amount_cents, at, kind, debit, credit)
	SELECT t.* FROM unnest($16::uuid[], $17::bigint[], $18::bigint[], $19::bigint[], $20::text[], $21::text[], $22::text[])
		AS t (payment_id, number, amount_cents, at, kind, debit, credit) JOIN updated ON updated.id = t.payment_id
	RETURNING amount_cents, debit, credit
), summed AS (
	INSERT INTO ledger_sums (captured_cents, refunded_cents, surplus_cents)
	SELECT coalesce(sum(amount_cents) FILTER (WHERE credit = 'sales'), 0), coalesce(sum(amount_cents) FILTER (WHERE debit = 'sales'), 0),
		coalesce(sum(amount_cents) FILTER (WHERE credit = 'surplus'), 0) - coalesce(sum(amount_cents) FILTER (WHERE debit = 'surplus'), 0)
	FROM written HAVING count(*) > 0
) SELECT id FROM updated`

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Save implements payments.Store. Rows are given by id, which is the order in which they are locked while the statement
// is planned as a loop over them; a deadlock of two batches that share charges is found by the server, and transient.
func (s *Store) Save(ctx context.Context, changes []payments.Change) ([]bool, error) {
	if len(changes) == 0 {
		return nil, nil
	}
	return save(ctx, s.pool, changes)
}

func save(ctx context.Context, db querier, changes []payments.Change) ([]bool, error) {
	charges := make([]payments.Charge, len(changes))
	for i := range changes {
		charges[i] = changes[i].Charge
	}
	c, l := newColumns(charges), newLedgerColumns(changes)
	rows, err := db.Query(ctx, saveSQL, c.ids, c.received, c.refunded, c.versions, c.next, c.updated, c.attempts, c.closeWanted,
		c.refundWanted, c.notices, c.statuses, c.reasons, c.pixTxIDs, c.pixPastes, c.pixExpires,
		l.payments, l.numbers, l.amounts, l.at, l.kinds, l.debits, l.credits)
	updated, err := collectIDs(rows, err)
	if err != nil {
		return nil, fmt.Errorf("update charges: %w", err)
	}
	saved := make([]bool, len(changes))
	for i := range changes {
		saved[i] = updated[changes[i].Charge.ID]
	}
	return saved, nil
}

const getSQL = `SELECT ` + chargeColumns + ` FROM charges WHERE id = ANY($1::uuid[]) ORDER BY id`

// Get implements payments.Store.
func (s *Store) Get(ctx context.Context, ids []payments.ID) ([]payments.Charge, error) {
	wanted := make([][16]byte, len(ids))
	for i, id := range ids {
		wanted[i] = id
	}
	return s.query(ctx, getSQL, wanted)
}

const byOrderSQL = `SELECT ` + chargeColumns + ` FROM charges WHERE order_id = $1 ORDER BY id`

// ByOrder implements payments.Store.
func (s *Store) ByOrder(ctx context.Context, order payments.OrderID) ([]payments.Charge, error) {
	return s.query(ctx, byOrderSQL, [16]byte(order))
}

const noticesSQL = `SELECT ` + chargeColumns + ` FROM charges WHERE notice ORDER BY id LIMIT $1`

// Notices implements payments.Store.
func (s *Store) Notices(ctx context.Context, limit int) ([]payments.Charge, error) {
	return s.query(ctx, noticesSQL, limit)
}

// The locks are taken in the order of what is due, and SKIP LOCKED waits for none. The new version and lease are the same
// for all, so the columns are those from before.
const claimSQL = `WITH due AS (
	SELECT ` + chargeColumns + ` FROM charges WHERE next_attempt_at <= $1
	ORDER BY next_attempt_at, id LIMIT $3 FOR UPDATE SKIP LOCKED
), claimed AS (
	UPDATE charges c SET version = c.version + 1, next_attempt_at = $2 FROM due WHERE c.id = due.id
) SELECT ` + chargeColumns + ` FROM due ORDER BY next_attempt_at, id`

// Claim implements payments.Store.
func (s *Store) Claim(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payments.Charge, error) {
	charges, err := s.query(ctx, claimSQL, now.UnixMicro(), leaseUntil.UnixMicro(), limit)
	for i := range charges {
		charges[i].Version++
		charges[i].NextAttemptAt = fromMicros(leaseUntil.UnixMicro())
	}
	return charges, err
}

const ackSQL = `UPDATE charges c SET notice = false FROM unnest($1::uuid[], $2::bigint[]) AS a (id, version)
WHERE c.id = a.id AND c.version = a.version AND c.notice`

// Ack implements payments.Store.
func (s *Store) Ack(ctx context.Context, acks []payments.Ack) error {
	sorted := slices.SortedFunc(slices.Values(acks), func(a, b payments.Ack) int { return slices.Compare(a.ID[:], b.ID[:]) })
	ids, versions := make([][16]byte, len(acks)), make([]int64, len(acks))
	for i, a := range sorted {
		ids[i], versions[i] = a.ID, a.Version
	}
	if _, err := s.pool.Exec(ctx, ackSQL, ids, versions); err != nil {
		return fmt.Errorf("clear notices: %w", postgres.Classify(err))
	}
	return nil
}

func (s *Store) query(ctx context.Context, sql string, args ...any) ([]payments.Charge, error) {
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("query charges: %w", postgres.Classify(err))
	}
	charges, err := pgx.CollectRows(rows, scanCharge)
	if err != nil {
		return nil, fmt.Errorf("query charges: %w", postgres.Classify(err))
	}
	return charges, nil
}
