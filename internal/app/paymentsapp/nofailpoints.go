//go:build !failpoints

package paymentsapp

import "github.com/pedidos-veloz/pedidos-veloz/internal/payments"

// underFaults leaves the store as it is: only crash tests' builds have places to die at.
func underFaults(store payments.Store) payments.Store { return store }

func providerUnderFaults(provider payments.Provider) payments.Provider { return provider }
