package acceptance_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"github.com/google/uuid"
)

var accessPromises = []promise{
	{"routes between services are not to be seen", internalRoutes},
	{"headers of identity are the gateway's own", spoofedIdentity},
	{"whoever asks learns how it stands", health},
	{"what is not there is a problem too", nothingThere},
}

func internalRoutes(a *api) {
	for _, path := range []string{"/internal/v1/holds", "/internal/v1/releases", "/internal/v1/item-lookups", "/internal/v1/charges",
		"/internal/v1/closures", "/internal/v1/notices/ack", "/internal/v1/notices"} {
		for _, method := range []string{http.MethodPost, http.MethodGet} {
			a.send(method, path, "{}").want(http.StatusNotFound)
		}
	}
	for _, path := range []string{"/v1/../internal/v1/holds", "/v1/%2e%2e/internal/v1/holds", "//internal/v1/holds", "/v1/orders/..%2f..%2finternal/v1/holds", "/%69nternal/v1/holds"} {
		a.send(http.MethodPost, path, "{}").want(http.StatusBadRequest, http.StatusNotFound)
	}
}

func spoofedIdentity(a *api) {
	spoofed := []string{"X-Veloz-Caller", a.system.ids[admin], "X-Veloz-Scopes", "admin"}
	r := a.as("orders:read").send(http.MethodPut, "/v1/items/SPOOFED", object{"name": "x", "price_cents": 1}, spoofed...)
	if r.status != http.StatusForbidden {
		a.Errorf("a reader wrote: %d", r.status)
	}
	r = a.send(http.MethodGet, "/v1/orders", nil, append(spoofed, "Authorization", "")...)
	if r.status != http.StatusUnauthorized {
		a.Errorf("nobody read: %d", r.status)
	}
	r = a.send(http.MethodGet, "/v1/orders?limit=1", nil, "Connection", "X-Veloz-Caller, X-Veloz-Scopes")
	r.want(http.StatusOK)
}

func health(a *api) {
	anonymous := []string{"Authorization", ""}
	for _, path := range []string{"/health", "/health/live", "/health/ready", "/docs", "/openapi.json"} {
		a.send(http.MethodGet, path, nil, anonymous...).want(http.StatusOK)
	}
	var report object
	a.eventually(soon, "the backends are up", func() bool { // one that takes a second to say so counts as down
		r := a.send(http.MethodGet, "/health/backends", nil, anonymous...).want(http.StatusOK, http.StatusServiceUnavailable)
		report = r.object()
		return r.status == http.StatusOK
	})
	if backends, ok := report["backends"].(map[string]any); !ok || len(backends) != 3 {
		a.Errorf("the report is %v", report)
	}
}

func nothingThere(a *api) {
	a.get("/v1/nothing").want(http.StatusNotFound)
	a.get("/v1/orders/" + uuid.NewString()).want(http.StatusNotFound)
	a.get("/v1/payments/" + uuid.NewString()).want(http.StatusNotFound)
	a.get("/v1/items/T-" + rand.Text() + "/movements").want(http.StatusNotFound)
	if r := a.send(http.MethodDelete, "/v1/orders", nil).want(http.StatusMethodNotAllowed); r.header.Get("Allow") != "GET, POST" {
		a.Errorf("Allow is %q", r.header.Get("Allow"))
	}
	a.cancel(uuid.NewString()).want(http.StatusNotFound)
	ctx, cancel := context.WithTimeout(a.Context(), time.Minute)
	defer cancel()
	if r, err := a.try(ctx, a.system.client, request{method: http.MethodGet, path: "/v1/orders/" + uuid.NewString(), headers: []string{"Authorization", "Bearer " + a.token, "X-Request-Id", "mine-1"}}); err != nil || r.header.Get("X-Request-Id") == "" {
		a.Errorf("the request id is %q: %v", r.header.Get("X-Request-Id"), err)
	}
}
