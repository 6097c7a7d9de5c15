package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

const itemColumns = `sku, name, price_cents, low_stock_threshold, on_hand, held, last_movement, created_at, updated_at`

func scanItem(row pgx.CollectableRow) (item inventory.Item, err error) {
	var last pgtype.UUID
	var created, updated int64
	err = row.Scan(&item.SKU, &item.Name, &item.Price, &item.LowStockThreshold, &item.OnHand, &item.Held, &last, &created, &updated)
	item.LastMovement, item.CreatedAt, item.UpdatedAt = last.Bytes, fromMicros(created), fromMicros(updated)
	return item, err
}

const putItemSQL = `INSERT INTO items (sku, name, price_cents, low_stock_threshold, on_hand, held, created_at, updated_at)
VALUES ($1, $2, $3, $4, 0, 0, $5, $6)
ON CONFLICT (sku) DO UPDATE SET name = excluded.name, price_cents = excluded.price_cents,
	low_stock_threshold = excluded.low_stock_threshold, updated_at = excluded.updated_at
RETURNING ` + itemColumns

// PutItem implements inventory.Store.
func (s *Store) PutItem(ctx context.Context, item inventory.Item) (inventory.Item, error) {
	rows, err := s.pool.Query(ctx, putItemSQL, item.SKU, item.Name, item.Price, item.LowStockThreshold,
		item.CreatedAt.UnixMicro(), item.UpdatedAt.UnixMicro())
	if err != nil {
		return inventory.Item{}, postgres.Classify(err)
	}
	stored, err := pgx.CollectExactlyOneRow(rows, scanItem)
	return stored, postgres.Classify(err)
}

const selectItemsSQL = `SELECT ` + itemColumns + ` FROM items WHERE sku = ANY($1) ORDER BY sku`

// Items implements inventory.Store.
func (s *Store) Items(ctx context.Context, skus []inventory.SKU) ([]inventory.Item, error) {
	return s.items(ctx, selectItemsSQL, names(skus))
}

const listItemsSQL = `SELECT ` + itemColumns + ` FROM items
WHERE sku > $1 AND sku <= $2 AND (NOT $3::boolean OR on_hand - held <= low_stock_threshold)
ORDER BY sku LIMIT $4`

// ListItems implements inventory.Store.
func (s *Store) ListItems(ctx context.Context, filter inventory.ItemFilter) ([]inventory.Item, error) {
	return s.items(ctx, listItemsSQL, filter.After, filter.End(), filter.LowStock, filter.Limit)
}

const edgeSQL = `SELECT sku FROM items WHERE sku > $1 ORDER BY sku LIMIT 2 OFFSET $2`

// Edge implements inventory.Store.
func (s *Store) Edge(ctx context.Context, after inventory.SKU, n int) (inventory.SKU, error) {
	rows, err := s.pool.Query(ctx, edgeSQL, after, n-1)
	if err != nil {
		return "", postgres.Classify(err)
	}
	skus, err := pgx.CollectRows(rows, pgx.RowTo[inventory.SKU])
	if err != nil || len(skus) < 2 {
		return "", postgres.Classify(err)
	}
	return skus[0], nil
}

func (s *Store) items(ctx context.Context, sql string, args ...any) ([]inventory.Item, error) {
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, postgres.Classify(err)
	}
	items, err := pgx.CollectRows(rows, scanItem)
	return items, postgres.Classify(err)
}

// names are skus as a type that pgx encodes without reflection.
func names(skus []inventory.SKU) []string {
	out := make([]string, len(skus))
	for i, sku := range skus {
		out[i] = string(sku)
	}
	return out
}

// Casts, because a sum of bigint is numeric.
const stockSQL = `SELECT count(*), coalesce(sum(on_hand), 0)::bigint, coalesce(sum(held), 0)::bigint FROM items`

// Stock implements inventory.Store.
func (s *Store) Stock(ctx context.Context) (stock inventory.Stock, err error) {
	err = s.pool.QueryRow(ctx, stockSQL).Scan(&stock.Items, &stock.OnHand, &stock.Held)
	return stock, postgres.Classify(err)
}
