package memory_test

import (
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/memory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) payments.Store { return memory.New() })
}
