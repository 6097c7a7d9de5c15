package load

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// arrival is one thing that a buyer does.
type arrival struct {
	number uint64
	due    time.Time // from when its latency counts; zero: from when it is sent
}

// pace hands out arrivals, up to a number and a time.
type pace struct {
	cfg   Config
	began time.Time

	mu     sync.Mutex
	random *rand.Rand
	next   time.Duration // of an open loop's next arrival, from began
	count  uint64
	left   []time.Time // when those were due that were taken and not sent
}

func newPace(cfg Config, began time.Time) *pace {
	p := &pace{cfg: cfg, began: began, random: rand.New(rand.NewPCG(cfg.Seed, 1))}
	if cfg.Rate > 0 {
		p.next = p.gap()
	}
	return p
}

// take returns the next arrival; ok is false when the run is over. In an open loop it may be due later, or earlier when all
// connections were busy.
func (p *pace) take() (a arrival, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count >= uint64(p.cfg.Arrivals) {
		return arrival{}, false
	}
	if p.cfg.Rate == 0 {
		if time.Since(p.began) >= p.cfg.Duration {
			return arrival{}, false
		}
	} else {
		if p.next >= p.cfg.Duration {
			return arrival{}, false
		}
		a.due = p.began.Add(p.next)
		p.next += p.gap()
	}
	a.number = p.count
	p.count++
	return a, true
}

// leave gives an arrival back that will not be sent.
func (p *pace) leave(a arrival) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = append(p.left, a.due)
}

// unsent counts the arrivals of an open loop that were due at a time at which the run was ended, and not sent: how far a
// platform was behind, which the latencies of what was sent do not tell. Nothing can be taken after it.
func (p *pace) unsent(ended time.Time) (n int64) {
	if p.cfg.Rate == 0 {
		return 0
	}
	for _, due := range p.left {
		if !due.After(ended) {
			n++
		}
	}
	for a, ok := p.take(); ok && !a.due.After(ended); a, ok = p.take() {
		n++
	}
	return n
}

// gap is the time to the next arrival: exponential, for buyers know nothing of each other.
func (p *pace) gap() time.Duration {
	return time.Duration(p.random.ExpFloat64() / p.rate(p.next) * float64(time.Second))
}

// rate is what an open loop aims at, at a time of the run. It begins at a hundredth of its goal, for a gap at no rate has no end.
func (p *pace) rate(at time.Duration) float64 {
	goal := p.cfg.Rate
	if p.cfg.RateEnd > 0 {
		goal += (p.cfg.RateEnd - p.cfg.Rate) * at.Seconds() / p.cfg.Duration.Seconds()
	}
	if at < p.cfg.Ramp {
		goal *= max(0.01, at.Seconds()/p.cfg.Ramp.Seconds())
	}
	return goal
}

// start is when a closed loop's client begins.
func (p *pace) start(client int) time.Time {
	if p.cfg.Rate > 0 {
		return p.began
	}
	return p.began.Add(p.cfg.Ramp * time.Duration(client) / time.Duration(p.cfg.Clients))
}

// until waits for a time, or tells that ctx has ended.
func until(ctx context.Context, at time.Time) bool {
	wait := time.Until(at)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
