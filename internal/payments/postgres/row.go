package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"

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

// columns turns a batch of charges into one array a column, for unnest.
type columns struct {
	ids, orders                                             [][16]byte
	amounts, received, refunded, versions, created, updated []int64
	next, pixExpires                                        []*int64
	attempts                                                []int32
	closeWanted, refundWanted, notices                      []bool
	methods, tokens, providers, statuses, reasons           []string
	pixTxIDs, pixPastes                                     []*string
}

func (c *columns) add(charge *payments.Charge) {
	c.ids = append(c.ids, charge.ID)
	c.orders = append(c.orders, charge.OrderID)
	c.amounts = append(c.amounts, int64(charge.Amount))
	c.received = append(c.received, int64(charge.Received))
	c.refunded = append(c.refunded, int64(charge.Refunded))
	c.versions = append(c.versions, charge.Version)
	c.next = append(c.next, due(charge.NextAttemptAt))
	c.created = append(c.created, charge.CreatedAt.UnixMicro())
	c.updated = append(c.updated, charge.UpdatedAt.UnixMicro())
	c.attempts = append(c.attempts, int32(charge.Attempts))
	c.closeWanted = append(c.closeWanted, charge.CloseWanted)
	c.refundWanted = append(c.refundWanted, charge.RefundWanted)
	c.notices = append(c.notices, charge.Notice)
	c.methods = append(c.methods, string(charge.Method))
	c.tokens = append(c.tokens, charge.Token)
	c.providers = append(c.providers, charge.Provider)
	c.statuses = append(c.statuses, string(charge.Status))
	c.reasons = append(c.reasons, charge.DeclineReason)
	c.addPix(charge.Pix)
}

func (c *columns) addPix(pix *payments.PixCharge) {
	var txid, paste *string
	var expires *int64
	if pix != nil {
		at := pix.ExpiresAt.UnixMicro()
		txid, paste, expires = &pix.TxID, &pix.CopyPaste, &at
	}
	c.pixTxIDs = append(c.pixTxIDs, txid)
	c.pixPastes = append(c.pixPastes, paste)
	c.pixExpires = append(c.pixExpires, expires)
}

// due is NULL for the zero time, which is never.
func due(at time.Time) *int64 {
	if at.IsZero() {
		return nil
	}
	us := at.UnixMicro()
	return &us
}
