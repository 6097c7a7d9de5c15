package sqlite

import (
	"context"
	"slices"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

const itemColumns = `sku, name, price_cents, low_stock_threshold, on_hand, held, last_movement, created_at, updated_at`

func scanItem(r sqlite.Row) inventory.Item {
	item := inventory.Item{
		SKU: inventory.SKU(r.Text(0)), Name: r.Text(1), Price: money.Cents(r.Int64(2)), LowStockThreshold: r.Int64(3),
		OnHand: r.Int64(4), Held: r.Int64(5), CreatedAt: r.Time(7), UpdatedAt: r.Time(8),
	}
	copy(item.LastMovement[:], r.Raw(6))
	return item
}

const putItemSQL = `INSERT INTO items (sku, name, price_cents, low_stock_threshold, on_hand, held, created_at, updated_at)
VALUES (?, ?, ?, ?, 0, 0, ?, ?)
ON CONFLICT (sku) DO UPDATE SET name = excluded.name, price_cents = excluded.price_cents,
	low_stock_threshold = excluded.low_stock_threshold, updated_at = excluded.updated_at
RETURNING ` + itemColumns

// PutItem implements inventory.Store.
func (s *Store) PutItem(ctx context.Context, item inventory.Item) (stored inventory.Item, err error) {
	err = s.db.Write(ctx, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(putItemSQL)
		if err != nil {
			return err
		}
		return stmt.Text(string(item.SKU)).Text(item.Name).Int64(int64(item.Price)).Int64(item.LowStockThreshold).
			Time(item.CreatedAt).Time(item.UpdatedAt).
			Query(func(r sqlite.Row) error {
				stored = scanItem(r)
				return nil
			})
	})
	return stored, err
}

// Items implements inventory.Store.
func (s *Store) Items(ctx context.Context, skus []inventory.SKU) (items []inventory.Item, err error) {
	wanted := slices.Clone(skus)
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		items, err = selectItems(c, wanted)
		return err
	})
	return items, err
}

const selectItemSQL = `SELECT ` + itemColumns + ` FROM items WHERE sku = ?`

// selectItems reads those of skus that exist, in the order of skus.
func selectItems(c *sqlite.Conn, skus []inventory.SKU) ([]inventory.Item, error) {
	stmt, err := c.Prepare(selectItemSQL)
	if err != nil {
		return nil, err
	}
	items := make([]inventory.Item, 0, len(skus))
	for _, sku := range skus {
		_, err := stmt.Text(string(sku)).One(func(r sqlite.Row) error {
			items = append(items, scanItem(r))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return items, nil
}

const listItemsSQL = `SELECT ` + itemColumns + ` FROM items
WHERE sku > ? AND sku <= ? AND (NOT ? OR on_hand - held <= low_stock_threshold)
ORDER BY sku LIMIT ?`

// ListItems implements inventory.Store.
func (s *Store) ListItems(ctx context.Context, filter inventory.ItemFilter) (items []inventory.Item, err error) {
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(listItemsSQL)
		if err != nil {
			return err
		}
		return stmt.Text(string(filter.After)).Text(string(filter.End())).Bool(filter.LowStock).Int(filter.Limit).Query(func(r sqlite.Row) error {
			items = append(items, scanItem(r))
			return nil
		})
	})
	return items, err
}

const edgeSQL = `SELECT sku FROM items WHERE sku > ? ORDER BY sku LIMIT 2 OFFSET ?`

// Edge implements inventory.Store.
func (s *Store) Edge(ctx context.Context, after inventory.SKU, n int) (edge inventory.SKU, err error) {
	var skus []inventory.SKU
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(edgeSQL)
		if err != nil {
			return err
		}
		return stmt.Text(string(after)).Int(n - 1).Query(func(r sqlite.Row) error {
			skus = append(skus, inventory.SKU(r.Text(0)))
			return nil
		})
	})
	if err != nil || len(skus) < 2 {
		return "", err
	}
	return skus[0], nil
}

const stockSQL = `SELECT count(*), coalesce(sum(on_hand), 0), coalesce(sum(held), 0) FROM items`

// Stock implements inventory.Store.
func (s *Store) Stock(ctx context.Context) (stock inventory.Stock, err error) {
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(stockSQL)
		if err != nil {
			return err
		}
		_, err = stmt.One(func(r sqlite.Row) error {
			stock = inventory.Stock{Items: r.Int64(0), OnHand: r.Int64(1), Held: r.Int64(2)}
			return nil
		})
		return err
	})
	return stock, err
}
