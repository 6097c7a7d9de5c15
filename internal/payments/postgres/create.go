package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

// Create implements payments.Store. It is one round trip for new wishes, which nearly all batches are, and up to three when
// an id was there before.
func (s *Store) Create(ctx context.Context, charges []payments.Charge) ([]payments.Created, error) {
	if len(charges) == 0 {
		return nil, nil
	}
	sorted := byID(charges)
	if areWishes(sorted) {
		err := s.wish(ctx, sorted)
		if err == nil {
			return allNew(charges), nil
		}
		if !postgres.IsUnique(err) {
			return nil, fmt.Errorf("insert wishes: %w", err)
		}
	}
	return s.createAny(ctx, charges, sorted)
}

func allNew(charges []payments.Charge) []payments.Created {
	created := make([]payments.Created, len(charges))
	for i := range charges {
		created[i] = payments.Created{Charge: charges[i], New: true}
	}
	return created
}

// areWishes tells whether all are as NewCharge made them, in one batch for one provider, and none comes twice.
func areWishes(sorted []*payments.Charge) bool {
	first := sorted[0]
	for i, c := range sorted {
		wish := payments.Charge{ID: c.ID, OrderID: c.OrderID, Method: c.Method, Token: c.Token, Amount: c.Amount, Provider: first.Provider}
		if *c != payments.NewCharge(wish, first.CreatedAt) || i > 0 && c.ID == sorted[i-1].ID {
			return false
		}
	}
	return true
}

// An id that is known fails the statement: ON CONFLICT would write to the log for each row, and have its answer read.
const wishSQL = `WITH watched AS (
	INSERT INTO watches (id, due_at, charges) VALUES (($1::uuid[])[1], $7, $1)
) INSERT INTO charges (` + chargeColumns + `)
SELECT id, order_id, amount_cents, 0, 0, 1, $7, $6, $6, 0, false, false, false, method, token, $5, 'processing', '', NULL, NULL, NULL
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $8::text[]) AS n (id, order_id, amount_cents, token, method)`

func (s *Store) wish(ctx context.Context, sorted []*payments.Charge) error {
	n, first := len(sorted), sorted[0]
	uuids, texts, amounts := make([][16]byte, 2*n), make([]string, 2*n), make([]int64, n)
	for i, c := range sorted {
		uuids[i], uuids[n+i] = c.ID, c.OrderID
		texts[i], texts[n+i] = c.Token, string(c.Method)
		amounts[i] = int64(c.Amount)
	}
	_, err := s.pool.Exec(ctx, wishSQL, uuids[:n], uuids[n:], amounts, texts[:n], first.Provider,
		first.CreatedAt.UnixMicro(), first.NextAttemptAt.UnixMicro(), texts[n:])
	return postgres.Classify(err)
}

const createSQL = `INSERT INTO charges (` + chargeColumns + `, due_at)
SELECT n.*, n.next_attempt_at FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
	$9::bigint[], $10::integer[], $11::boolean[], $12::boolean[], $13::boolean[], $14::text[], $15::text[], $16::text[],
	$17::text[], $18::text[], $19::text[], $20::text[], $21::bigint[]) AS n (` + chargeColumns + `)
ON CONFLICT (id) DO NOTHING RETURNING id`

func (s *Store) createAny(ctx context.Context, charges []payments.Charge, sorted []*payments.Charge) ([]payments.Created, error) {
	c := newColumns(sorted)
	rows, err := s.pool.Query(ctx, createSQL, c.ids, c.orders, c.amounts, c.received, c.refunded, c.versions, c.next, c.created,
		c.updated, c.attempts, c.closeWanted, c.refundWanted, c.notices, c.methods, c.tokens, c.providers, c.statuses, c.reasons,
		c.pixTxIDs, c.pixPastes, c.pixExpires)
	written := newMarks(c.ids)
	if err == nil {
		err = markIDs(rows, written)
	}
	if err != nil {
		return nil, fmt.Errorf("insert charges: %w", postgres.Classify(err))
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

// claimNew marks the first mention of each id that was written, and lists the ids of the rest.
func claimNew(charges []payments.Charge, written marks) (created []payments.Created, others []payments.ID) {
	created = make([]payments.Created, len(charges))
	for i := range charges {
		if !written.take(charges[i].ID) {
			others = append(others, charges[i].ID)
			continue
		}
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

// markIDs marks the ids that a statement answers.
func markIDs(rows pgx.Rows, found marks) error {
	var id [16]byte
	_, err := pgx.ForEachRow(rows, []any{&id}, func() error {
		found.mark(id)
		return nil
	})
	return err
}
