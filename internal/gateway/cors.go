package gateway

import (
	"fmt"
	"net/http"

	"github.com/jub0bs/cors"
)

const exposeHeader = "Access-Control-Expose-Headers"

// allowOrigins lets pages of the configured origins call the API. Credentials stay off: a bearer key is set by the page's
// own code, so no cookie has to travel.
func (g *Gateway) allowOrigins(next http.Handler) (http.Handler, error) {
	if len(g.config.CORSOrigins) == 0 {
		return next, nil
	}
	middleware, err := newCORS(g.config.CORSOrigins)
	if err != nil {
		return nil, fmt.Errorf("CORS origins: %w", err)
	}
	return middleware.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if exposed := w.Header()[exposeHeader]; exposed != nil { // not to a stranger
			w = exposing{w, exposed}
		}
		next.ServeHTTP(w, r)
	})), nil
}

// CheckOrigins tells whether Config.CORSOrigins may be these.
func CheckOrigins(origins []string) error {
	if len(origins) == 0 {
		return nil
	}
	_, err := newCORS(origins)
	return err
}

func newCORS(origins []string) (*cors.Middleware, error) {
	return cors.NewMiddleware(cors.Config{
		Origins:         origins,
		Methods:         []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		RequestHeaders:  []string{"Authorization", "Content-Type", "Idempotency-Key", "Prefer", "Traceparent", "Tracestate", "X-Request-Id"},
		ResponseHeaders: []string{"Location", "Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "X-Request-Id"},
		MaxAgeInSeconds: 600,
	})
}

// exposing is the answer to a page of another origin. What the page may read of it is the gateway's to say: the services'
// generated servers say it too, each of its own headers alone, and would hide the gateway's.
type exposing struct {
	http.ResponseWriter
	exposed []string
}

// WriteHeader implements http.ResponseWriter.
func (w exposing) WriteHeader(status int) {
	w.Header()[exposeHeader] = w.exposed
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter, for an answer that begins with its body.
func (w exposing) Write(p []byte) (int, error) {
	w.Header()[exposeHeader] = w.exposed
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController through.
func (w exposing) Unwrap() http.ResponseWriter { return w.ResponseWriter }
