package veloz

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
)

// terminal is what a command writes to. What was asked for goes to out; notes beside it go to notes, so that a pipe
// gets the answer alone.
type terminal struct {
	out, notes io.Writer
	width      int // in columns; 0 where no terminal is, and lines have no limit
	now        time.Time
	zone       *time.Location
}

// newTerminal writes to the process's standard streams, in colour only on a terminal and without NO_COLOR.
func newTerminal() *terminal {
	t := &terminal{out: colorprofile.NewWriter(os.Stdout, os.Environ()), notes: colorprofile.NewWriter(os.Stderr, os.Environ()),
		now: time.Now(), zone: time.Local}
	if width, _, err := term.GetSize(os.Stdout.Fd()); err == nil {
		t.width = width
	}
	return t
}

// The sixteen colours follow the terminal's own theme, light or dark.
var (
	bold   = lipgloss.NewStyle().Bold(true)
	faint  = lipgloss.NewStyle().Faint(true)
	green  = lipgloss.NewStyle().Foreground(lipgloss.Color("2"))
	yellow = lipgloss.NewStyle().Foreground(lipgloss.Color("3"))
	red    = lipgloss.NewStyle().Foreground(lipgloss.Color("1"))
)

// colored shows a state in the colour of its meaning. The text stays that of the API, since filters take it.
func colored(state string) string {
	switch state {
	case "confirmed", "completed", "paid", "fulfilled", "delivered", "up", "ok", "active":
		return green.Render(state)
	case "placed", "held", "awaiting_payment", "pending", "authorized", "processing", "refunding", "partial", "partially_refunded":
		return yellow.Render(state)
	case "rejected", "declined", "unknown", "down", "degraded", "expired", "surplus":
		return red.Render(state)
	case "canceled", "none", "refunded", "voided", "unfulfilled", "returned", "revoked":
		return faint.Render(state)
	}
	return state
}

// moment is a time as short as it can be told: today's without the day, this year's without the year.
func (t *terminal) moment(at time.Time) string {
	local, now := at.In(t.zone), t.now.In(t.zone)
	switch {
	case local.Format(time.DateOnly) == now.Format(time.DateOnly):
		return local.Format(time.TimeOnly)
	case local.Year() == now.Year():
		return local.Format("2 Jan 15:04")
	}
	return local.Format("2 Jan 2006")
}

// note writes a line beside the answer, such as what to do next.
func (t *terminal) note(format string, args ...any) {
	fmt.Fprintln(t.notes, faint.Render(fmt.Sprintf(format, args...)))
}

// field is a line of a document: its name and its value. Those without a value are left out.
type field struct{ name, value string }

// fields writes lines with their values below each other.
func (t *terminal) fields(fields ...field) {
	fields = slices.DeleteFunc(fields, func(f field) bool { return f.value == "" })
	width := 0
	for _, f := range fields {
		width = max(width, lipgloss.Width(f.name))
	}
	for _, f := range fields {
		fmt.Fprintf(t.out, "%s  %s\n", faint.Render(f.name+strings.Repeat(" ", width-lipgloss.Width(f.name))), f.value)
	}
}

// column is one of a table's.
type column struct {
	title    string
	right    bool // numbers stand at the right
	optional int  // where the table is too wide, columns go from the highest to 1; 0 stays
	flexible bool // a long text, cut where that is not enough
}

const (
	gap          = 2
	leastFlexing = 12
)

// table writes rows below their titles, within the terminal's width.
func (t *terminal) table(columns []column, rows [][]string) {
	columns, rows = t.fit(slices.Clone(columns), rows)
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i] = c.title
	}
	drawn := table.New().Border(lipgloss.NormalBorder()).BorderStyle(faint).
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderColumn(false).
		Headers(titles...).Rows(rows...).StyleFunc(func(row, i int) lipgloss.Style {
		style := lipgloss.NewStyle()
		if row == table.HeaderRow {
			style = bold
		}
		if columns[i].right {
			style = style.Align(lipgloss.Right)
		}
		if i < len(columns)-1 {
			style = style.PaddingRight(gap)
		}
		return style
	})
	fmt.Fprintln(t.out, drawn)
}

// fit drops optional columns and cuts flexible ones until the table is no wider than the terminal.
func (t *terminal) fit(columns []column, rows [][]string) ([]column, [][]string) {
	for t.width > 0 && total(columns, rows) > t.width {
		drop := slices.IndexFunc(columns, func(c column) bool {
			return c.optional > 0 && c.optional == slices.MaxFunc(columns, func(a, b column) int { return cmp.Compare(a.optional, b.optional) }).optional
		})
		if drop < 0 {
			return columns, t.shorten(columns, rows)
		}
		columns = slices.Delete(columns, drop, drop+1)
		rows = slices.Collect(func(yield func([]string) bool) {
			for _, row := range rows {
				if !yield(slices.Concat(row[:drop], row[drop+1:])) {
					return
				}
			}
		})
	}
	return columns, rows
}

func (t *terminal) shorten(columns []column, rows [][]string) [][]string {
	i := slices.IndexFunc(columns, func(c column) bool { return c.flexible })
	if i < 0 {
		return rows
	}
	room := max(leastFlexing, widthOf(i, columns, rows)-(total(columns, rows)-t.width))
	for r, row := range rows {
		row = slices.Clone(row)
		row[i] = ansi.Truncate(row[i], room, "…")
		rows[r] = row
	}
	return rows
}

func total(columns []column, rows [][]string) int {
	sum := gap * (len(columns) - 1)
	for i := range columns {
		sum += widthOf(i, columns, rows)
	}
	return sum
}

func widthOf(i int, columns []column, rows [][]string) int {
	widest := lipgloss.Width(columns[i].title)
	for _, row := range rows {
		widest = max(widest, lipgloss.Width(row[i]))
	}
	return widest
}
