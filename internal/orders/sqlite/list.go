package sqlite

import (
	"context"
	"fmt"
	"strings"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

// rarePayments is the predicate of the index order_states_by_payment_status. SQLite uses a partial index only for a
// query that repeats its predicate.
const rarePayments = `payment_status <> 'paid'`

// isRare tells whether the filter's payment status is one that the index has.
func isRare(p orders.PaymentStatus) bool { return p != "" && p != orders.PaymentPaid }

// List implements orders.Store.
func (s *Store) List(ctx context.Context, filter orders.Filter) (page []orders.Order, err error) {
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		fromState, err := stateIsRarer(c, filter)
		if err != nil {
			return err
		}
		q := newQuery(filter, fromState)
		stmt, err := q.bind(c, q.sql())
		if err != nil {
			return err
		}
		return stmt.Query(func(r sqlite.Row) error {
			order, err := scan(r)
			page = append(page, order)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	return page, nil
}

// stateIsRarer tells whether fewer orders have the state of the filter than its SKU, and few.
func stateIsRarer(c *sqlite.Conn, f orders.Filter) (rarer bool, err error) {
	if !isSKUInState(f) {
		return false, nil
	}
	inState, err := countInState(f).count(c, fewInState)
	if err != nil || inState == fewInState {
		return false, err
	}
	ofSKU, err := countOfSKU(f).count(c, inState+1)
	return inState < ofSKU, err
}

// fewInState bounds the orders in one state that are looked through for a SKU.
const fewInState = 1000

func countInState(f orders.Filter) *query {
	q := &query{from: `order_states s` + stateIndex(f)}
	states, bounds := q.conditions(f)
	q.and(inStates(f, states)...)
	q.and(on(byState, bounds)...)
	return q
}

func countOfSKU(f orders.Filter) *query {
	q := &query{from: segmentsSKUs}
	_, bounds := q.conditions(orders.Filter{From: f.From, Before: f.Before})
	q.and(onSegment(bounds)...)
	q.and(on(bySKU, bounds)...)
	q.and(`k.sku = ` + q.arg(func(s *sqlite.Stmt) { s.Text(f.SKU) }))
	return q
}

// isSKUInState tells whether f asks for a SKU's orders in one state that an index has. A walk of a SKU that half of all orders
// have would pass over them all to find none.
func isSKUInState(f orders.Filter) bool {
	if _, rare := f.RareState(); rare { // it has rows of its own
		return false
	}
	oneState := f.PaymentStatus == "" || f.Status == "" && isRare(f.PaymentStatus)
	return f.SKU != "" && f.Email == "" && oneState && !f.TakesPlaced()
}

// query is a SELECT that grows.
type query struct {
	from, id string // the tables, and the id by which the page is walked
	limit    string
	where    []string
	args     []func(*sqlite.Stmt)
}

// newQuery is a filter in SQL. Its text depends on which fields are set, and whether to what a placed order has, so that few
// statements exist. fromState says that few orders have the state, and are to be looked through.
func newQuery(f orders.Filter, fromState bool) *query {
	q := &query{}
	q.limit = q.arg(func(s *sqlite.Stmt) { s.Int(f.Limit) })
	states, bounds := q.conditions(f)
	rare, ok := f.RareState()
	switch {
	case ok:
		q.ofSKU(f.SKU, rare, states, bounds)
	case fromState:
		q.fromState(f, states, bounds)
	case f.Email == "" && f.SKU == "" && len(states) > 0 && f.TakesPlaced():
		q.asPlaced(f, states, bounds)
	default:
		q.walk(f, states, bounds)
	}
	return q
}

// conditions are what f says of an order's states and, by its time, of its id.
func (q *query) conditions(f orders.Filter) (states []state, bounds []bound) {
	if f.Status != "" {
		states = append(states, state{`s.status`, string(orders.Placed), q.arg(func(s *sqlite.Stmt) { s.Text(string(f.Status)) })})
	}
	if f.PaymentStatus != "" {
		states = append(states, state{`s.payment_status`, string(orders.PaymentNone), q.arg(func(s *sqlite.Stmt) { s.Text(string(f.PaymentStatus)) })})
	}
	if !f.From.IsZero() {
		bounds = append(bounds, bound{`>=`, q.arg(func(s *sqlite.Stmt) { s.Blob(f.From[:]) })})
	}
	if !f.Before.IsZero() {
		bounds = append(bounds, bound{`<`, q.arg(func(s *sqlite.Stmt) { s.Blob(f.Before[:]) })})
	}
	return states, bounds
}

// state is a condition on a status: its column, what it is of an order as it was placed, and the placeholder of what it shall be.
type state struct{ column, placed, want string }

// is takes only orders that have a state.
func (s state) is() string { return s.column + ` = ` + s.want }

// isOrPlaced takes orders without a state, too. A bare column would have SQLite begin at the states, and sort them all.
func (s state) isOrPlaced() string {
	return `coalesce(` + s.column + `, '` + s.placed + `') = ` + s.want
}

// arg adds an argument and returns its placeholder.
func (q *query) arg(bind func(*sqlite.Stmt)) string {
	q.args = append(q.args, bind)
	return fmt.Sprintf("?%d", len(q.args))
}

// bind prepares sql, of which q has the arguments.
func (q *query) bind(c *sqlite.Conn, sql string) (*sqlite.Stmt, error) {
	stmt, err := c.Prepare(sql)
	if err != nil {
		return nil, err
	}
	for _, arg := range q.args {
		arg(stmt)
	}
	return stmt, nil
}

func (q *query) and(conditions ...string) { q.where = append(q.where, conditions...) }

// count counts to limit.
func (q *query) count(c *sqlite.Conn, limit int) (n int, err error) {
	q.limit = q.arg(func(s *sqlite.Stmt) { s.Int(limit) })
	stmt, err := q.bind(c, q.countSQL())
	if err != nil {
		return 0, err
	}
	_, err = stmt.One(func(r sqlite.Row) error { n = r.Int(0); return nil })
	return n, err
}

func (q *query) countSQL() string {
	return `SELECT count(*) FROM (SELECT 1 FROM ` + q.from + q.condition() + ` LIMIT ` + q.limit + `)`
}

func (q *query) condition() string {
	if len(q.where) == 0 {
		return ``
	}
	return ` WHERE ` + strings.Join(q.where, ` AND `)
}

func (q *query) sql() string {
	order := q.id + ` DESC`
	if q.id == bySKU { // from segment to segment, the ids of which follow one another
		order = `g.number DESC, ` + order
	}
	return `SELECT ` + columns + ` FROM ` + q.from + q.condition() + ` ORDER BY ` + order + ` LIMIT ` + q.limit
}

// walk takes a page from one table: the one that picks, so that its index gives the order as well.
func (q *query) walk(f orders.Filter, states []state, bounds []bound) {
	q.from, q.id = source(f)
	if q.id == bySKU {
		q.and(onSegment(bounds)...)
	}
	if f.Email != "" {
		q.and(`o.email = ` + q.arg(func(s *sqlite.Stmt) { s.Text(orders.SearchableEmail(f.Email)) }))
	}
	if f.SKU != "" {
		q.and(`k.sku = ` + q.arg(func(s *sqlite.Stmt) { s.Text(f.SKU) }))
	}
	for _, state := range states {
		if q.id == byState {
			q.and(state.is())
		} else {
			q.and(state.isOrPlaced())
		}
	}
	if q.id == byState && isRare(f.PaymentStatus) { // which the index by status does not mind
		q.and(rarePayments)
	}
	q.and(on(q.id, bounds)...)
}

// asPlaced merges two walks: of the states, which is no longer than the page, and of the open orders that have none yet,
// which are at their first version. One walk of the orders would pass over all that are settled, in a shop where most are.
func (q *query) asPlaced(f orders.Filter, states []state, bounds []bound) {
	walk := func(from, id string, conditions ...string) string {
		return `SELECT * FROM (SELECT ` + id + ` FROM ` + from + ` WHERE ` + strings.Join(append(conditions, on(id, bounds)...), ` AND `) +
			` ORDER BY ` + id + ` DESC LIMIT ` + q.limit + `)`
	}
	settled := walk(`order_states s`+stateIndex(f), byState, inStates(f, states)...)
	open := walk(`open_orders p`, `p.order_id`, `p.version = 1`, `NOT EXISTS (SELECT 1 FROM order_states s WHERE s.order_id = p.order_id)`)
	q.from = `(` + settled + ` UNION ALL ` + open + `) AS picked CROSS JOIN orders o ON o.id = picked.order_id` + withState
	q.id = `o.id`
}

// ofSKU walks a SKU's orders in a rare state, passing over those that have left it.
func (q *query) ofSKU(sku, rare string, states []state, bounds []bound) {
	q.from = `order_skus_by_state r CROSS JOIN order_states s ON s.order_id = r.order_id CROSS JOIN orders o ON o.id = r.order_id` + withOpen
	q.id = `r.order_id`
	q.and(`r.sku = `+q.arg(func(s *sqlite.Stmt) { s.Text(sku) }), `r.state = `+q.arg(func(s *sqlite.Stmt) { s.Text(rare) }))
	for _, state := range states {
		q.and(state.is())
	}
	q.and(on(q.id, bounds)...)
}

// fromState looks through all orders that have the state for those that have the SKU.
func (q *query) fromState(f orders.Filter, states []state, bounds []bound) {
	q.from = `order_states s` + stateIndex(f) + skusOf(byState) + ` CROSS JOIN orders o ON o.id = s.order_id` + withOpen
	q.id = byState
	q.and(inStates(f, states)...)
	q.and(on(byState, bounds)...)
	q.and(`k.sku = ` + q.arg(func(s *sqlite.Stmt) { s.Text(f.SKU) }))
}

// stateIndex names the index that walks the orders in the states that f asks for.
func stateIndex(f orders.Filter) string {
	if f.Status == "" {
		return ` INDEXED BY order_states_by_payment_status`
	}
	return ` INDEXED BY order_states_by_status`
}

// inStates are conditions that stateIndex can be used for.
func inStates(f orders.Filter, states []state) []string {
	conditions := make([]string, 0, len(states)+1)
	for _, state := range states {
		conditions = append(conditions, state.is())
	}
	if f.Status == "" {
		conditions = append(conditions, rarePayments)
	}
	return conditions
}

// bound is a condition on an id: the comparison, and the placeholder of what it is compared with.
type bound struct{ compare, with string }

// on says of an id what bounds say.
func on(id string, bounds []bound) []string {
	conditions := make([]string, len(bounds))
	for i, b := range bounds {
		conditions[i] = id + ` ` + b.compare + ` ` + b.with
	}
	return conditions
}

// onSegment says of segment g what bounds say of its orders. The segment that a bound falls into has orders on both sides of it.
func onSegment(bounds []bound) []string {
	conditions := make([]string, len(bounds))
	for i, b := range bounds {
		conditions[i] = `g.number ` + b.compare[:1] + `= ` + segmentOf(b.with)
	}
	return conditions
}

// byState and bySKU are the ids by which a page is walked whose orders are picked by their state and by their SKU.
const (
	byState = `s.order_id`
	bySKU   = `k.order_id`
)

// source names the tables, the one that picks first, and its id, by which the page is walked. CROSS JOIN keeps that order:
// without statistics SQLite would guess, and each of these walks an index backwards and stops at the end of the page.
func source(f orders.Filter) (from, id string) {
	const orderOf = ` CROSS JOIN orders o ON o.id = `
	switch {
	case f.SKU != "" && f.Email != "":
		return `orders o` + skusOf(`o.id`) + withState, `o.id`
	case f.SKU != "":
		return segmentsSKUs + orderOf + bySKU + withState, bySKU
	case f.Email != "":
		return `orders o` + withState, `o.id`
	case isRare(f.PaymentStatus) && (f.Status == "" || f.PaymentStatus != orders.PaymentNone): // a status with no payment is the rarer of the two
		return `order_states s INDEXED BY order_states_by_payment_status` + orderOf + byState + withOpen, byState
	case f.Status != "":
		return `order_states s INDEXED BY order_states_by_status` + orderOf + byState + withOpen, byState
	}
	return `orders o` + withState, `o.id`
}
