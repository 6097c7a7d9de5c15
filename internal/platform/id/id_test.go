package id_test

import (
	"bytes"
	cryptorand "crypto/rand"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

type thing struct{}

func source(now time.Time) (*id.Source, *clock.Manual) {
	c := clock.NewManual(now)
	return id.NewSource(c, rand.NewChaCha8([32]byte{7})), c
}

// TestIdsIncreaseAndAreUUIDv7: also when the clock stands still or two ids share its microsecond.
func TestIdsIncreaseAndAreUUIDv7(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ids, c := source(time.UnixMicro(rapid.Int64Range(0, 1<<47).Draw(t, "now")))
		var last id.ID[thing]
		for range 20 {
			next := id.New[thing](ids)
			if u := uuid.UUID(next); u.Version() != 7 || u.Variant() != uuid.RFC4122 {
				t.Fatalf("%s has version %d, variant %s", next, u.Version(), u.Variant())
			}
			if bytes.Compare(next[:], last[:]) <= 0 {
				t.Fatalf("%s does not follow %s", next, last)
			}
			last = next
			c.Advance(time.Duration(rapid.Int64Range(0, 3).Draw(t, "passed")) * time.Microsecond)
		}
	})
}

// TestIDsCompareAsTheirTimesDo, with the machine's clock.
func TestIDsCompareAsTheirTimesDo(t *testing.T) {
	t.Parallel()
	source := id.NewSource(clock.System{}, cryptorand.Reader)
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

// TestFloorCutsBetweenIds: an id that was made at or after a millisecond is above its floor, one from before is below.
func TestFloorCutsBetweenIds(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	ids, c := source(now.Add(-time.Microsecond))
	before := id.New[thing](ids)
	c.Advance(time.Microsecond)
	after := id.New[thing](ids)
	floor := id.Floor[thing](now)
	if bytes.Compare(before[:], floor[:]) >= 0 || bytes.Compare(after[:], floor[:]) < 0 {
		t.Errorf("%s, floor %s, %s", before, floor, after)
	}
	if !after.Time().Equal(now) {
		t.Errorf("%s was made at %s, not %s", after, after.Time(), now)
	}
}

// FuzzParse: what parses prints itself, but for upper case.
func FuzzParse(f *testing.F) {
	f.Add("01a207b9-bef5-722f-91ee-f0a25ac5e026")
	f.Add("{01a207b9-bef5-722f-91ee-f0a25ac5e026}")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		parsed, err := id.Parse[thing](s)
		if err != nil {
			return
		}
		if again, err := id.Parse[thing](parsed.String()); err != nil || again != parsed {
			t.Errorf("%q: %s, %v", s, again, err)
		}
	})
}
