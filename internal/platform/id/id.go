// Package id makes and parses the product's identifiers: UUIDv7, so that ids made later sort later.
package id

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// ID identifies a K. The parameter only keeps an order's id from being passed where a payment's is expected.
type ID[K any] uuid.UUID

// New makes a UUIDv7 from the clock and the system's randomness.
func New[K any]() ID[K] {
	return ID[K](uuid.Must(uuid.NewV7()))
}

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

// Floor is the smallest id that can be made at t or later: ids compare as their times do, to the millisecond.
func Floor[K any](t time.Time) ID[K] {
	var i ID[K]
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(max(0, t.UnixMilli())))
	copy(i[:6], ms[2:])
	return i
}

// IsZero tells whether the id was never set.
func (i ID[K]) IsZero() bool { return i == ID[K]{} }

// String is the canonical 36-character form.
func (i ID[K]) String() string { return uuid.UUID(i).String() }

// MarshalText writes the canonical form.
func (i ID[K]) MarshalText() ([]byte, error) { return uuid.UUID(i).MarshalText() }

// UnmarshalText reads the canonical form.
func (i *ID[K]) UnmarshalText(b []byte) error { return (*uuid.UUID)(i).UnmarshalText(b) }
