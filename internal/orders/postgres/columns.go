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

// openColumns are the columns of open_orders.
type openColumns struct {
	ids                     uuids
	versions, leases, dueAt []int64
}

func (c *openColumns) add(row *orders.Row) {
	c.ids = append(c.ids, uuidOf(row.ID))
	c.versions = append(c.versions, row.Version)
	c.leases = append(c.leases, row.Lease)
	c.dueAt = append(c.dueAt, row.NextAttemptAt)
}

func (c *openColumns) args() []any { return []any{c.ids, c.versions, c.leases, c.dueAt} }

// stateColumns are the columns of order_states.
type stateColumns struct {
	ids                                  uuids
	versions, leases, updatedAt          []int64
	statuses, paymentStatuses, shipments []string
	progress                             texts
}

func newStateColumns(n int) *stateColumns {
	return &stateColumns{
		ids: make(uuids, 0, n), versions: make([]int64, 0, n), leases: make([]int64, 0, n), updatedAt: make([]int64, 0, n),
		statuses: make([]string, 0, n), paymentStatuses: make([]string, 0, n), shipments: make([]string, 0, n), progress: make(texts, 0, n),
	}
}

func (c *stateColumns) add(row *orders.Row) {
	c.ids = append(c.ids, uuidOf(row.ID))
	c.versions = append(c.versions, row.Version)
	c.leases = append(c.leases, row.Lease)
	c.updatedAt = append(c.updatedAt, row.UpdatedAt)
	c.statuses = append(c.statuses, string(row.Status))
	c.paymentStatuses = append(c.paymentStatuses, string(row.PaymentStatus))
	c.shipments = append(c.shipments, string(row.FulfillmentStatus))
	c.progress = append(c.progress, row.Progress)
}

func (c *stateColumns) args() []any {
	return []any{c.ids, c.versions, c.leases, c.updatedAt, c.statuses, c.paymentStatuses, c.shipments, c.progress}
}

// eventColumns are the columns of order_events.
type eventColumns struct {
	ids           uuids
	afterVersions []int64
	documents     texts
}

func (c *eventColumns) add(order orders.ID, afterVersion int64, events []orders.Event) error {
	document, err := orders.EncodeEvents(afterVersion, events)
	c.ids = append(c.ids, uuidOf(order))
	c.afterVersions = append(c.afterVersions, afterVersion)
	c.documents = append(c.documents, document)
	return err
}

func (c *eventColumns) args() []any { return []any{c.ids, c.afterVersions, c.documents} }

// rareColumns are the columns of order_skus_by_state.
type rareColumns struct {
	skus, states []string
	ids          uuids
}

func (c *rareColumns) add(o *orders.Order) {
	for _, state := range o.RareStates() {
		for _, sku := range o.SKUs() {
			c.skus, c.states, c.ids = append(c.skus, sku), append(c.states, state), append(c.ids, uuidOf(o.ID))
		}
	}
}

func (c *rareColumns) args() []any { return []any{c.skus, c.states, c.ids} }
