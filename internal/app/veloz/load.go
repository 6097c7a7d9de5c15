package veloz

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/load"
)

// loadCommand drives a platform and checks the truth of what it said.
type loadCommand struct {
	connection `embed:""`
	Scenario   string        `name:"scenario" default:"uniform" enum:"uniform,zipf,hot,flash,reads,mixed,pix" help:"What buyers do: ${enum}."`
	SKUs       int           `name:"skus" default:"1000" help:"SKUs to buy; hot and flash have one."`
	Items      int           `name:"items" default:"1" help:"Lines of an order, each another SKU."`
	Stock      int64         `name:"stock" placeholder:"N" help:"Units of each SKU: 1,000,000 by default, and 100 in a flash sale."`
	Prefix     string        `name:"sku-prefix" placeholder:"TEXT" help:"Of the SKUs; a run makes its own by default."`
	Rate       float64       `name:"rate" placeholder:"N" help:"Arrivals a second, whether answers come or not (open loop). Without it each client sends when it was answered (closed loop)."`
	RateEnd    float64       `name:"rate-end" placeholder:"N" help:"Rate at the end of the run, reached in a straight line."`
	Clients    int           `name:"clients" default:"64" help:"Connections: requests that may be under way."`
	Ramp       time.Duration `name:"ramp" default:"0s" help:"Time to reach the rate, or to start all clients."`
	Duration   time.Duration `name:"duration" default:"10s" help:"Length of the run."`
	WarmUp     time.Duration `name:"warm-up" default:"0s" help:"Beginning of the run that is checked, but not in the figures."`
	Arrivals   int64         `name:"arrivals" placeholder:"N" help:"End after this many arrivals, if they come first."`
	Timeout    time.Duration `name:"timeout" default:"15s" help:"Of a request."`
	Seed       uint64        `name:"seed" placeholder:"N" help:"Repeats the choices of another run."`
	ReadBack   int           `name:"read-back" default:"100000" help:"Acknowledged orders that are all read back after the run; of more, this many are sampled. 0 checks nothing."`
	HTML       string        `name:"html" type:"path" placeholder:"FILE" help:"Write the report as one page with charts."`
}

// Help is shown by --help.
func (loadCommand) Help() string {
	return `The run brings stock of its own, sends, reports, and then reads back what was acknowledged: a missing, doubled or changed
order, or stock that does not add up, ends with exit code 1.

  veloz load
  veloz load --scenario flash --stock 100 --clients 500 --arrivals 20000
  veloz load --rate 500 --rate-end 5000 --duration 60s --html report.html`
}

// Run is called by the command line.
func (c *loadCommand) Run(out io.Writer) error {
	var s session
	if err := c.readKey(&s); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	report, err := load.Run(ctx, c.config(s.key))
	fmt.Fprintln(os.Stderr)
	if report.Kinds != nil {
		err = errors.Join(err, c.write(out, report))
	}
	if err != nil {
		return err
	}
	if report.Truth != nil && !report.Truth.OK() {
		return errors.New("the platform's answers and its state differ")
	}
	return nil
}

func (c *loadCommand) config(key string) load.Config {
	cfg := load.Config{URL: string(c.Server), Key: key, Scenario: load.Scenario(c.Scenario), SKUs: c.SKUs, Items: c.Items, Stock: c.Stock, Prefix: c.Prefix,
		Rate: c.Rate, RateEnd: c.RateEnd, Clients: c.Clients, Ramp: c.Ramp, Duration: c.Duration, WarmUp: c.WarmUp, Arrivals: c.Arrivals, Timeout: c.Timeout,
		Seed: c.Seed, ReadBack: c.ReadBack, Progress: load.Progress(os.Stderr), Log: os.Stderr}
	if cfg.Stock == 0 {
		cfg.Stock = 1_000_000
		if cfg.Scenario == load.Flash {
			cfg.Stock = 100
		}
	}
	if cfg.Seed == 0 {
		cfg.Seed = rand.Uint64()
	}
	return cfg
}

func (c *loadCommand) write(out io.Writer, report load.Report) error {
	if c.HTML != "" {
		file, err := os.Create(c.HTML)
		if err != nil {
			return fmt.Errorf("write the page: %w", err)
		}
		if err := errors.Join(report.WriteHTML(file), file.Close()); err != nil {
			return fmt.Errorf("write the page: %w", err)
		}
	}
	if c.JSON {
		return report.WriteJSON(out)
	}
	return report.WriteText(out)
}
