package httpx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
)

// RequestIDHeader carries the id under which a request is found in logs.
const RequestIDHeader = "X-Request-Id"

type requestIDKey struct{}

// RequestID takes the client's X-Request-Id where it is sane, else makes one; it echoes the id and puts it into the context.
func RequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(RequestIDHeader)
		if !saneRequestID(id) {
			id = newRequestID()
		}
		value := []string{id}             // for both maps: neither is appended to
		r.Header[RequestIDHeader] = value // a proxy behind this passes the headers on
		w.Header()[RequestIDHeader] = value
		if ctx, ok := r.Context().(*requestIDContext); ok && ctx.id == "" { // a place for it, which spares a copy of the request
			ctx.id = id
		} else {
			r = r.WithContext(WithRequestID(r.Context(), id))
		}
		next.ServeHTTP(w, r)
	})
}

// WithRequestID puts id into the context.
func WithRequestID(ctx context.Context, id string) context.Context {
	return &requestIDContext{ctx, id}
}

// requestIDContext is a context.WithValue that is made in one piece: every request has one.
type requestIDContext struct {
	context.Context
	id string
}

// Value implements context.Context.
func (c *requestIDContext) Value(key any) any {
	if key == (requestIDKey{}) {
		return c.id
	}
	return c.Context.Value(key)
}

// RequestIDFrom is the id of the request that ctx belongs to, or "".
func RequestIDFrom(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// saneRequestID keeps what could forge a log line or a header out of both.
func saneRequestID(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		if !isToken(id[i]) {
			return false
		}
	}
	return true
}

func isToken(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
}

// newRequestID needs to be distinct, not secret.
func newRequestID() string {
	const digits = 13 // base 36 of 64 bits
	var buffer [2 * digits]byte
	id := strconv.AppendUint(buffer[:0], rand.Uint64(), 36)
	return string(strconv.AppendUint(id, rand.Uint64(), 36))
}

// Recover answers a panic with 500 and logs its stack. The value is logged only when the runtime made it: a handler's own
// may hold personal data. After the answer has begun the connection is cut, so that the client sees that it is incomplete.
func Recover(logger *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			recorder := Record(w)
			defer func() {
				v := recover()
				if v == nil {
					return
				}
				if v == http.ErrAbortHandler { //nolint:errorlint // net/http compares what is recovered in the same way
					panic(v)
				}
				logger.ErrorContext(r.Context(), "handler panicked", "method", r.Method, "panic", panicText(v), "stack", string(debug.Stack()))
				if recorder.Status() != 0 {
					panic(http.ErrAbortHandler)
				}
				WriteProblem(w, internalError())
			}()
			next.ServeHTTP(recorder, r)
		})
	}
}

func panicText(v any) string {
	if err, ok := v.(error); ok {
		var runtimeError runtime.Error
		if errors.As(err, &runtimeError) {
			return runtimeError.Error()
		}
	}
	return fmt.Sprintf("a value of type %T", v)
}
