//go:build !failpoints

package inventoryapp

import "github.com/pedidos-veloz/pedidos-veloz/internal/inventory"

// underFaults leaves the store as it is: only crash tests' builds have places to die at.
func underFaults(store inventory.Store) inventory.Store { return store }
