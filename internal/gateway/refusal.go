package gateway

import (
	"net/http"
	"time"
)

// Refusal is the limit that a request was refused for before any service saw it. The set is closed; the zero value is invalid.
type Refusal uint8

// The limits.
const (
	_            Refusal = iota
	OverRequests         // as many requests are being answered as Config.MaxInFlight lets in
	OverWait             // a new order would wait longer than Config.OrderWait
	OverRate             // the key or the address sends more than it may
)

// Refusals lists every limit.
func Refusals() []Refusal { return []Refusal{OverRequests, OverWait, OverRate} }

// String is the limit's label in the metrics: the setting it comes from, of a key's and an address's rate the key's.
func (r Refusal) String() string {
	switch r {
	case OverRequests:
		return "max_requests"
	case OverWait:
		return "order_wait"
	case OverRate:
		return "rate_limit"
	default:
		return "invalid"
	}
}

// Refused is how many requests were refused for a limit.
func (g *Gateway) Refused(r Refusal) int64 { return g.refused[r].Load() }

// overload refuses a request for which there is no room.
func (g *Gateway) overload(w http.ResponseWriter, r Refusal) {
	g.refused[r].Add(1)
	overloaded.write(w)
}

// take is take, and counts who gets nothing.
func (g *Gateway) take(l *limiter, header http.Header, now time.Time) bool {
	allowed := take(l, header, now)
	if !allowed {
		g.refused[OverRate].Add(1)
	}
	return allowed
}
