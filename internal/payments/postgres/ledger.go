package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

// ledgerColumns turns the transfers of a batch into one array a column, for unnest.
type ledgerColumns struct {
	payments               [][16]byte
	numbers, amounts, at   []int64
	kinds, debits, credits []string
}

func (l *ledgerColumns) add(transfers []payments.Transfer) {
	for _, t := range transfers {
		l.payments = append(l.payments, t.PaymentID)
		l.numbers = append(l.numbers, t.Number)
		l.amounts = append(l.amounts, int64(t.Amount))
		l.at = append(l.at, t.At.UnixMicro())
		l.kinds = append(l.kinds, string(t.Kind))
		l.debits = append(l.debits, string(t.Debit))
		l.credits = append(l.credits, string(t.Credit))
	}
}

const transfersSQL = `SELECT payment_id, number, kind, debit, credit, amount_cents, at FROM (
	SELECT payment_id, number, kind, debit, credit, amount_cents, at FROM ledger WHERE payment_id = $1 ORDER BY number DESC LIMIT $2
) AS newest ORDER BY number`

// Transfers implements payments.Store.
func (s *Store) Transfers(ctx context.Context, id payments.ID, limit int) ([]payments.Transfer, error) {
	rows, err := s.pool.Query(ctx, transfersSQL, [16]byte(id), limit)
	if err != nil {
		return nil, fmt.Errorf("query transfers: %w", postgres.Classify(err))
	}
	transfers, err := pgx.CollectRows(rows, scanTransfer)
	if err != nil {
		return nil, fmt.Errorf("query transfers: %w", postgres.Classify(err))
	}
	return transfers, nil
}

func scanTransfer(row pgx.CollectableRow) (payments.Transfer, error) {
	var t payments.Transfer
	var kind, debit, credit string
	var at int64
	err := row.Scan((*[16]byte)(&t.PaymentID), &t.Number, &kind, &debit, &credit, (*int64)(&t.Amount), &at)
	t.Kind, t.Debit, t.Credit, t.At = payments.TransferKind(kind), payments.Account(debit), payments.Account(credit), fromMicros(at)
	return t, err
}

const (
	totalsSQL = `SELECT captured, refunded, surplus, unknown, oldest FROM
	(SELECT coalesce(sum(captured_cents), 0)::bigint AS captured, coalesce(sum(refunded_cents), 0)::bigint AS refunded,
		coalesce(sum(surplus_cents), 0)::bigint AS surplus FROM ledger_sums) AS sums,
	(SELECT count(*) AS unknown, min(created_at) AS oldest FROM charges WHERE due_at IS NOT NULL AND status = 'unknown') AS lost`

	// Two that fold at once take different rows, and a reader sees the rows or their sum. A row that stands alone stays. It is
	// ANY and no join: after a fold the planner takes the table for empty, and a join that compared each of 30,000 rows with each of
	// 5,000 took 36 s.
	foldSQL = `WITH taken AS MATERIALIZED (
	SELECT id FROM ledger_sums ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
), folded AS (
	DELETE FROM ledger_sums WHERE id = ANY(ARRAY(SELECT id FROM taken)) AND (SELECT count(*) FROM taken) > 1
	RETURNING captured_cents, refunded_cents, surplus_cents
), written AS (
	INSERT INTO ledger_sums (captured_cents, refunded_cents, surplus_cents)
	SELECT sum(captured_cents), sum(refunded_cents), sum(surplus_cents) FROM folded HAVING count(*) > 0
) SELECT count(*) FROM taken`
)

// Totals implements payments.Store. It reads one row for each batch since the last Fold; what is unknown was wished before, so
// the index of due charges has it.
func (s *Store) Totals(ctx context.Context) (payments.Totals, error) {
	var t payments.Totals
	var oldest *int64
	err := s.pool.QueryRow(ctx, totalsSQL).Scan((*int64)(&t.Captured), (*int64)(&t.Refunded), (*int64)(&t.Surplus), &t.Unknown, &oldest)
	if err != nil {
		return payments.Totals{}, fmt.Errorf("read the ledger's sums: %w", postgres.Classify(err))
	}
	if oldest != nil {
		t.OldestUnknown = fromMicros(*oldest)
	}
	return t, nil
}

// foldStep bounds what a step folds: a transaction of some ten milliseconds.
const foldStep = 5000

// Fold implements payments.Store. The statement is planned anew each time, for the table as large as it is then.
func (s *Store) Fold(ctx context.Context) (more bool, err error) {
	var taken int
	if err := s.pool.QueryRow(ctx, foldSQL, pgx.QueryExecModeCacheDescribe, foldStep).Scan(&taken); err != nil {
		return false, fmt.Errorf("fold the ledger's sums: %w", postgres.Classify(err))
	}
	return taken == foldStep, nil
}
