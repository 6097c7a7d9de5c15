package id_test

import (
	"bytes"
	"crypto/rand"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

type thing struct{}

func TestIDsCompareAsTheirTimesDo(t *testing.T) {
	t.Parallel()
	source := id.NewSource(clock.System{}, rand.Reader)
	last := id.New[thing](source)
	for range 10_000 {
		next := id.New[thing](source)
		if bytes.Compare(last[:], next[:]) >= 0 || !next.Time().After(last.Time()) {
			t.Fatalf("%s at %s follows %s at %s", next, next.Time(), last, last.Time())
		}
		if floor := id.Floor[thing](next.Time()); bytes.Compare(floor[:], next[:]) > 0 || bytes.Compare(floor[:], last[:]) <= 0 {
			t.Fatalf("the floor %s of %s lies above it, or not above %s", floor, next, last)
		}
		last = next
	}
	if last[6]>>4 != 7 || last[8]>>6 != 2 {
		t.Errorf("%s is not a UUIDv7", last)
	}
	if gap := time.Since(last.Time()); gap < -time.Second || gap > time.Minute {
		t.Errorf("%s is said to be of %s", last, last.Time())
	}
}
