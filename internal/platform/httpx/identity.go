package httpx

import (
	"context"
	"net/http"
	"slices"
	"strings"
)

// The gateway tells the services by these headers who calls. Services trust them, so the gateway strips what a client sends.
const (
	CallerHeader = "X-Veloz-Caller" // the id of the API key
	ScopesHeader = "X-Veloz-Scopes" // separated by spaces
)

const identityPrefix = "X-Veloz-"

type identityKey struct{}

// Identity is who calls: an API key's id and what it may do. It never changes, so requests share one.
type Identity struct {
	caller, scopes string // scopes as in the header
}

// NewIdentity makes an identity.
func NewIdentity(caller string, scopes ...string) *Identity {
	return &Identity{caller, strings.Join(scopes, " ")}
}

// WithIdentity puts an identity into the context.
func WithIdentity(ctx context.Context, id *Identity) context.Context {
	return &identityContext{ctx, id}
}

// WithCaller puts the API key's id and its scopes into the context.
func WithCaller(ctx context.Context, caller string, scopes ...string) context.Context {
	return WithIdentity(ctx, NewIdentity(caller, scopes...))
}

// identityContext is a context.WithValue that needs no lookup of its value's type.
type identityContext struct {
	context.Context
	identity *Identity
}

// Value implements context.Context.
func (c *identityContext) Value(key any) any {
	if key == (identityKey{}) {
		return c.identity
	}
	return c.Context.Value(key)
}

var anonymous = &Identity{}

func identityFrom(ctx context.Context) *Identity {
	if id, ok := ctx.Value(identityKey{}).(*Identity); ok {
		return id
	}
	return anonymous
}

// Caller is the id of the API key that the request came with, or "" for an anonymous one.
func Caller(ctx context.Context) string { return identityFrom(ctx).caller }

// Scopes lists what the caller may do.
func Scopes(ctx context.Context) []string { return strings.Fields(identityFrom(ctx).scopes) }

// HasScope tells whether the caller may do scope.
func HasScope(ctx context.Context, scope string) bool { return slices.Contains(Scopes(ctx), scope) }

// Identify reads the identity headers of a peer into the context, unless a gateway in this process has put the same there.
// Put it into services only: at the gateway a client could name itself.
func Identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told := Identity{r.Header.Get(CallerHeader), r.Header.Get(ScopesHeader)}
		if told.caller != "" && told != *identityFrom(r.Context()) {
			r = r.WithContext(WithIdentity(r.Context(), &Identity{told.caller, told.scopes}))
		}
		next.ServeHTTP(w, r)
	})
}

// SetIdentity replaces the identity headers in h by what ctx holds.
func SetIdentity(ctx context.Context, h http.Header) {
	StripIdentity(h)
	if id := identityFrom(ctx); id.caller != "" {
		h.Set(CallerHeader, id.caller)
		h.Set(ScopesHeader, id.scopes)
	}
}

// StripIdentity removes every X-Veloz-* header that a client sent, however it is written.
func StripIdentity(h http.Header) {
	for name := range h {
		if IsIdentityHeader(name) {
			delete(h, name)
		}
	}
}

// IsIdentityHeader tells whether name is that of an X-Veloz-* header. It takes an underscore for a hyphen: many a server
// behind a gateway does.
func IsIdentityHeader(name string) bool {
	if len(name) < len(identityPrefix) || name[0]|0x20 != 'x' {
		return false
	}
	return strings.EqualFold(strings.ReplaceAll(name[:len(identityPrefix)], "_", "-"), identityPrefix)
}

// Forward sends the request id and the identity of the context along with each request to a peer.
func Forward(next http.RoundTripper) http.RoundTripper { return forward{next} }

type forward struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (f forward) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	r = r.Clone(ctx) // a RoundTripper must not change the caller's request
	SetIdentity(ctx, r.Header)
	if id := RequestIDFrom(ctx); id != "" {
		r.Header.Set(RequestIDHeader, id)
	}
	return f.next.RoundTrip(r)
}
