package acceptance_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

var accessPromises = []promise{
	{"without a good key there is 401", badKeys},
	{"a key does what its scope says, and no more", scopes},
	{"routes between services are not to be seen", internalRoutes},
	{"headers of identity are the gateway's own", spoofedIdentity},
	{"whoever asks learns how it stands", health},
	{"what is not there is a problem too", nothingThere},
}

func badKeys(a *api) {
	for name, authorization := range map[string]string{
		"none": "", "another scheme": "Basic " + a.token, "nonsense": "Bearer nonsense", "revoked": "Bearer " + a.system.tokens[revoked],
		"expired": "Bearer " + a.system.tokens[expired], "changed": "Bearer " + a.token[:len(a.token)-1] + "-",
	} {
		r := a.send(http.MethodGet, "/v1/orders", nil, "Authorization", authorization)
		if r.status != http.StatusUnauthorized || r.problem().Code != "unauthorized" || !strings.HasPrefix(r.header.Get("WWW-Authenticate"), "Bearer") {
			a.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
}

// operations are all of the public API, with the scope that each needs.
var operations = []struct {
	method, path string
	body         any
	scope        string
}{
	{http.MethodPost, "/v1/orders", "{}", "orders:write"},
	{http.MethodGet, "/v1/orders", nil, "orders:read"},
	{http.MethodGet, "/v1/orders/{id}", nil, "orders:read"},
	{http.MethodPost, "/v1/orders/{id}/cancel", "{}", "orders:write"},
	{http.MethodGet, "/v1/orders/{id}/events", nil, "orders:read"},
	{http.MethodGet, "/v1/orders/{id}/payments", nil, "payments:read"},
	{http.MethodGet, "/v1/payments/{id}", nil, "payments:read"},
	{http.MethodGet, "/v1/items", nil, "inventory:read"},
	{http.MethodPut, "/v1/items/SOME-ITEM", "{}", "inventory:write"},
	{http.MethodGet, "/v1/items/SOME-ITEM", nil, "inventory:read"},
	{http.MethodGet, "/v1/items/SOME-ITEM/movements", nil, "inventory:read"},
	{http.MethodPost, "/v1/stock-adjustments", "{}", "inventory:write"},
	{http.MethodGet, "/v1/audit/orders", nil, admin},
	{http.MethodGet, "/v1/audit/holds", nil, admin},
	{http.MethodGet, "/v1/audit/stock", nil, admin},
	{http.MethodGet, "/v1/audit/charges", nil, admin},
	{http.MethodGet, "/v1/audit/ledger", nil, admin},
	{http.MethodPost, "/v1/sandbox/pix/abcdefghijklmnopqrstuvwxyz/pay", nil, "sandbox:write"},
}

func scopes(a *api) {
	id := uuid.NewString()
	for _, op := range operations {
		path := strings.ReplaceAll(op.path, "{id}", id)
		for _, key := range []string{"orders:write", "orders:read", "inventory:write", "inventory:read", "payments:read", "sandbox:write", admin} {
			r := a.as(key).send(op.method, path, op.body)
			switch allowed := key == op.scope || key == admin; {
			case allowed && (r.status == http.StatusForbidden || r.status == http.StatusUnauthorized || r.status >= 500):
				a.Errorf("%s %s with %s: %d %s", op.method, op.path, key, r.status, r.body)
			case !allowed && (r.status != http.StatusForbidden || r.problem().Code != "insufficient_scope"):
				a.Errorf("%s %s with %s: %d, want 403: %s", op.method, op.path, key, r.status, r.body)
			}
		}
	}
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
	report := a.send(http.MethodGet, "/health/backends", nil, anonymous...).want(http.StatusOK).object()
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
