package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
)

const chargeColumns = `id, order_id, amount_cents, received_cents, refunded_cents, version, next_attempt_at, created_at,
	updated_at, attempts, close_wanted, refund_wanted, notice, method, token, provider, status, decline_reason, pix_txid,
	pix_copy_paste, pix_expires_at`

// chargeRow holds the columns that are not the charge's fields as they are.
type chargeRow struct {
	charge             payments.Charge
	next               *int64
	created, updated   int64
	pixTxID, pixPaste  *string
	pixExpires         *int64
	method, statusText string
}

// targets are the places of chargeColumns, in their order.
func (r *chargeRow) targets() []any {
	c := &r.charge
	return []any{
		(*[16]byte)(&c.ID), (*[16]byte)(&c.OrderID), (*int64)(&c.Amount), (*int64)(&c.Received), (*int64)(&c.Refunded), &c.Version,
		&r.next, &r.created, &r.updated, &c.Attempts, &c.CloseWanted, &c.RefundWanted, &c.Notice, &r.method, &c.Token,
		&c.Provider, &r.statusText, &c.DeclineReason, &r.pixTxID, &r.pixPaste, &r.pixExpires,
	}
}

func (r *chargeRow) done() payments.Charge {
	c := r.charge
	c.Method, c.Status = payments.Method(r.method), payments.Status(r.statusText)
	c.CreatedAt, c.UpdatedAt = fromMicros(r.created), fromMicros(r.updated)
	if r.next != nil {
		c.NextAttemptAt = fromMicros(*r.next)
	}
	if r.pixTxID != nil {
		c.Pix = &payments.PixCharge{TxID: *r.pixTxID, CopyPaste: *r.pixPaste, ExpiresAt: fromMicros(*r.pixExpires)}
	}
	return c
}

func scanCharge(row pgx.CollectableRow) (payments.Charge, error) {
	var r chargeRow
	err := row.Scan(r.targets()...)
	return r.done(), err
}

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

// due is NULL for the zero time, which is never.
func due(at time.Time) pgtype.Int8 {
	if at.IsZero() {
		return pgtype.Int8{}
	}
	return pgtype.Int8{Int64: at.UnixMicro(), Valid: true}
}
