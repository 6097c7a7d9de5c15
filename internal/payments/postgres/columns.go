package postgres

import (
	"bytes"
	"slices"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
)

// byID lists the charges by id: two batches that share ids wait for each other in one order.
func byID(charges []payments.Charge) []*payments.Charge {
	sorted := make([]*payments.Charge, len(charges))
	for i := range charges {
		sorted[i] = &charges[i]
	}
	slices.SortStableFunc(sorted, func(a, b *payments.Charge) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return sorted
}

// columns turns a batch of charges into one array a column, for unnest.
type columns struct {
	ids, orders                                             [][16]byte
	amounts, received, refunded, versions, created, updated []int64
	next, pixExpires                                        []pgtype.Int8
	attempts                                                []int32
	closeWanted, refundWanted, notices                      []bool
	methods, tokens, providers, statuses, reasons           []string
	pixTxIDs, pixPastes                                     []pgtype.Text
}

// newColumns lists each id once: the first mention of those, by id.
func newColumns(sorted []*payments.Charge) *columns {
	c := new(columns)
	for i, charge := range sorted {
		if i == 0 || charge.ID != sorted[i-1].ID {
			c.add(charge)
		}
	}
	return c
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
	var txid, paste pgtype.Text
	var expires pgtype.Int8
	if pix != nil {
		txid, paste = pgtype.Text{String: pix.TxID, Valid: true}, pgtype.Text{String: pix.CopyPaste, Valid: true}
		expires = due(pix.ExpiresAt)
	}
	c.pixTxIDs = append(c.pixTxIDs, txid)
	c.pixPastes = append(c.pixPastes, paste)
	c.pixExpires = append(c.pixExpires, expires)
}

// marks are ids of which some are marked.
type marks struct {
	ids    [][16]byte // sorted
	marked []bool
}

func newMarks(sorted [][16]byte) marks { return marks{sorted, make([]bool, len(sorted))} }

// take tells whether an id is marked, and unmarks it.
func (m marks) take(id [16]byte) bool {
	at, ok := m.find(id)
	if !ok || !m.marked[at] {
		return false
	}
	m.marked[at] = false
	return true
}

func (m marks) mark(id [16]byte) {
	if at, ok := m.find(id); ok {
		m.marked[at] = true
	}
}

func (m marks) find(id [16]byte) (at int, ok bool) {
	return slices.BinarySearchFunc(m.ids, id, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
}
