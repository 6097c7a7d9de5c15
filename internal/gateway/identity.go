package gateway

import (
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// caller is who a key stands for, with all that a request needs of it made beforehand.
type caller struct {
	keys.Key
	limiter *limiter
	// identity is what services in this process are told, and the headers what the others are.
	identity *httpx.Identity
	// The identity headers' values; shared by all requests and never written.
	idHeader, scopesHeader []string
}

// callers is the set of keys in force. A request reads it without a lock; a reload replaces it whole.
type callers struct {
	defaultRate int
	byID        atomic.Pointer[map[string]*caller]
}

// replace puts the keys in force. A key whose limit stays the same keeps what it has used of it.
func (c *callers) replace(list []keys.Key) {
	old := c.byID.Load()
	next := make(map[string]*caller, len(list))
	for _, key := range list {
		made := newCaller(key, c.defaultRate)
		if old != nil && (*old)[key.ID] != nil && (*old)[key.ID].limiter.Burst() == made.limiter.Burst() {
			made.limiter = (*old)[key.ID].limiter
		}
		next[key.ID] = made
	}
	c.byID.Store(&next)
}

func newCaller(key keys.Key, defaultRate int) *caller {
	if key.RateLimit > 0 {
		defaultRate = key.RateLimit
	}
	names := make([]string, len(key.Scopes))
	for i, scope := range key.Scopes {
		names[i] = scope.String()
	}
	return &caller{
		Key:          key,
		limiter:      newLimiter(defaultRate),
		identity:     httpx.NewIdentity(key.ID, names...),
		idHeader:     []string{key.ID},
		scopesHeader: []string{strings.Join(names, " ")},
	}
}

// identify returns whose valid key the request carries, or nil. Missing, malformed, unknown, wrong, revoked and expired
// are one answer: the difference would help only those who guess.
func (c *callers) identify(r *http.Request, now time.Time) *caller {
	values := r.Header["Authorization"]
	if len(values) != 1 {
		return nil
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	id, ok := keys.ParseToken(token)
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return nil
	}
	found := (*c.byID.Load())[id]
	if found == nil || !found.Matches(token) || !found.Active(now) {
		return nil
	}
	return found
}
