package memory_test

import (
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/memory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) orders.Store { return memory.New() })
}
