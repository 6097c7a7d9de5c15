//go:build noembedded

package ordersapp

import (
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

var embedded process.Embedded[orders.Store]
