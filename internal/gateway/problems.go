package gateway

import (
	"net/http"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// retrySoon is for refusals that pass by themselves within a moment.
const retrySoon = time.Second

const challenge = `Bearer realm="pedidos-veloz"`

var challengeHeader = []string{challenge}

// The gateway's own answers. Their codes are part of the API.
var (
	errNotFound = &httpx.Error{
		Status: http.StatusNotFound, Code: httpx.CodeNotFound, Title: "There is nothing here",
		Detail: "The API is described at /docs and /openapi.json.",
	}
	errMethodNotAllowed = &httpx.Error{
		Status: http.StatusMethodNotAllowed, Code: httpx.CodeMethodNotAllowed, Title: "This path does not know the method",
		Detail: "The Allow header lists the methods.",
	}
	errInvalidPath = &httpx.Error{
		Status: http.StatusBadRequest, Code: "invalid_path", Title: "The path is not in its plain form",
		Detail: "Paths of this API have segments of letters, digits and - . _ ~, not escaped, none of them empty, . or ..",
	}
	errURLTooLong = &httpx.Error{
		Status: http.StatusRequestURITooLong, Code: "uri_too_long", Title: "The URL is too long",
	}
	errBodyTooLarge = &httpx.Error{
		Status: http.StatusRequestEntityTooLarge, Code: httpx.CodeBodyTooLarge, Title: "The body is too large",
	}
	errUnauthenticated = &httpx.Error{
		Status: http.StatusUnauthorized, Code: httpx.CodeUnauthorized, Title: "A valid API key is needed",
		Detail: "Send Authorization: Bearer KEY with a key that is neither revoked nor expired.",
	}
	errRateLimited = &httpx.Error{
		Status: http.StatusTooManyRequests, Code: "rate_limited", Title: "Too many requests", RetryAfter: retrySoon,
	}
	errOverloaded = &httpx.Error{
		Status: http.StatusServiceUnavailable, Code: "overloaded", Title: "More requests than can be served now",
		Detail: "Nothing was done. Send the same request again, with the same Idempotency-Key.", RetryAfter: retrySoon,
	}
	errBackendDown = &httpx.Error{
		Status: http.StatusServiceUnavailable, Code: "backend_down", Title: "The service cannot be reached",
		Detail: "Nothing was done. Send the same request again, with the same Idempotency-Key.", RetryAfter: retrySoon,
	}
	errBackendUnavailable = &httpx.Error{
		Status: http.StatusBadGateway, Code: "backend_unavailable", Title: "The service broke off",
		Detail: "Whether the request took effect is unknown. Send it again, with the same Idempotency-Key.",
	}
	errBackendTimeout = &httpx.Error{
		Status: http.StatusGatewayTimeout, Code: "backend_timeout", Title: "The service did not answer in time",
		Detail: "Whether the request took effect is unknown. Send it again, with the same Idempotency-Key.",
	}
	errInternal = &httpx.Error{
		Status: http.StatusInternalServerError, Code: httpx.CodeInternal, Title: "Something went wrong here",
	}
)

func insufficientScope(need keys.Scope) *httpx.Error {
	return &httpx.Error{
		Status: http.StatusForbidden, Code: "insufficient_scope", Title: "The API key may not do this",
		Detail: "This operation needs the scope " + need.String() + ".",
	}
}
