//go:build linux

package crash

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// settleLimit is what the product promises: when the faults are over, every order ends within it.
const settleLimit = time.Minute

// Result is what became of one shape.
type Result struct {
	Shape         string         `json:"shape"`
	Faults        map[Kind]int   `json:"faults"`
	ServiceKills  int            `json:"service_kills"`
	DatabaseKills int            `json:"database_kills"`
	Failpoints    map[string]int `json:"failpoints"` // moments at which a process died
	FailedTries   int64          `json:"failed_tries"`
	// ReadyMS is from a killed service's start to its readiness, and BackMS from a database's return to the readiness of all.
	ReadyMS Spread `json:"ready_ms"`
	BackMS  Spread `json:"back_ms"`
	// SettledMS is from the last fault to the end of the last order.
	SettledMS int64 `json:"settled_ms"`
	Verdict
}

// Spread sums up durations.
type Spread struct {
	Count  int   `json:"count"`
	Median int64 `json:"median"`
	P99    int64 `json:"p99"`
	Max    int64 `json:"max"`
}

func spread(durations []time.Duration) Spread {
	if len(durations) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(durations))
	at := func(share float64) int64 { return sorted[int(share*float64(len(sorted)-1))].Milliseconds() }
	return Spread{len(sorted), at(0.5), at(0.99), at(1)}
}

// campaign is the breaking of one shape.
type campaign struct {
	shape    shape
	seed     uint64
	rate     int
	binaries string
	dir      string
	settings []string // of PostgreSQL
	faults   []Fault
	patience time.Duration // for answers, and then for orders to end, after the last fault
	progress func(format string, args ...any)
}

// run starts the system, breaks it under load, lets it settle and judges it. An error says that nothing was proved.
func (c *campaign) run(ctx context.Context) (result *Result, err error) {
	s, err := startSystem(ctx, c.shape, c.binaries, c.dir, c.settings...)
	defer func() { err = errors.Join(err, s.close(context.WithoutCancel(ctx))) }()
	if err != nil {
		return nil, err
	}
	book := filepath.Join(c.dir, "ledger.jsonl")
	ledger, err := openLedger(book)
	if err != nil {
		return nil, err
	}
	b := &buyers{api: s.api, ledger: ledger}
	t := &tally{faults: make(map[Kind]int), passed: make(map[string]int)}
	if err := c.breakUnderLoad(ctx, s, b, t); err != nil {
		return nil, errors.Join(err, ledger.close())
	}
	over := time.Now()
	if err := ledger.close(); err != nil {
		return nil, err
	}
	entries, err := readLedger(book)
	if err != nil {
		return nil, err
	}
	verdict, ended, err := c.settle(ctx, s.api, entries, over.Add(c.patience))
	if err != nil {
		return nil, err
	}
	verdict.Findings = append(verdict.Findings, b.surprises...)
	return &Result{Shape: c.shape.name, Faults: t.faults, ServiceKills: t.kills, DatabaseKills: t.faults[DatabaseKill] + t.faults[FailOver],
		Failpoints: t.passed, FailedTries: b.failed.Load(), ReadyMS: spread(t.ready), BackMS: spread(t.back),
		SettledMS: ended.Sub(over).Milliseconds(), Verdict: *verdict}, nil
}

// breakUnderLoad inflicts every fault while buyers buy, and returns when each of these has its last answer, or should have.
func (c *campaign) breakUnderLoad(ctx context.Context, s *system, b *buyers, t *tally) error {
	shopping, giveUp := context.WithCancel(ctx)
	defer giveUp()
	enough, shopped := make(chan struct{}), make(chan error, 1)
	go func() { shopped <- b.buy(shopping, c.seed, c.rate, enough) }()
	stop := sync.OnceFunc(func() { close(enough) })
	defer stop()
	for i, f := range c.faults {
		last(ctx, f.After)
		began := time.Now()
		if err := errors.Join(ctx.Err(), s.inflict(ctx, f, t)); err != nil {
			stop()
			giveUp()
			return errors.Join(fmt.Errorf("fault %d of %d, %s: %w", i+1, len(c.faults), f, err), <-shopped)
		}
		c.progress("%s: %d/%d %s: over after %.1f s; %d orders acknowledged", c.shape.name, i+1, len(c.faults), f, time.Since(began).Seconds(), b.acknowledged.Load())
	}
	last(ctx, time.Second) // a whole second without a fault, so that the last one is not the end of the story
	stop()
	select {
	case err := <-shopped:
		return err
	case <-time.After(c.patience):
		giveUp()
		return <-shopped
	}
}

// settle waits until every order has ended and judges what it sees then. What is not right when the limit is over is wrong.
func (c *campaign) settle(ctx context.Context, a *api, entries []entry, limit time.Time) (v *Verdict, ended time.Time, err error) {
	for {
		open, err := unfinished(ctx, a)
		if err != nil {
			return nil, ended, err
		}
		ended = time.Now()
		if late := ended.After(limit); open == 0 || late {
			w, err := look(ctx, a)
			if err != nil {
				return nil, ended, err
			}
			if v = judge(entries, w); v.Clean() || v.Lost > 0 || late {
				return v, ended, nil
			}
			c.progress("%s: %d things are not settled yet: %s", c.shape.name, len(v.Findings), v.Findings[0])
		}
		last(ctx, 250*time.Millisecond)
		if err := ctx.Err(); err != nil {
			return nil, ended, err
		}
	}
}

// unfinished is not 0 as long as there are orders to wait for.
func unfinished(ctx context.Context, a *api) (n int, err error) {
	for _, query := range []string{"status=placed", "status=held", "payment_status=unknown"} {
		p, err := get[page[order]](ctx, a, "/v1/orders?limit=1&"+query)
		if err != nil {
			return 0, err
		}
		n += len(p.Data)
	}
	return n, nil
}

// look reads all that the system says.
func look(ctx context.Context, a *api) (w world, err error) {
	if w.orders, err = all[order](ctx, a, "/v1/orders"); err != nil {
		return w, err
	}
	if w.items, err = all[item](ctx, a, "/v1/items"); err != nil {
		return w, err
	}
	w.payments = make(map[string][]payment, len(w.orders))
	ids, errs := make(chan string), make(chan error, buyerCount)
	var mu sync.Mutex
	var reading sync.WaitGroup
	for range buyerCount {
		reading.Go(func() {
			for id := range ids {
				p, err := get[page[payment]](ctx, a, "/v1/orders/"+id+"/payments")
				if err != nil {
					select {
					case errs <- err:
					default:
					}
					continue
				}
				mu.Lock()
				w.payments[id] = p.Data
				mu.Unlock()
			}
		})
	}
	for i := range w.orders {
		ids <- w.orders[i].ID
	}
	close(ids)
	reading.Wait()
	close(errs)
	return w, <-errs
}
