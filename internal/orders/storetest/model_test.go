package storetest

import (
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

// The model has to keep the contract too, or the engines would be compared with something else.
func TestModel(t *testing.T) {
	t.Parallel()
	Run(t, func(*testing.T) orders.Store { return newModel() })
}
