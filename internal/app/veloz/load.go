package veloz

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/load"
)

// loadCommand drives a platform and checks the truth of what it said. A pointer is nil where the flag was not given: its 0
// would mean something else.
type loadCommand struct {
	connection `embed:"" set:"json_help=Print the whole report as one JSON document."`
	Scenario   string        `name:"scenario" default:"uniform" enum:"uniform,zipf,hot,flash,reads,mixed,pix" help:"What buyers do: ${enum}."`
	SKUs       int           `name:"skus" default:"1000" help:"SKUs to buy; hot and flash have one."`
	Items      int           `name:"items" default:"1" help:"Lines of an order, each another SKU."`
	Stock      *int64        `name:"stock" placeholder:"N" help:"Units of each SKU: 1,000,000 by default, and 100 in a flash sale."`
	Prefix     string        `name:"sku-prefix" placeholder:"TEXT" help:"Of the SKUs; a run makes its own by default."`
	Rate       *float64      `name:"rate" placeholder:"N" help:"Arrivals a second, whether answers come or not (open loop). Without it each client sends when it was answered (closed loop)."`
	RateEnd    *float64      `name:"rate-end" placeholder:"N" help:"Rate at the end of the run, reached in a straight line."`
	Clients    int           `name:"clients" default:"64" help:"Connections: requests that may be under way."`
	Ramp       time.Duration `name:"ramp" default:"0s" help:"Time to reach the rate, or to start all clients."`
	Duration   time.Duration `name:"duration" default:"10s" help:"Length of the run."`
	WarmUp     time.Duration `name:"warm-up" default:"0s" help:"Beginning of the run that is checked, but not in the figures."`
	Arrivals   *int64        `name:"arrivals" placeholder:"N" help:"End after this many arrivals, if they come first."`
	Timeout    time.Duration `name:"timeout" default:"15s" help:"Of a request."`
	Seed       *uint64       `name:"seed" placeholder:"N" help:"Repeats the choices of another run."`
	ReadBack   int           `name:"read-back" default:"100000" help:"Acknowledged orders that are all read back after the run; of more, this many are sampled. 0 checks nothing."`
	HTML       string        `name:"html" type:"path" placeholder:"FILE" help:"Write the report as one page with charts besides."`
}

// Help is shown by --help.
func (loadCommand) Help() string {
	return `The run brings stock of its own, sends, reports, and then reads back what was acknowledged: a missing, doubled or changed
order, or stock that does not add up, and the truth does not hold.

Ctrl-C ends the sending: what is under way is awaited, and figures and truth are of what was sent until then. In an open
loop the report also says how many arrivals were due by then and not sent: a platform that stalls has some. A second Ctrl-C
ends it at once.

Exit codes: 0 the truth holds, 3 it does not, 1 the run or its check could not be done, 2 wrong usage, 130 interrupted, and
nothing wrong in what was sent. Requests that were refused or failed are counted, and are no lie.

Examples:

  veloz load
  veloz load --scenario flash --stock 100 --clients 500 --arrivals 20000
  veloz load --rate 500 --rate-end 5000 --duration 60s --html report.html`
}

// Validate is called when the settings are read.
func (c *loadCommand) Validate() error {
	for _, given := range []struct {
		flag string
		zero bool
	}{
		{"rate", c.Rate != nil && *c.Rate == 0},
		{"rate-end", c.RateEnd != nil && *c.RateEnd == 0},
		{"arrivals", c.Arrivals != nil && *c.Arrivals == 0},
	} {
		if given.zero {
			return fmt.Errorf("--%s must be above 0; leave it out for a run without it", given.flag)
		}
	}
	return c.config("").Validate()
}

// Run is called by the command line.
func (c *loadCommand) Run(ctx context.Context, out io.Writer) error {
	s := session{server: string(c.Server)}
	if err := c.readKey(&s); err != nil {
		return err
	}
	page, err := c.createPage() // before the run: a name that cannot be written must not cost one
	if err != nil {
		return usageError{fmt.Errorf("--html cannot be written: %w", err)}
	}
	quiet := context.AfterFunc(ctx, func() {
		fmt.Fprintln(os.Stderr, "\ninterrupted: nothing new is sent, what was acknowledged is checked; a second Ctrl-C ends this at once")
	})
	report, err := load.Run(ctx, c.config(s.key))
	quiet()
	fmt.Fprintln(os.Stderr)
	return errors.Join(loadEnd(ctx, &s, report, err), c.write(out, report), writePage(page, report))
}

// loadEnd is what a run came to, as an error with its exit code.
func loadEnd(ctx context.Context, s *session, report load.Report, err error) error {
	var dial *net.OpError
	switch {
	case report.Truth != nil && report.Truth.Wrong():
		return errors.Join(violated{errors.New("the platform's answers and its state differ")}, err)
	case !report.Began() && ctx.Err() != nil:
		return interrupted{"interrupted before anything was sent"}
	case !report.Began() && errors.As(err, &dial) && dial.Op == "dial":
		return s.unanswered(err)
	case err != nil:
		return err
	case ctx.Err() != nil:
		return interrupted{"interrupted"}
	}
	return nil
}

func (c *loadCommand) config(key string) load.Config {
	scenario := load.Scenario(c.Scenario)
	stock := int64(1_000_000)
	if scenario == load.Flash {
		stock = 100
	}
	return load.Config{URL: string(c.Server), Key: key, Scenario: scenario, SKUs: c.SKUs, Items: c.Items, Stock: valueOr(c.Stock, stock), Prefix: c.Prefix,
		Rate: valueOr(c.Rate, 0), RateEnd: valueOr(c.RateEnd, 0), Clients: c.Clients, Ramp: c.Ramp, Duration: c.Duration, WarmUp: c.WarmUp,
		Arrivals: valueOr(c.Arrivals, 0), Timeout: c.Timeout, Seed: valueOr(c.Seed, rand.Uint64()), ReadBack: c.ReadBack,
		Progress: load.Progress(os.Stderr), Log: os.Stderr}
}

func valueOr[T any](given *T, fallback T) T {
	if given == nil {
		return fallback
	}
	return *given
}

// createPage makes the file of --html; nil where none is wanted.
func (c *loadCommand) createPage() (*os.File, error) {
	if c.HTML == "" {
		return nil, nil
	}
	return os.Create(c.HTML)
}

func writePage(page *os.File, report load.Report) error {
	if page == nil {
		return nil
	}
	if !report.Began() { // nothing is left of a run that was none
		return errors.Join(page.Close(), os.Remove(page.Name()))
	}
	if err := errors.Join(report.WriteHTML(page), page.Close()); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

func (c *loadCommand) write(out io.Writer, report load.Report) error {
	switch {
	case !report.Began():
		return nil
	case c.JSON:
		return report.WriteJSON(out)
	}
	return report.WriteText(out)
}
