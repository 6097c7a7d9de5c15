package sqlite

import (
	"context"
	"fmt"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

const (
	insertOrder = `INSERT INTO orders (id, payment_id, caller, email, key, fingerprint, request, created_at)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`

	insertOpen = `INSERT INTO open_orders (order_id, version, lease, next_attempt_at) VALUES (?, ?, ?, ?)`

	writeStateSQL = `INSERT INTO order_states (order_id, status, payment_status, fulfillment_status, progress, version, lease, updated_at, settlement)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (order_id) DO UPDATE SET status = excluded.status,
	payment_status = excluded.payment_status, fulfillment_status = excluded.fulfillment_status, progress = excluded.progress,
	version = excluded.version, lease = excluded.lease, updated_at = excluded.updated_at,
	settlement = coalesce(excluded.settlement, settlement)`

	insertEvents = `INSERT INTO order_events (order_id, after_version, events) VALUES (?, ?, ?)`

	insertRareSKU = `INSERT INTO order_skus_by_state (sku, state, order_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`

	selectByKey = `SELECT ` + columns + `, o.fingerprint
	FROM orders o` + withState + ` WHERE o.key = ?`
)

// Place implements orders.Store.
func (s *Store) Place(ctx context.Context, placements []orders.Placement) ([]orders.Placing, error) {
	rows := make([]orders.Row, len(placements))
	for i := range placements { // encoded before the writer is taken: others wait for it
		row, err := placements[i].Order.Row()
		if err != nil {
			return nil, err
		}
		rows[i] = row
	}
	placings := make([]orders.Placing, len(placements))
	err := s.db.Write(ctx, func(c *sqlite.Conn) error {
		if err := s.newest.makeRoom(c, placements); err != nil {
			return err
		}
		for i := range placements {
			placing, err := s.placeOne(c, &placements[i], &rows[i])
			if err != nil {
				return fmt.Errorf("place order %s: %w", rows[i].ID, err)
			}
			placings[i] = placing
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return placings, nil
}

func (s *Store) placeOne(c *sqlite.Conn, p *orders.Placement, row *orders.Row) (orders.Placing, error) {
	stmt, err := c.Prepare(insertOrder)
	if err != nil {
		return orders.Placing{}, err
	}
	err = stmt.Blob(row.ID[:]).Blob(row.PaymentID[:]).Text(row.Caller).Text(row.Email).Blob(p.Key[:]).Blob(p.Fingerprint[:]).
		Text(string(row.Request)).Int64(row.CreatedAt).Exec()
	if err != nil {
		return orders.Placing{}, err
	}
	if c.Changes() == 0 {
		return existing(c, p)
	}
	if err := s.newest.writeSKUs(c, &p.Order); err != nil {
		return orders.Placing{}, err
	}
	if row.NextAttemptAt != 0 {
		if err := writeOpen(c, row); err != nil || p.Order.IsUntouched(row) {
			return orders.Placing{}, err
		}
	}
	if err := writeState(c, &p.Order, row, nil); err != nil {
		return orders.Placing{}, err
	}
	document, err := orders.EncodeEvents(0, p.Order.Events())
	if err != nil {
		return orders.Placing{}, err
	}
	return orders.Placing{}, writeEvents(c, row.ID, 0, document)
}

// existing answers a placement whose key is there already.
func existing(c *sqlite.Conn, p *orders.Placement) (placing orders.Placing, err error) {
	stmt, err := c.Prepare(selectByKey)
	if err != nil {
		return orders.Placing{}, err
	}
	_, err = stmt.Blob(p.Key[:]).One(func(r sqlite.Row) error {
		order, err := scan(r)
		if err != nil || order.ID == p.Order.ID { // its own: the call was repeated
			return err
		}
		placing = orders.Placing{Existing: true, Order: order}
		copy(placing.Fingerprint[:], r.Raw(columnCount))
		return nil
	})
	return placing, err
}

func writeOpen(c *sqlite.Conn, row *orders.Row) error {
	stmt, err := c.Prepare(insertOpen)
	if err != nil {
		return err
	}
	return stmt.Blob(row.ID[:]).Int64(row.Version).Int64(row.Lease).Int64(row.NextAttemptAt).Exec()
}

// writeState writes the state, with the events of a settlement, if it is one.
func writeState(c *sqlite.Conn, order *orders.Order, row *orders.Row, settlement []byte) error {
	if err := writeRareSKUs(c, order); err != nil {
		return err
	}
	stmt, err := c.Prepare(writeStateSQL)
	if err != nil {
		return err
	}
	stmt.Blob(row.ID[:]).Text(string(row.Status)).Text(string(row.PaymentStatus)).Text(string(row.FulfillmentStatus)).
		Text(string(row.Progress)).Int64(row.Version).Int64(row.Lease).Int64(row.UpdatedAt)
	if settlement == nil {
		return stmt.Null().Exec()
	}
	return stmt.Text(string(settlement)).Exec()
}

func writeEvents(c *sqlite.Conn, order orders.ID, afterVersion int64, document []byte) error {
	stmt, err := c.Prepare(insertEvents)
	if err != nil {
		return err
	}
	if err := stmt.Blob(order[:]).Int64(afterVersion).Text(string(document)).Exec(); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	return nil
}

// writeRareSKUs writes by which SKUs an order in a state that few come to rest in is found.
func writeRareSKUs(c *sqlite.Conn, order *orders.Order) error {
	for _, state := range order.RareStates() {
		stmt, err := c.Prepare(insertRareSKU)
		if err != nil {
			return err
		}
		for _, sku := range order.SKUs() {
			if err := stmt.Text(sku).Text(state).Blob(order.ID[:]).Exec(); err != nil {
				return fmt.Errorf("write SKU by state: %w", err)
			}
		}
	}
	return nil
}
