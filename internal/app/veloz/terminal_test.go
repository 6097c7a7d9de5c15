package veloz

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

var wide = []column{{title: "SKU"}, {title: "ITEM", flexible: true}, {title: "PRICE", right: true}, {title: "MADE", optional: 1}, {title: "NOTE", optional: 2}}

var shelf = [][]string{
	{"CAFE-500G", "Café torrado em grãos, 500 g", "R$ 39,90", "09:31:02", "from the hills"},
	{"TV-55", "Televisor 55 polegadas", red.Render("R$ 2.799,00"), "09:31:02", ""},
}

func draw(width int) string {
	var out bytes.Buffer
	t := &terminal{out: &out, notes: &out, width: width, now: time.Now(), zone: time.UTC}
	t.table(wide, shelf)
	return ansi.Strip(out.String())
}

func TestTablesFitTheTerminal(t *testing.T) {
	t.Parallel()
	for width := 40; width <= 120; width++ {
		for line := range strings.Lines(draw(width)) {
			if got := lipgloss.Width(strings.TrimRight(line, "\n")); got > width {
				t.Fatalf("%d columns in a terminal of %d: %q", got, width, line)
			}
		}
	}
}

func TestTablesGiveUpWhatMattersLeast(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		width         int
		have, haveNot []string
	}{
		{0, []string{"NOTE", "MADE", "Café torrado em grãos, 500 g"}, nil},
		{120, []string{"NOTE", "MADE", "Café torrado em grãos, 500 g"}, nil},
		{70, []string{"MADE", "Café torrado em grãos, 500 g"}, []string{"NOTE"}},
		{56, []string{"Café torrado em grãos, 500 g"}, []string{"NOTE", "MADE"}},
		{45, []string{"Café torrado", "…", "R$ 2.799,00"}, []string{"500 g"}},
	} {
		drawn := draw(test.width)
		for _, want := range test.have {
			if !strings.Contains(drawn, want) {
				t.Errorf("width %d lacks %q:\n%s", test.width, want, drawn)
			}
		}
		for _, no := range test.haveNot {
			if strings.Contains(drawn, no) {
				t.Errorf("width %d has %q:\n%s", test.width, no, drawn)
			}
		}
	}
}

func TestNumbersStandAtTheRight(t *testing.T) {
	t.Parallel()
	lines := strings.Split(draw(0), "\n")
	if a, b := end(lines[2], "R$ 39,90"), end(lines[3], "R$ 2.799,00"); a != b {
		t.Errorf("they end at %d and %d:\n%s", a, b, strings.Join(lines, "\n"))
	}
}

func end(line, text string) int {
	before, _, _ := strings.Cut(line, text)
	return lipgloss.Width(before + text)
}

func TestMomentsAreShort(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("BRT", -3*60*60)
	term := &terminal{now: time.Date(2026, 11, 27, 2, 0, 0, 0, time.UTC), zone: zone} // the 26th, 23:00 in São Paulo
	for at, want := range map[time.Time]string{
		time.Date(2026, 11, 27, 1, 30, 5, 0, time.UTC):  "22:30:05",
		time.Date(2026, 11, 26, 2, 30, 0, 0, time.UTC):  "25 Nov 23:30",
		time.Date(2025, 11, 26, 12, 30, 0, 0, time.UTC): "26 Nov 2025",
	} {
		if got := term.moment(at); got != want {
			t.Errorf("%s is told as %q, not %q", at, got, want)
		}
	}
}
