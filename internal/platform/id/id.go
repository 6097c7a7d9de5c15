// Package id makes and parses the product's identifiers: UUIDv7, so that ids made later sort later.
package id

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
)

// ID identifies a K. The parameter only keeps an order's id from being passed where a payment's is expected.
type ID[K any] uuid.UUID

// Parse reads the canonical 36-character form.
func Parse[K any](s string) (ID[K], error) {
	if len(s) != 36 {
		return ID[K]{}, fmt.Errorf("parse id: %d characters instead of 36", len(s))
	}
	u, err := uuid.Parse(s)
	if err != nil {
		return ID[K]{}, fmt.Errorf("parse id: %w", err)
	}
	return ID[K](u), nil
}

// Floor is the smallest id of t or later: ids compare as their times do, to the microsecond.
func Floor[K any](t time.Time) ID[K] {
	var i ID[K]
	binary.BigEndian.PutUint64(i[:8], timestamp(uint64(max(0, t.UnixMicro()))))
	return i
}

// Time is when the id was made, by its source's clock: what Floor compares.
func (i ID[K]) Time() time.Time {
	stamp := binary.BigEndian.Uint64(i[:8])
	return time.UnixMicro(int64(stamp>>16*1000 + stamp&0xfff)).UTC()
}

// timestamp is the id's first half: milliseconds, the version 7, and the microsecond in the millisecond.
func timestamp(us uint64) uint64 { return us/1000<<16 | 7<<12 | us%1000 }

// IsZero tells whether the id was never set.
func (i ID[K]) IsZero() bool { return i == ID[K]{} }

// String is the canonical 36-character form.
func (i ID[K]) String() string { return uuid.UUID(i).String() }

// MarshalText writes the canonical form.
func (i ID[K]) MarshalText() ([]byte, error) { return uuid.UUID(i).MarshalText() }

// UnmarshalText reads the canonical form.
func (i *ID[K]) UnmarshalText(b []byte) error { return (*uuid.UUID)(i).UnmarshalText(b) }

// Source makes ids from a clock and randomness that its owner injects, so that a simulation can replay them.
// Ids of one source are strictly increasing.
type Source struct {
	clock clock.Clock
	rand  io.Reader

	mu   sync.Mutex
	last uint64 // microseconds of the last id
}

// NewSource makes a source. randomness must not fail.
func NewSource(clock clock.Clock, randomness io.Reader) *Source {
	return &Source{clock: clock, rand: randomness}
}

// SystemSource takes the machine's clock and randomness.
func SystemSource() *Source { return NewSource(clock.System{}, rand.Reader) }

// New makes the next id: 48 bits of milliseconds, 12 bits of the microsecond in them, 62 random bits (RFC 9562, section 6.2, method 3).
// The microsecond steps on when two ids share it, so that a clock which stands still or goes back keeps the order.
func New[K any](s *Source) ID[K] {
	var u [16]byte
	s.mu.Lock()
	us := max(uint64(max(0, s.clock.Now().UnixMicro())), s.last+1)
	s.last = us
	_, err := io.ReadFull(s.rand, u[8:])
	s.mu.Unlock()
	if err != nil {
		panic(fmt.Sprintf("read randomness for an id: %v", err))
	}
	binary.BigEndian.PutUint64(u[:8], timestamp(us))
	u[8] = u[8]&0x3f | 0x80 // the RFC's variant
	return ID[K](u)
}
