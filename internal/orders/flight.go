package orders

import (
	"sync"
	"time"
)

// flight is one order on its way through the stages. It is in one stage at a time, and only that stage touches it; who
// waits for it reads accepted after durable was closed, and order and err after done was.
type flight struct {
	order Order
	// savedVersion is the order's version in the store.
	savedVersion int64
	// dirty: the order differs from the store.
	dirty bool
	// leaseUntil is until when nobody else takes the order up.
	leaseUntil time.Time
	// tries counts the delays since the order was taken up; see Saga.retry.
	tries int
	// parting: the store shall know that anybody may take the order up.
	parting bool
	// refused: a peer has refused the order, for a reason that does not pass, since it was taken up.
	refused bool
	// trace is that of the request, for Traces; nil when nobody records it.
	trace any

	// The rest is for placements only.
	key         IdempotencyKey
	fingerprint Fingerprint
	// staleAt is when the caller has gone: what is not durable by then is not begun.
	staleAt  time.Time
	accepted Order         // as it became durable
	durable  chan struct{} // closed when the order is in the store, or never will be

	done chan struct{}
	err  error
}

func newFlight(order Order) *flight {
	return &flight{order: order, savedVersion: order.Version, leaseUntil: order.NextAttemptAt, done: make(chan struct{})}
}

// asksAgain tells whether an earlier request of this order's, whose answer never came, may still be on its way.
func (f *flight) asksAgain() bool { return f.tries > 0 || f.refused || f.order.Lease > 0 }

// board knows the orders that this process drives, so that a repeated request waits for the first one's result.
type board struct {
	mu        sync.Mutex
	leaders   map[ID]*flight
	followers map[ID][]*flight
}

func newBoard() *board {
	return &board{leaders: make(map[ID]*flight), followers: make(map[ID][]*flight)}
}

func (b *board) lead(f *flight) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leaders[f.order.ID] = f
}

// follow makes f wait for the order's leader; false when this process has none.
func (b *board) follow(f *flight) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.leaders[f.order.ID]; !ok {
		return false
	}
	b.followers[f.order.ID] = append(b.followers[f.order.ID], f)
	return true
}

// leave takes f off the board and returns who followed it.
func (b *board) leave(f *flight) []*flight {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.leaders[f.order.ID] != f {
		return nil
	}
	followers := b.followers[f.order.ID]
	delete(b.leaders, f.order.ID)
	delete(b.followers, f.order.ID)
	return followers
}
