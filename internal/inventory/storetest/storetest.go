// Package storetest is the conformance suite of inventory.Store: each sentence of its contract is a test that every
// engine passes.
package storetest

import (
	"maps"
	"slices"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
)

type testCase = func(t *testing.T, s *shop)

// Run runs the suite. open makes an empty store; the suite closes it.
func Run(t *testing.T, open func(t *testing.T) inventory.Store) {
	cases := make(map[string]testCase)
	for _, group := range []map[string]testCase{itemCases, adjustmentCases, holdCases, releaseCases, movementCases, auditCases, raceCases, failureCases} {
		maps.Copy(cases, group)
	}
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cases[name](t, newShop(t, open(t)))
		})
	}
	t.Run("random histories agree with a model", func(t *testing.T) {
		t.Parallel()
		histories(t, newShop(t, open(t)))
	})
}
