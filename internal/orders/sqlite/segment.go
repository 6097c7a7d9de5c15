package sqlite

import (
	"fmt"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

// segmentOrders is how many orders a segment of order_skus has before a new one begins. Its pages are what a batch changes, and
// a list of a SKU looks into one segment after the other until its page is full.
const segmentOrders = 16384

const (
	countNewest = `SELECT count(*) FROM (SELECT 1 FROM orders WHERE id > (SELECT max(after_id) FROM order_sku_segments) LIMIT ?)`

	// insertSegment begins a segment where the orders that are there end. There is one already when all that came since have
	// lesser ids: a clock was ahead for a while.
	insertSegment = `INSERT INTO order_sku_segments (after_id) SELECT id FROM orders ORDER BY id DESC LIMIT 1 ON CONFLICT DO NOTHING`
)

// insertSKU finds the segment by the id: one that was made before others were placed may belong to an older segment.
var insertSKU = `INSERT INTO order_skus (segment, sku, order_id) VALUES (` + segmentOf(`?2`) + `, ?1, ?2)`

// segmentsSKUs walks the SKUs from segment to segment.
const segmentsSKUs = `order_sku_segments g CROSS JOIN order_skus k ON k.segment = g.number`

// skusOf joins the SKUs of the order that has an id.
func skusOf(id string) string {
	return ` CROSS JOIN order_skus k ON k.segment = ` + segmentOf(id) + ` AND k.order_id = ` + id
}

// segmentOf is the number of the segment that has the order with an id.
func segmentOf(id string) string {
	return `(SELECT number FROM order_sku_segments WHERE after_id < ` + id + ` ORDER BY after_id DESC LIMIT 1)`
}

// segments says when a new segment begins. Only who has the database's writer uses it.
type segments struct {
	limit int
	// orders are about how many the newest segment has: nobody takes back what a failed transaction has counted. Negative until
	// they were counted.
	orders int
}

// room begins a new segment when the newest one is full.
func (g *segments) room(c *sqlite.Conn) error {
	if g.orders < 0 {
		if err := g.count(c); err != nil {
			return err
		}
	}
	if g.orders < g.limit {
		return nil
	}
	stmt, err := c.Prepare(insertSegment)
	if err != nil {
		return err
	}
	if err := stmt.Exec(); err != nil {
		return fmt.Errorf("begin segment: %w", err)
	}
	g.orders = 0
	return nil
}

func (g *segments) count(c *sqlite.Conn) error {
	stmt, err := c.Prepare(countNewest)
	if err != nil {
		return err
	}
	if _, err := stmt.Int(g.limit).One(func(r sqlite.Row) error { g.orders = r.Int(0); return nil }); err != nil {
		return fmt.Errorf("count orders of the newest segment: %w", err)
	}
	return nil
}

// writeSKUs writes by which SKUs an order is found.
func (g *segments) writeSKUs(c *sqlite.Conn, order *orders.Order) error {
	stmt, err := c.Prepare(insertSKU)
	if err != nil {
		return err
	}
	for _, sku := range order.SKUs() {
		if err := stmt.Text(sku).Blob(order.ID[:]).Exec(); err != nil {
			return fmt.Errorf("write SKU: %w", err)
		}
	}
	g.orders++
	return nil
}
