package load

import (
	"math"
	"math/rand/v2"
	"sort"
	"strconv"
	"strings"
)

// Scenario is what buyers do.
type Scenario string

// The scenarios.
const (
	Uniform Scenario = "uniform" // orders over all SKUs alike
	Zipf    Scenario = "zipf"    // orders over all SKUs, the n-th one n times less often than the first
	Hot     Scenario = "hot"     // orders of one SKU, with stock for all
	Flash   Scenario = "flash"   // orders of one SKU that has few units
	Reads   Scenario = "reads"   // an order for each client, which it then reads again and again
	Mixed   Scenario = "mixed"   // 60 % orders, 25 % reads, 10 % lists, 5 % cancellations, over all SKUs alike
	Pix     Scenario = "pix"     // an order by Pix, its payment, and the wait for its confirmation
)

// Scenarios lists them all.
func Scenarios() []Scenario { return []Scenario{Uniform, Zipf, Hot, Flash, Reads, Mixed, Pix} }

// oneSKU tells whether all buyers want the same SKU.
func (s Scenario) oneSKU() bool { return s == Hot || s == Flash }

// step is one arrival of a scenario.
type step func(b *buyer, a arrival)

// share is how often a step happens, in percent.
type share struct {
	percent int
	step    step
}

// steps are the scenario's, whose shares are 100 % together; nil for an unknown one.
func (s Scenario) steps() []share {
	switch s {
	case Uniform, Zipf, Hot, Flash:
		return []share{{100, (*buyer).order}}
	case Reads:
		return []share{{100, (*buyer).read}}
	case Pix:
		return []share{{100, (*buyer).orderByPix}}
	case Mixed:
		return []share{{60, (*buyer).order}, {25, (*buyer).read}, {10, (*buyer).list}, {5, (*buyer).cancel}}
	}
	return nil
}

// shop tells what the n-th order buys. It is a function of n alone, so an order need not be remembered to be checked.
type shop struct {
	seed   uint64
	skus   int
	items  int
	run    string // this run's name: orders are known by it
	prefix string
	zipf   []float64 // cumulative probabilities; nil: all alike
}

const skuDigits = 7

func newShop(cfg Config) shop {
	s := shop{seed: cfg.Seed, skus: cfg.SKUs, items: cfg.Items, prefix: cfg.Prefix, run: runName()}
	if s.prefix == "" {
		s.prefix = "LOAD-" + s.run
	}
	if cfg.Scenario == Zipf {
		s.zipf = make([]float64, s.skus)
		sum := 0.0
		for i := range s.zipf {
			sum += 1 / float64(i+1)
			s.zipf[i] = sum
		}
		for i := range s.zipf {
			s.zipf[i] /= sum
		}
	}
	return s
}

// runName has no digits: with the digits of an order's number behind them, one address in ten looked like a card number,
// which the platform refuses.
func runName() string {
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
	name := make([]byte, 8)
	for i := range name {
		name[i] = letters[rand.IntN(len(letters))]
	}
	return string(name)
}

// sku is the name of the i-th SKU. All names have one length, so that a request can be patched in place.
func (s shop) sku(i int) string {
	name := make([]byte, 0, len(s.prefix)+1+skuDigits)
	name = append(append(name, s.prefix...), '-')
	name = name[:len(name)+skuDigits]
	putDigits(name[len(name)-skuDigits:], uint64(i))
	return string(name)
}

// picks answers the SKUs of order n in picked, each once.
func (s shop) picks(n uint64, picked []int) []int {
	picked = picked[:0]
	for try := uint64(0); len(picked) < s.items; try++ {
		i := s.pick(mix(s.seed ^ mix(n) + try*0x9E3779B97F4A7C15))
		if !contains(picked, i) {
			picked = append(picked, i)
		}
	}
	return picked
}

func (s shop) pick(random uint64) int {
	if s.zipf == nil {
		return int(random % uint64(s.skus))
	}
	at := float64(random>>11) / (1 << 53)
	return min(sort.SearchFloat64s(s.zipf, math.Nextafter(at, 1)), s.skus-1)
}

func contains(list []int, wanted int) bool {
	for _, i := range list {
		if i == wanted {
			return true
		}
	}
	return false
}

// mix is splitmix64's finalizer.
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// putDigits writes n in decimal, with leading zeros, over all of b.
func putDigits(b []byte, n uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
}

// email is the address of the buyer of order n, by which the order is known when it is read back.
func (s shop) email(n uint64) string {
	var digits [orderDigits]byte
	putDigits(digits[:], n)
	return "buyer-" + s.run + "-" + string(digits[:]) + "@example.com"
}

// numberOf is the inverse of email; ok is false for another run's buyer.
func (s shop) numberOf(email string) (n uint64, ok bool) {
	rest, ok := strings.CutPrefix(strings.ToLower(email), "buyer-"+strings.ToLower(s.run)+"-")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(rest, "@example.com"), 10, 64)
	return n, err == nil
}
