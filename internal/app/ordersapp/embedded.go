//go:build !noembedded

package ordersapp

import (
	"context"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/sqlite"
)

var embedded = process.Embedded[orders.Store]{
	Open:       func(ctx context.Context, path string) (orders.Store, error) { return sqlite.Open(ctx, path) },
	Migrations: sqlite.Migrations,
}
