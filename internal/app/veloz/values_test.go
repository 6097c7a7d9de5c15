package veloz

import (
	"encoding"
	"testing"
	"time"
)

func TestAmountsAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]reais{"39.90": 3990, "39,90": 3990, "40": 4000, "R$ 1.234,56": 123456, "1234,56": 123456, "0,01": 1, "R$0,50": 50} {
		var got reais
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q is %d (%v), not %d", text, got, err, want)
		}
	}
	// What could be read in two ways is refused: 1.234 may be a thousand or one and a bit.
	refuse(t, new(reais), "", "R$", "1.234", "1,234.56", "1.23,45", ".5", "12.3", "12,345", "-1", "1e3", "1.2345,00", "12345678901")
}

func TestPointsInTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{"2h": now.Add(-2 * time.Hour), "7d": now.Add(-7 * 24 * time.Hour), "2026-11-27T09:00:00-03:00": now} {
		var got point
		if err := got.UnmarshalText([]byte(text)); err != nil || !got.before(now).Equal(want) {
			t.Errorf("%q is %s (%v), not %s", text, got.before(now), err, want)
		}
	}
	var ninety point
	if err := ninety.UnmarshalText([]byte("90d")); err != nil || !ninety.after(now).Equal(now.Add(90*day)) {
		t.Errorf("90d is %s (%v)", ninety.after(now), err)
	}
	refuse(t, new(point), "", "yesterday", "-2h", "0d", "d", "2026-13-01", "99999d")
}

func TestOrderLines(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]orderLine{"CAFE-500G": {"CAFE-500G", 1}, "CAFE-500G:2": {"CAFE-500G", 2}} {
		var got orderLine
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q is %v (%v), not %v", text, got, err, want)
		}
	}
	refuse(t, new(orderLine), "", ":2", "A:", "A:0", "A:-1", "A:x", "A:1:2")
}

func refuse(t *testing.T, value encoding.TextUnmarshaler, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err := value.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%T takes %q as %v", value, text, value)
		}
	}
}
