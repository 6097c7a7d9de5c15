package sqlite

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

// segmentRows is how many rows a segment of order_skus has before a new one begins. More would have more pages for a batch to
// change, fewer would give a list of a SKU that is seldom sold more segments to look into.
const segmentRows = 16384

const (
	// segmentBefore and newestFirst have between them the id of an order, and are the number of its segment.
	segmentBefore = `(SELECT number FROM order_sku_segments WHERE after_id < `
	newestFirst   = ` ORDER BY after_id DESC LIMIT 1)`

	newestNumber = `(SELECT max(number) FROM order_sku_segments)`
	newestAfter  = `(SELECT max(after_id) FROM order_sku_segments)`

	countNewest = `SELECT count(*) FROM (SELECT 1 FROM order_skus WHERE segment = ` + newestNumber + ` LIMIT ?)`

	// insertSegment has a segment begin just before an order that is about to be placed. There is none before it when the
	// newest segment has greater ids alone: a clock was ahead.
	insertSegment = `INSERT INTO order_sku_segments (after_id) SELECT id FROM orders
	WHERE id < ? AND id > ` + newestAfter + ` ORDER BY id DESC LIMIT 1`

	// moveSKUs takes along those orders whose ids are greater although they were placed before.
	moveSKUs = `UPDATE order_skus SET segment = ` + newestNumber + ` WHERE segment = ` + newestNumber + ` - 1
	AND order_id > ` + newestAfter

	insertSKU = `INSERT INTO order_skus (segment, sku, order_id) VALUES (` + segmentBefore + `?` + newestFirst + `, ?, ?)`

	// segmentsSKUs walks the SKUs from segment to segment.
	segmentsSKUs = `order_sku_segments g CROSS JOIN order_skus k ON k.segment = g.number`
)

// segmentOf is the number of the segment that has the order with an id.
func segmentOf(id string) string { return segmentBefore + id + newestFirst }

// skusOf joins the SKUs of the order that has an id.
func skusOf(id string) string {
	return ` CROSS JOIN order_skus k ON k.segment = ` + segmentOf(id) + ` AND k.order_id = ` + id
}

// newestSegment says when the next segment begins. Only who has the database's writer uses it.
type newestSegment struct {
	limit int
	// rows are about how many it has, and negative until they were counted. A transaction that fails takes nothing back, and
	// another process that writes to the file counts its own: a segment may become longer or shorter, and no list minds.
	rows int
}

// makeRoom begins a new segment for a batch when the newest one is full.
func (n *newestSegment) makeRoom(c *sqlite.Conn, batch []orders.Placement) error {
	if n.rows < 0 {
		if err := n.count(c); err != nil {
			return err
		}
	}
	if n.rows < n.limit || len(batch) == 0 {
		return nil
	}
	n.rows = 0
	first := slices.MinFunc(batch, func(a, b orders.Placement) int { return bytes.Compare(a.Order.ID[:], b.Order.ID[:]) }).Order.ID
	stmt, err := c.Prepare(insertSegment)
	if err != nil {
		return err
	}
	if err := stmt.Blob(first[:]).Exec(); err != nil {
		return fmt.Errorf("begin segment: %w", err)
	}
	if c.Changes() == 0 {
		return nil
	}
	return n.moveLater(c)
}

func (n *newestSegment) count(c *sqlite.Conn) error {
	stmt, err := c.Prepare(countNewest)
	if err != nil {
		return err
	}
	if _, err := stmt.Int(n.limit).One(func(r sqlite.Row) error { n.rows = r.Int(0); return nil }); err != nil {
		return fmt.Errorf("count rows of the newest segment: %w", err)
	}
	return nil
}

// moveLater moves what belongs to the new segment out of the one before.
func (n *newestSegment) moveLater(c *sqlite.Conn) error {
	stmt, err := c.Prepare(moveSKUs)
	if err != nil {
		return err
	}
	if err := stmt.Exec(); err != nil {
		return fmt.Errorf("move SKUs to the new segment: %w", err)
	}
	n.rows = int(c.Changes())
	return nil
}

// writeSKUs writes by which SKUs an order is found: in the newest segment, unless its id was made long before.
func (n *newestSegment) writeSKUs(c *sqlite.Conn, order *orders.Order) error {
	stmt, err := c.Prepare(insertSKU)
	if err != nil {
		return err
	}
	for _, sku := range order.SKUs() {
		if err := stmt.Blob(order.ID[:]).Text(sku).Blob(order.ID[:]).Exec(); err != nil {
			return fmt.Errorf("write SKU: %w", err)
		}
		n.rows++
	}
	return nil
}
