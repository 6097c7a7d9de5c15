// Package load drives a platform with orders and then checks the truth of what it was told.
//
// A run sets up stock of its own through the API, sends requests in an open or a closed loop, records latencies and
// outcomes, and at the end reads back what was acknowledged: an order that is missing, doubled or different, and stock
// that does not add up, fail the run. Latency in an open loop counts from the moment at which a request was due, not from
// when a connection was free for it, so that a platform that stalls cannot hide it (no coordinated omission).
//
// The client is our own (conn.go): the generator often shares its cores with the platform, so what it costs is measured
// as the platform's. net/http's client takes 80 µs of CPU more a request (BenchmarkConn, BenchmarkNetHTTP).
package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
)

// The bounds of a run, whatever its configuration says.
const (
	MaxDuration = 24 * time.Hour
	MaxArrivals = 20_000_000 // an acknowledged order takes 32 bytes until it was read back
	MaxClients  = 20_000
	MaxSKUs     = 1_000_000
	maxStock    = 1_000_000_000
)

// Config is one run.
type Config struct {
	URL string // of the platform, such as http://127.0.0.1:8000
	Key string // an API key with orders, inventory and, for Pix, sandbox scopes; may be empty

	Scenario Scenario
	SKUs     int    // how many there are; Hot and Flash use 1
	Items    int    // lines of an order, each another SKU; Hot and Flash use 1
	Stock    int64  // units of each SKU
	Prefix   string // of the SKUs; empty: one of this run's own
	// CardToken pays; empty: tok_approved. The sandbox's other tokens play a provider that is slow, or loses answers.
	CardToken string

	// Ready says that the SKUs of Prefix are there with stock for all: nothing is set up, and nothing can be checked.
	Ready bool

	// Rate is arrivals a second of an open loop; 0 makes a closed loop, in which each client sends when it was answered.
	Rate float64
	// RateEnd is the rate that the last arrival has, reached in a straight line; 0: Rate.
	RateEnd float64
	// Clients is how many requests may be under way: the connections.
	Clients int
	// Courteous clients of a closed loop come back a second after a refusal that tells them when, and not at once.
	Courteous bool
	// Ramp is how long an open loop takes to reach Rate, and a closed loop to start all its clients.
	Ramp     time.Duration
	Duration time.Duration
	// WarmUp is how much of the beginning is not in the latencies, outcomes and rates that are reported, but in the check.
	WarmUp   time.Duration
	Arrivals int64         // at most; 0: MaxArrivals
	Timeout  time.Duration // of a request; after it the outcome is unknown
	Seed     uint64        // of SKUs, mix and arrival times

	// ReadBack bounds the acknowledged orders that are all read back; of more, this many are sampled. 0 checks nothing.
	ReadBack int
	// SettleWithin is how long orders and stock may still move after the run; 0: half a minute.
	SettleWithin time.Duration
	// Progress hears of the run as it goes. May be nil.
	Progress func(Snapshot)
	// Log is where set-up and check say what they do. May be nil.
	Log io.Writer
}

// Validate names what cannot be by the flag of `veloz load` that sets it, for there it is read.
func (c Config) Validate() error {
	problem := func(bad bool, text string, args ...any) error {
		if bad {
			return fmt.Errorf(text, args...)
		}
		return nil
	}
	return errors.Join(
		problem(c.Scenario.steps() == nil, "--scenario: %q is unknown", c.Scenario),
		problem(c.SKUs < 1 || c.SKUs > MaxSKUs, "--skus must be between 1 and %d", MaxSKUs),
		problem(c.Scenario.oneSKU() && c.Items != 1, "--items must be 1 in the scenario %s, which has one SKU", c.Scenario),
		problem(c.Items < 1 || c.Items > 100 || c.Items > max(1, c.SKUs), "--items must be between 1 and 100, and at most --skus"),
		problem(c.Stock < 1 || c.Stock > maxStock, "--stock must be between 1 and %d", maxStock),
		problem(inventoryapi.SKU(newShop(Config{Prefix: c.Prefix}).sku(0)).Validate() != nil,
			"--sku-prefix must begin with a letter or a digit, and have up to 56 letters, digits, dots, underscores and dashes"),
		problem(c.Rate < 0 || c.Rate > 1e6 || c.RateEnd < 0 || c.RateEnd > 1e6, "--rate and --rate-end must be between 0 and 1000000"),
		problem(c.RateEnd > 0 && c.Rate == 0, "--rate-end needs a --rate to begin with"),
		problem(c.Clients < 1 || c.Clients > MaxClients, "--clients must be between 1 and %d", MaxClients),
		problem(c.Duration <= 0 || c.Duration > MaxDuration, "--duration must be above 0s, and at most %s", MaxDuration),
		problem(c.Ramp < 0 || c.Ramp > c.Duration, "--ramp must be between 0s and --duration"),
		problem(c.WarmUp < 0 || c.WarmUp > 0 && c.WarmUp >= c.Duration, "--warm-up must be shorter than --duration"),
		problem(c.Arrivals < 0 || c.Arrivals > MaxArrivals, "--arrivals must be between 1 and %d", MaxArrivals),
		problem(c.Timeout <= 0, "--timeout must be above 0s"),
		problem(c.Ready && (c.Prefix == "" || c.ReadBack > 0), "SKUs that are ready need their prefix, and cannot be checked"),
		problem(c.ReadBack < 0, "--read-back must not be negative"),
	)
}

func (c Config) withDefaults() Config {
	if c.Scenario.oneSKU() {
		c.SKUs, c.Items = 1, 1
	}
	if c.Arrivals == 0 {
		c.Arrivals = MaxArrivals
	}
	if c.CardToken == "" {
		c.CardToken = "tok_approved"
	}
	if c.SettleWithin == 0 {
		c.SettleWithin = 30 * time.Second
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	return c
}

// run is a Config under way.
type run struct {
	cfg      Config
	target   target
	shop     shop
	pace     *pace
	recorder *recorder
	before   stockBefore
}

// Run sets up, drives and checks. The report is there, as far as it goes, beside an error too; Report.Began tells whether
// anything was sent. When ctx ends nothing new is sent, what is under way is awaited, and the check is made all the same: a
// bound of its own ends it.
func Run(ctx context.Context, cfg Config) (Report, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return Report{}, fmt.Errorf("configure the load: %w", err)
	}
	r := &run{cfg: cfg, recorder: newRecorder()}
	var err error
	if r.target, err = parseTarget(cfg.URL, cfg.Key, cfg.Timeout); err != nil {
		return Report{}, err
	}
	r.shop = newShop(cfg)
	if err := r.reach(ctx); err != nil {
		return Report{}, err
	}
	if !cfg.Ready {
		if r.before, err = r.setUp(ctx); err != nil {
			return Report{}, fmt.Errorf("set up the stock: %w", err)
		}
	}
	buyers, measured, err := r.drive(ctx)
	if err != nil {
		return Report{}, err
	}
	report := r.report(measured)
	if cfg.ReadBack > 0 {
		report.Truth, err = r.check(context.WithoutCancel(ctx), buyers)
	}
	return report, err
}

// reach asks for one connection, which tells at once that nobody is there: what follows tries again and again.
func (r *run) reach(ctx context.Context) error {
	c := conn{target: &r.target}
	if err := c.connect(ctx); err != nil {
		return fmt.Errorf("connect to %s: %w", r.cfg.URL, err)
	}
	c.close()
	return nil
}

// measured is what the run took, without its warm-up.
type measured struct {
	began   time.Time
	warmUp  time.Duration
	elapsed time.Duration
	cpu     time.Duration
	// interrupted says that the run was ended before its time, and unsent how many arrivals were due by then and not sent.
	interrupted bool
	unsent      int64
}

// drive sends until time, count or ctx end, and awaits the answers of what was sent.
func (r *run) drive(ctx context.Context) ([]*buyer, measured, error) {
	buyers := make([]*buyer, r.cfg.Clients)
	for i := range buyers {
		buyers[i] = newBuyer(r, i)
	}
	if err := connectAll(ctx, buyers); err != nil {
		return nil, measured{}, fmt.Errorf("connect to %s: %w", r.cfg.URL, err)
	}
	defer func() {
		for _, b := range buyers {
			b.conn.close()
		}
	}()
	m := measured{began: time.Now()}
	cpu := startOfCPU(r.cfg.WarmUp)
	r.pace = newPace(r.cfg, m.began)
	r.recorder.begin(m.began, r.cfg.WarmUp)
	watched := make(chan struct{})
	stop := make(chan struct{})
	go func() {
		defer close(watched)
		r.recorder.watch(stop, r.cfg.Progress)
	}()
	endOfContext := timeOfEnd(ctx)
	var wg sync.WaitGroup
	for _, b := range buyers {
		wg.Go(func() { b.shopUntil(ctx) })
	}
	wg.Wait()
	took := time.Since(m.began)
	m.warmUp = min(r.cfg.WarmUp, took)
	m.elapsed, m.cpu = max(took-r.cfg.WarmUp, time.Nanosecond), processCPU()-cpu()
	if at, ended := endOfContext(); ended {
		m.interrupted, m.unsent = true, r.pace.unsent(at)
	}
	close(stop)
	<-watched
	return buyers, m, nil
}

// timeOfEnd notes when ctx ends. What it returns tells whether it did, and makes an end of noting.
func timeOfEnd(ctx context.Context) func() (at time.Time, ended bool) {
	noted := make(chan time.Time, 1)
	stop := context.AfterFunc(ctx, func() { noted <- time.Now() })
	return func() (time.Time, bool) {
		if stop() {
			return time.Time{}, false
		}
		return <-noted, true
	}
}

// startOfCPU notes the CPU that this process has used when a warm-up is over. One that ends before has it as at its end.
func startOfCPU(warmUp time.Duration) (used func() time.Duration) {
	if warmUp == 0 {
		now := processCPU()
		return func() time.Duration { return now }
	}
	noted := make(chan time.Duration, 1)
	timer := time.AfterFunc(warmUp, func() { noted <- processCPU() })
	return func() time.Duration {
		if timer.Stop() {
			return processCPU()
		}
		return <-noted
	}
}

// connectAll opens the connections before the clock starts, a few at a time.
func connectAll(ctx context.Context, buyers []*buyer) error {
	const atOnce = 64
	places := make(chan struct{}, atOnce)
	errs := make([]error, len(buyers))
	var wg sync.WaitGroup
	for i, b := range buyers {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			errs[i] = b.conn.connect(ctx)
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
