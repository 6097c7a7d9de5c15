package postgres

import (
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

// texts is a parameter for text[] or bytea[], without a copy of the bytes to a string.
type texts = pgtype.FlatArray[[]byte]

// requestColumns are the columns of new rows of orders, one array a column: the form that unnest takes.
type requestColumns struct {
	ids, payments                 uuids
	createdAt                     []int64
	callers, emails               []string
	keys, fingerprints, documents texts
}

func newRequestColumns(n int) *requestColumns {
	return &requestColumns{
		ids: make(uuids, 0, n), payments: make(uuids, 0, n), createdAt: make([]int64, 0, n),
		callers: make([]string, 0, n), emails: make([]string, 0, n),
		keys: make(texts, 0, n), fingerprints: make(texts, 0, n), documents: make(texts, 0, n),
	}
}

func (c *requestColumns) add(p *orders.Placement, row *orders.Row) {
	c.ids = append(c.ids, uuidOf(row.ID))
	c.payments = append(c.payments, uuidOf(row.PaymentID))
	c.createdAt = append(c.createdAt, row.CreatedAt)
	c.callers = append(c.callers, row.Caller)
	c.emails = append(c.emails, row.Email)
	c.keys = append(c.keys, p.Key[:])
	c.fingerprints = append(c.fingerprints, p.Fingerprint[:])
	c.documents = append(c.documents, row.Request)
}

func (c *requestColumns) args() []any {
	return []any{c.ids, c.payments, c.createdAt, c.callers, c.emails, c.keys, c.fingerprints, c.documents}
}

// stateColumns are the columns of order_states.
type stateColumns struct {
	ids                                  uuids
	versions, leases                     []int64
	dueAt, updatedAt                     []int64
	statuses, paymentStatuses, shipments []string
	progress                             texts
}

func newStateColumns(n int) *stateColumns {
	return &stateColumns{
		ids: make(uuids, 0, n), versions: make([]int64, 0, n), leases: make([]int64, 0, n),
		dueAt: make([]int64, 0, n), updatedAt: make([]int64, 0, n), statuses: make([]string, 0, n),
		paymentStatuses: make([]string, 0, n), shipments: make([]string, 0, n), progress: make(texts, 0, n),
	}
}

func (c *stateColumns) add(row *orders.Row) {
	c.ids = append(c.ids, uuidOf(row.ID))
	c.versions = append(c.versions, row.Version)
	c.leases = append(c.leases, row.Lease)
	c.dueAt = append(c.dueAt, row.NextAttemptAt)
	c.updatedAt = append(c.updatedAt, row.UpdatedAt)
	c.statuses = append(c.statuses, string(row.Status))
	c.paymentStatuses = append(c.paymentStatuses, string(row.PaymentStatus))
	c.shipments = append(c.shipments, string(row.FulfillmentStatus))
	c.progress = append(c.progress, row.Progress)
}

func (c *stateColumns) args() []any {
	return []any{c.ids, c.versions, c.leases, c.dueAt, c.updatedAt, c.statuses, c.paymentStatuses, c.shipments, c.progress}
}

// eventColumns are the columns of order_events.
type eventColumns struct {
	ids                                       uuids
	versions, at                              []int64
	types, statuses, paymentStatuses, reasons []string
}

func newEventColumns(n int) *eventColumns {
	return &eventColumns{
		ids: make(uuids, 0, n), versions: make([]int64, 0, n), at: make([]int64, 0, n), types: make([]string, 0, n),
		statuses: make([]string, 0, n), paymentStatuses: make([]string, 0, n), reasons: make([]string, 0, n),
	}
}

func (c *eventColumns) add(events []orders.Event) {
	for i := range events {
		e := &events[i]
		c.ids = append(c.ids, uuidOf(e.OrderID))
		c.versions = append(c.versions, e.Version)
		c.at = append(c.at, e.At.UnixMicro())
		c.types = append(c.types, string(e.Type))
		c.statuses = append(c.statuses, string(e.Status))
		c.paymentStatuses = append(c.paymentStatuses, string(e.PaymentStatus))
		c.reasons = append(c.reasons, e.Reason)
	}
}

func (c *eventColumns) args() []any {
	return []any{c.ids, c.versions, c.at, c.types, c.statuses, c.paymentStatuses, c.reasons}
}
