package gateway

import (
	"hash/maphash"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/time/rate"
)

// anonymousSlots bounds the memory for clients without a key (about 300 KB): addresses share a fixed number of limiters
// instead of having one each. An honest client that shares its slot with an attacker, one in 4,096, shares the limit.
const anonymousSlots = 4096

// addressLimiter limits requests by client address.
type addressLimiter struct {
	seed  maphash.Seed
	slots [anonymousSlots]*limiter
}

func newAddressLimiter(perSecond int) *addressLimiter {
	l := &addressLimiter{seed: maphash.MakeSeed()}
	for i := range l.slots {
		l.slots[i] = newLimiter(perSecond)
	}
	return l
}

// of returns the limiter of an address. An IPv6 client owns a /64, so its low half says nothing.
func (l *addressLimiter) of(address netip.Addr) *limiter {
	address = address.Unmap().WithZone("")
	if address.Is6() {
		prefix, _ := address.Prefix(64) // 64 bits always fit
		address = prefix.Addr()
	}
	return l.slots[maphash.Comparable(l.seed, address)%anonymousSlots]
}

// limiter is a limit, with its size as the header has it.
type limiter struct {
	*rate.Limiter
	size []string
}

// newLimiter allows the rate, and at once as much as one second brings.
func newLimiter(perSecond int) *limiter {
	return &limiter{rate.NewLimiter(rate.Limit(perSecond), perSecond), []string{strconv.Itoa(perSecond)}}
}

// take uses up one request of the limit, says so in the standard headers and tells whether it was there.
// The limiter keeps one mutex for tens of nanoseconds: measured cheaper than httprate, which keeps two and a map.
func take(l *limiter, header http.Header, now time.Time) bool {
	allowed := l.AllowN(now, 1)
	limit, remaining := float64(l.Burst()), max(0, math.Floor(l.TokensAt(now)))
	values := []string{
		strconv.Itoa(int(remaining)),
		strconv.Itoa(int(math.Ceil((limit - remaining) / limit))), // seconds until the full limit is back
	}
	header["Ratelimit-Limit"] = l.size
	header["Ratelimit-Remaining"] = values[0:1:1]
	header["Ratelimit-Reset"] = values[1:2:2]
	return allowed
}
