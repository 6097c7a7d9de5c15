package veloz

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"

	"github.com/pedidos-veloz/pedidos-veloz/internal/audit"
	"github.com/pedidos-veloz/pedidos-veloz/internal/audit/services"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
)

// auditCommand compares orders, stock and money of a running platform.
type auditCommand struct {
	connection `embed:"" set:"json_help=Print the whole report as one JSON document."`
	MinAge     time.Duration `name:"min-age" default:"30s" help:"Leave out younger orders, which are on their way, and say how many; 0s takes all."`
	Deadline   time.Duration `name:"deadline" default:"15m" help:"How long an order may need until nothing more has to happen to it."`
	Patience   time.Duration `name:"patience" default:"5s" help:"Time between two readings of what looks wrong: only what is wrong four times is a violation."`
}

// Help is shown by --help.
func (auditCommand) Help() string {
	return `Reads every order, hold and charge once, while the platform goes on, and compares them three ways:

  stock   every held unit belongs to an order that is open or not yet shipped; movements sum to balances
  money   every captured cent belongs to an order that is confirmed, or on its way back; every confirmed order has
          exactly its total; the ledger sums to zero
  time    no order is older than its deadline

The key needs the scope admin. Exit codes: 0 the books agree, 3 they do not, 1 the audit could not be done, or not
all of it, 130 interrupted.

Examples:

  veloz audit
  veloz audit --min-age 0s --json | jq .violations
  veloz audit --server https://pedidos.example --key-file auditor.key || page-somebody`
}

// Run is called by the command line.
func (c *auditCommand) Run(ctx context.Context, t *terminal) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	progress := &auditProgress{t: t, live: term.IsTerminal(os.Stderr.Fd())}
	report, err := audit.Run(ctx, audit.Config{Source: services.New(s.orders, s.inventory, s.payments, clock.System{}), Clock: clock.System{},
		MinAge: c.MinAge, Deadline: c.Deadline, Patience: c.Patience, Progress: progress.show})
	progress.end()
	if err != nil && s.answer.status != http.StatusOK {
		err = s.explain(err)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return interrupted{"interrupted: nothing is known of the books"}
	case report == nil:
		return fmt.Errorf("the audit could not be done: %w", err)
	case err != nil:
		err = fmt.Errorf("the orders were audited, and not all sums: %w", err)
	}
	if c.JSON {
		err = errors.Join(err, t.json(shownReport(report)))
	} else {
		t.report(report)
		t.leftOut(report, c.MinAge)
	}
	if !report.OK() {
		return violated{errors.Join(fmt.Errorf("the books do not agree: %s", count(int64(len(report.Findings)), "violation")), err)}
	}
	return err
}

// auditProgress tells how far an audit is: on one line again and again on a terminal, elsewhere on a line every few seconds.
type auditProgress struct {
	t     *terminal
	live  bool
	drawn bool
	next  time.Time
}

func (p *auditProgress) show(now audit.Progress) {
	every := 5 * time.Second
	if p.live {
		every = time.Second / 10
	}
	if time.Now().Before(p.next) {
		return
	}
	p.next = time.Now().Add(every)
	line := fmt.Sprintf("%s, up to %s", count(now.Orders, "order"), p.t.moment(now.At))
	if now.Suspects > 0 {
		line += fmt.Sprintf(", %d to be read again", now.Suspects)
	}
	if now.Findings > 0 {
		line += ", " + count(int64(now.Findings), "violation")
	}
	if p.live {
		fmt.Fprintf(p.t.notes, "\r\x1b[K%s", faint.Render(line))
		p.drawn = true
		return
	}
	p.t.note("%s", line)
}

// end leaves the line.
func (p *auditProgress) end() {
	if p.drawn {
		fmt.Fprint(p.t.notes, "\r\x1b[K")
	}
}

// report shows a verdict that a person understands: what kinds of things are wrong, and each of them with its ids.
func (t *terminal) report(r *audit.Report) {
	read := fmt.Sprintf("%s, %s and %s in %.1f s", count(r.Orders, "order"), count(r.Holds, "hold"), count(r.Charges, "charge"), r.EndedAt.Sub(r.StartedAt).Seconds())
	if r.Dismissed > 0 {
		t.note("%s looked wrong at first, and changed when read again.", count(r.Dismissed, "order"))
	}
	if r.OK() && len(r.Unchecked) > 0 {
		fmt.Fprintf(t.out, "%s\n%s\n", red.Render("Not all books could be summed. Of the orders nothing is wrong."), read)
		return
	}
	if r.OK() {
		fmt.Fprintf(t.out, "%s\n%s\n", green.Render("Orders, stock and money agree."), read)
		return
	}
	fmt.Fprintf(t.out, "%s\n%s\n", red.Render(count(int64(len(r.Findings)), "violation")), read)
	if r.Truncated {
		fmt.Fprintln(t.out, "There may be more: the audit stopped here.")
	}
	byKind := make(map[audit.Kind][]string)
	for _, f := range r.Findings {
		byKind[f.Kind] = append(byKind[f.Kind], f.Text)
	}
	meanings := audit.Kinds()
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		fmt.Fprintf(t.out, "\n%s: %s\n  %s\n", bold.Render(string(kind)), meanings[kind], strings.Join(byKind[kind], "\n  "))
	}
	t.note("\nveloz orders get and veloz payments show more of an order; the runbook, under VelozAuditViolation, what to do.")
}

// leftOut says which orders were not looked at, and why: somebody who audits right after an order looks for it.
func (t *terminal) leftOut(r *audit.Report, minAge time.Duration) {
	if r.Younger == 0 {
		return
	}
	more := ""
	if r.YoungerMore {
		more = "at least "
	}
	t.note("Left out: %s%s placed since %s, which may be on their way still; --min-age 0s takes all, instead of those older than %s.",
		more, count(r.Younger, "order"), t.moment(r.PlacedBefore), minAge)
}

// count is a number of things with separators.
func count(n int64, thing string) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if n != 1 {
		thing += "s"
	}
	return digits + " " + thing
}

// shownAudit is a report as --json prints it.
type shownAudit struct {
	Verdict   string    `json:"verdict"` // ok, violated, or incomplete: nothing was found, and not all was looked for
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at"`
	Orders    int64     `json:"orders"`
	Holds     int64     `json:"holds"`
	Charges   int64     `json:"charges"`
	// PlacedBefore is the time up to which orders were looked at; Younger were left out, or at least as many.
	PlacedBefore time.Time `json:"placed_before"`
	Younger      int64     `json:"younger_left_out"`
	YoungerMore  bool      `json:"younger_left_out_more"`

	Reread     int64          `json:"reread"`
	Dismissed  int64          `json:"dismissed"`
	Truncated  bool           `json:"truncated"`
	Violations []shownFinding `json:"violations"`
	Unchecked  []audit.Kind   `json:"unchecked,omitempty"` // kinds that could not be looked for
}

type shownFinding struct {
	Kind       audit.Kind        `json:"kind"`
	OrderID    audit.OrderID     `json:"order_id,omitzero"`
	PaymentIDs []audit.PaymentID `json:"payment_ids,omitempty"`
	SKU        string            `json:"sku,omitempty"`
	Text       string            `json:"text"`
}

func shownReport(r *audit.Report) shownAudit {
	shown := shownAudit{"ok", r.StartedAt, r.EndedAt, r.Orders, r.Holds, r.Charges, r.PlacedBefore, r.Younger, r.YoungerMore, r.Reread, r.Dismissed, r.Truncated, make([]shownFinding, len(r.Findings)), r.Unchecked}
	switch {
	case !r.OK():
		shown.Verdict = "violated"
	case len(r.Unchecked) > 0:
		shown.Verdict = "incomplete"
	}
	for i, f := range r.Findings {
		shown.Violations[i] = shownFinding(f)
	}
	return shown
}
