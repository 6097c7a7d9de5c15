//go:build !failpoints

package ordersapp

import "github.com/pedidos-veloz/pedidos-veloz/internal/orders"

// underFaults leaves the store as it is: only crash tests' builds have places to die at.
func underFaults(store orders.Store) orders.Store { return store }
