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

type identity struct {
	caller string
	scopes []string
}

// WithCaller puts the API key's id and its scopes into the context.
func WithCaller(ctx context.Context, caller string, scopes ...string) context.Context {
	return context.WithValue(ctx, identityKey{}, identity{caller, scopes})
}

// Caller is the id of the API key that the request came with, or "" for an anonymous one.
func Caller(ctx context.Context) string {
	id, _ := ctx.Value(identityKey{}).(identity)
	return id.caller
}

// Scopes lists what the caller may do.
func Scopes(ctx context.Context) []string {
	id, _ := ctx.Value(identityKey{}).(identity)
	return id.scopes
}

// HasScope tells whether the caller may do scope.
func HasScope(ctx context.Context, scope string) bool { return slices.Contains(Scopes(ctx), scope) }

// Identify reads the identity headers of a peer into the context. Put it into services only: at the gateway a client could name itself.
func Identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if caller := r.Header.Get(CallerHeader); caller != "" {
			ctx := WithCaller(r.Context(), caller, strings.Fields(r.Header.Get(ScopesHeader))...)
			r = r.WithContext(ctx)
		}
		next.ServeHTTP(w, r)
	})
}

// SetIdentity replaces the identity headers in h by what ctx holds.
func SetIdentity(ctx context.Context, h http.Header) {
	StripIdentity(h)
	if id, ok := ctx.Value(identityKey{}).(identity); ok && id.caller != "" {
		h.Set(CallerHeader, id.caller)
		h.Set(ScopesHeader, strings.Join(id.scopes, " "))
	}
}

// StripIdentity removes every X-Veloz-* header that a client sent, however it is written.
func StripIdentity(h http.Header) {
	for name := range h {
		if hasIdentityPrefix(name) {
			delete(h, name)
		}
	}
}

// hasIdentityPrefix takes an underscore for a hyphen: many a server behind a gateway does.
func hasIdentityPrefix(name string) bool {
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
