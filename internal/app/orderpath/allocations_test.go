//go:build !race

// The race detector allocates by itself, so these counts are for builds without it: make check-allocations.

package orderpath

import "testing"

// What an order may allocate, client included: sender's own are 4. They are exact, so that one more is seen at once. Who
// saves some lowers the number in the same change.
const (
	requestAllocations = 37  // the edge and the orders service's HTTP side, without the stages
	orderAllocations   = 145 // all, with stores in memory: three stages, each with a batch of one. Eight are the deadlines of
	// two calls of the store, which a batch shares
)

func TestAllocationsOfARequest(t *testing.T) { compareAllocations(t, false, requestAllocations) }

func TestAllocationsOfAnOrder(t *testing.T) { compareAllocations(t, true, orderAllocations) }

// compareAllocations counts the whole process, so its tests are not parallel. The count below want must be near, or the
// guard would sleep through a later growth.
func compareAllocations(t *testing.T, whole bool, want int) {
	t.Helper()
	const orders, near = 2000, 5
	send := startEdge(t, whole).sender(t)
	for range orders {
		send() // pools, caches and maps are filled
	}
	got := int(testing.AllocsPerRun(orders, send))
	switch {
	case got > want:
		t.Errorf("an order allocates %d times, and %d was enough: find the new ones with -memprofile, or raise the constant with a reason", got, want)
	case got < want-near:
		t.Errorf("an order allocates %d times: lower the constant from %d", got, want)
	}
	t.Logf("%d allocations an order", got)
}
