// Package httpx is what every service puts between net/http and its handlers: problems (RFC 9457), strict reading of
// bodies, precise messages from the OpenAPI contract, a server with every limit set, health, identity, and transports.
package httpx

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// ProblemType is the media type of RFC 9457.
const ProblemType = "application/problem+json"

// typePrefix makes the stable `type` of a problem from its code. A URN, because RFC 9457 asks for an identifier that
// never changes, and a documentation site's address would.
const typePrefix = "urn:veloz:problem:"

// Codes that this package answers by itself. They are part of the public contract and never change.
const (
	CodeInvalidJSON            = "invalid_json"
	CodeInvalidRequest         = "invalid_request"
	CodeIdempotencyKeyRequired = "idempotency_key_required"
	CodeBodyRequired           = "body_required"
	CodeBodyIncomplete         = "body_incomplete"
	CodeBodyTooLarge           = "body_too_large"
	CodeUnsupportedMediaType   = "unsupported_media_type"
	CodeUnauthorized           = "unauthorized"
	CodeNotFound               = "not_found"
	CodeMethodNotAllowed       = "method_not_allowed"
	CodeRequestTimeout         = "request_timeout"
	CodeTooManyHeaders         = "too_many_headers"
	CodeAmbiguousLength        = "ambiguous_length"
	CodeNotImplemented         = "not_implemented"
	CodeClientGone             = "client_gone"
	CodeInternal               = "internal"
)

// FieldError names one part of a request and what was expected of it. It never holds the value that was sent.
type FieldError struct {
	// Field is a JSON pointer into the body ("" is the whole body), or `header.NAME`, `query.NAME`, `path.NAME`.
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Error is a problem on its way to a client. Everything in it is public.
type Error struct {
	Status     int
	Code       string
	Title      string
	Detail     string
	Fields     []FieldError
	RetryAfter time.Duration // rounded up to seconds; 0 sends no header
}

// Error implements error.
func (e *Error) Error() string {
	if e.Detail == "" {
		return e.Code + ": " + e.Title
	}
	return e.Code + ": " + e.Detail
}

// Type is the problem's stable identifier, `urn:veloz:problem:CODE`.
func (e *Error) Type() string { return typePrefix + e.Code }

// AsError finds the problem in err, or answers with a 500 that tells nothing of it.
func AsError(err error) *Error {
	var problem *Error
	if errors.As(err, &problem) {
		return problem
	}
	return internalError()
}

func internalError() *Error {
	return &Error{Status: http.StatusInternalServerError, Code: CodeInternal, Title: "Internal error",
		Detail: "The error was logged under the request's X-Request-Id."}
}

type problemBody struct {
	Type   string       `json:"type"`
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Code   string       `json:"code"`
	Detail string       `json:"detail,omitempty"`
	Errors []FieldError `json:"errors,omitempty"`
}

// WriteProblem answers with problem as schema Problem of the contracts has it.
func WriteProblem(w http.ResponseWriter, problem *Error) {
	body, err := json.Marshal(problemBody{problem.Type(), problem.Title, problem.Status, problem.Code, problem.Detail, problem.Fields})
	if err != nil { // strings and ints always marshal
		body = []byte(`{}`)
	}
	h := w.Header()
	h.Set("Content-Type", ProblemType)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if problem.RetryAfter > 0 {
		h.Set("Retry-After", RetryAfter(problem.RetryAfter))
	}
	w.WriteHeader(problem.Status)
	_, _ = w.Write(body) // the client is gone: nobody is left to tell
}

// RetryAfter is the header's value for d: whole seconds, at least one.
func RetryAfter(d time.Duration) string {
	return strconv.FormatInt(int64(max(time.Second, d+time.Second-1)/time.Second), 10)
}
