//go:build !noembedded

package inventoryapp

import (
	"context"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory/sqlite"
)

var embedded = process.Embedded[inventory.Store]{
	Open:       func(ctx context.Context, path string) (inventory.Store, error) { return sqlite.Open(ctx, path) },
	Migrations: sqlite.Migrations,
}
