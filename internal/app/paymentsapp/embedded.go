//go:build !noembedded

package paymentsapp

import (
	"context"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/sqlite"
)

var embedded = process.Embedded[payments.Store]{
	Open:       func(ctx context.Context, path string) (payments.Store, error) { return sqlite.Open(ctx, path) },
	Migrations: sqlite.Migrations,
}
