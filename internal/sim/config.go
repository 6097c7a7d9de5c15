package sim

import (
	"math/rand/v2"
	"time"
)

// config is what a seed decides about its world before it begins. Swarm testing: most worlds have only some of the
// faults, because faults hide each other (Groce et al., ISSTA 2012).
type config struct {
	buyers, skus     int
	stock            int64 // of each SKU at the beginning
	maxInFlight      int
	maxBatch         int
	skew             time.Duration // how far a process's clock may be off
	pixShare         float64
	declined         float64
	mishaps          [mishapCount]float64
	meanwhile        float64 // that something else happens during a call
	jump, partition  float64 // an act
	slowProvider     float64
	providerMishaps  float64 // a factor of the network's
	stop             float64
	cancel           float64
	repeat           float64
	priceChange      float64
	adjust           float64
	poison           float64       // that an order is refused by payments for ever
	pace             time.Duration // how much faster than usual time passes: expiries and late payments then meet the faults
	lateness         time.Duration // of delayed requests
	pixWrong, pixOdd float64
}

func newConfig(r *rand.Rand) config {
	c := config{
		buyers: 10 + r.IntN(50), skus: 1 + r.IntN(5), stock: 1 + r.Int64N(60),
		maxInFlight: 50, maxBatch: 1 + r.IntN(20), skew: time.Duration(r.Int64N(int64(3 * time.Second))),
		pixShare: r.Float64(), declined: 0.3 * r.Float64(), providerMishaps: 1,
		meanwhile: some(r, 0.02, 0.1), jump: some(r, 0.002, 0.01), partition: some(r, 0.002, 0.01), slowProvider: some(r, 0.05, 0.3),
		stop: some(r, 0.0005, 0.002), cancel: some(r, 0.5, 2), repeat: some(r, 0.5, 2), priceChange: some(r, 0.2, 1), adjust: some(r, 0.2, 1),
		lateness: lateness[r.IntN(len(lateness))], pixWrong: some(r, 0.1, 0.3), pixOdd: some(r, 0.2, 0.6), poison: some(r, 0.01, 0.05),
	}
	c.pace = paces[r.IntN(len(paces))]
	if r.IntN(8) == 0 {
		c.maxInFlight = 1 + r.IntN(4)
	}
	if r.IntN(10) == 0 { // a calm world: what goes wrong here goes wrong everywhere
		return c
	}
	for m := range c.mishaps {
		c.mishaps[m] = some(r, rates[m], 6*rates[m])
	}
	return c
}

// lateness is how late a request may still arrive.
var lateness = []time.Duration{time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, 2 * time.Hour}

var paces = []time.Duration{1, 1, 10, 50}

// rates are a call's usual chances. A crash ends all that a process was at, and so it is rarer.
var rates = [mishapCount]float64{requestLost: 0.02, answerLost: 0.02, duplicated: 0.03, delayed: 0.02, refused: 0.003, refusedAfter: 0.003,
	crashBefore: 0.0015, crashAfter: 0.0015, storeBusy: 0.01, storeBroken: 0.002, commitUnknown: 0.01}

// some is 0 in half of the worlds, and otherwise one of the two.
func some(r *rand.Rand, low, high float64) float64 {
	switch r.IntN(4) {
	case 0:
		return low
	case 1:
		return high
	}
	return 0
}
