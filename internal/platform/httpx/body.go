package httpx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
)

// internalPrefix starts the routes that only peers may call; the gateway does not forward them.
const internalPrefix = "/internal/"

// BodyLimits bounds request bodies. Zero values stand for the defaults.
type BodyLimits struct {
	Public   int64 // bytes; 256 KiB by default
	Internal int64 // bytes, for routes under /internal/; 16 MiB by default
	Depth    int   // nesting of JSON; 32 by default
}

func (l BodyLimits) withDefaults() BodyLimits {
	if l.Public <= 0 {
		l.Public = 256 << 10
	}
	if l.Internal <= 0 {
		l.Internal = 16 << 20
	}
	if l.Depth <= 0 {
		l.Depth = 32
	}
	return l
}

// StrictBody reads each body whole, within limits, before next runs, and refuses JSON that is ambiguous.
// net/http by itself runs a handler although the body is too long or its chunks are broken.
// Bodies under /internal/ come from peers and are not scanned.
func StrictBody(limits BodyLimits) func(http.Handler) http.Handler {
	limits = limits.withDefaults()
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Body == nil || r.Body == http.NoBody {
				next.ServeHTTP(w, r)
				return
			}
			body, problem := limits.read(w, r)
			if problem != nil {
				WriteProblem(w, problem)
				return
			}
			if _, ready := r.Body.(*readyBody); !ready {
				r.Body = newReadyBody(body)
			}
			r.ContentLength = int64(len(body))
			r.TransferEncoding = nil
			next.ServeHTTP(w, r)
		})
	}
}

// readyBody is a body that was read whole.
type readyBody struct {
	bytes.Reader
	whole []byte
}

func newReadyBody(whole []byte) *readyBody {
	b := &readyBody{whole: whole}
	b.Reset(whole)
	return b
}

// Close implements io.Closer: there is nothing to close.
func (*readyBody) Close() error { return nil }

// WholeBody is the body when it was read whole, by StrictBody or by a Server of plain requests, without a copy: it must not be changed, nor kept after the request.
func WholeBody(r *http.Request) (body []byte, ok bool) {
	if b, ok := r.Body.(*readyBody); ok {
		return b.whole, true
	}
	return nil, false
}

func (l BodyLimits) read(w http.ResponseWriter, r *http.Request) ([]byte, *Error) {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		w.Header().Set("Accept-Encoding", "identity") // RFC 9110, 15.5.16
		return nil, unsupportedMedia("Send the body without Content-Encoding.")
	}
	limit, internal := l.Public, strings.HasPrefix(r.URL.Path, internalPrefix)
	if internal {
		limit = l.Internal
	}
	body, err := readBody(w, r, limit)
	if err != nil {
		w.Header().Set("Connection", "close") // where the next request starts is unknown
		return nil, BodyProblem(err)
	}
	if !internal && len(body) > 0 && isJSON(r.Header.Get("Content-Type")) {
		return body, scanJSON(body, l.Depth)
	}
	return body, nil
}

// readBody trusts a declared length with 16 KiB of memory only: a connection that declares much and sends nothing must cost little.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	if body, ok := WholeBody(r); ok {
		return body, nil
	}
	if r.ContentLength >= 0 && r.ContentLength <= 16<<10 {
		body := make([]byte, r.ContentLength)
		_, err := io.ReadFull(r.Body, body)
		return body, err
	}
	var body bytes.Buffer
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, limit))
	if err == nil && r.ContentLength >= 0 && int64(body.Len()) != r.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	return body.Bytes(), err
}

// BodyProblem tells the ends of a body that could not be read apart.
func BodyProblem(err error) *Error {
	var tooLarge *http.MaxBytesError
	var timeout net.Error
	switch {
	case errors.As(err, &tooLarge):
		return &Error{Status: http.StatusRequestEntityTooLarge, Code: CodeBodyTooLarge, Title: "Body too large",
			Detail: fmt.Sprintf("The body may have %d bytes at most.", tooLarge.Limit)}
	case errors.As(err, &timeout) && timeout.Timeout():
		return &Error{Status: http.StatusRequestTimeout, Code: CodeRequestTimeout, Title: "Request timeout",
			Detail: "The body did not arrive in time."}
	default:
		return &Error{Status: http.StatusBadRequest, Code: CodeBodyIncomplete, Title: "Body incomplete",
			Detail: "The body ended early or its framing is broken; nothing was done."}
	}
}

func unsupportedMedia(detail string) *Error {
	return &Error{Status: http.StatusUnsupportedMediaType, Code: CodeUnsupportedMediaType, Title: "Unsupported media type", Detail: detail}
}

func isJSON(contentType string) bool {
	if contentType == "application/json" { // spares the parser on the hot path
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return false
	}
	return media == "application/json" || strings.HasSuffix(media, "+json")
}
