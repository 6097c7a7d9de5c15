//go:build noembedded

package inventoryapp

import (
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
)

var embedded process.Embedded[inventory.Store]
