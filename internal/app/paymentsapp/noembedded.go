//go:build noembedded

package paymentsapp

import (
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
)

var embedded process.Embedded[payments.Store]
