package gateway

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/contract"
	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
)

// TestAuthorizationMatrix tries every route with every kind of key: OWASP API1 and API5, generated from the table.
func TestAuthorizationMatrix(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *Config) { c.AnonymousRateLimit = 100_000 })
	admin := f.admin(t)
	expired := f.key(t, keys.Options{Name: "expired", Scopes: keys.AllScopes(), ExpiresAt: f.clock.Now().Add(time.Minute)})
	revoked := f.key(t, keys.Options{Name: "revoked", Scopes: keys.AllScopes()})
	id, _ := keys.ParseToken(revoked)
	if _, err := keys.Revoke(f.file, id, f.clock.Now()); err != nil {
		t.Fatal(err)
	}
	right := map[keys.Scope]string{}
	wrong := map[keys.Scope]string{}
	for _, scope := range keys.AllScopes() {
		right[scope] = f.key(t, keys.Options{Name: "right", Scopes: []keys.Scope{scope}})
		wrong[scope] = f.key(t, keys.Options{Name: "wrong", Scopes: allBut(scope)})
	}
	f.clock.advance(time.Hour)
	unknown := "vlz_000000000000_" + admin[len(admin)-43:]
	stolenID := admin[:17] + right[keys.OrdersRead][17:]

	if len(f.operations) < 14 {
		t.Fatalf("only %d operations", len(f.operations))
	}
	for _, op := range f.operations {
		for _, try := range []struct {
			name, token string
			want        int
		}{
			{"no key", "", http.StatusUnauthorized},
			{"unknown", unknown, http.StatusUnauthorized},
			{"another's secret", stolenID, http.StatusUnauthorized},
			{"malformed", "vlz_x", http.StatusUnauthorized},
			{"revoked", revoked, http.StatusUnauthorized},
			{"expired", expired, http.StatusUnauthorized},
			{"wrong scope", wrong[op.Scope], http.StatusForbidden},
			{"right scope", right[op.Scope], http.StatusOK},
			{"admin", admin, http.StatusOK},
		} {
			if op.Public {
				try.want = http.StatusOK
			}
			t.Run(op.ID+"/"+try.name, func(t *testing.T) { f.tryOperation(t, op, try.token, try.want) })
		}
	}
}

func (f *fixture) tryOperation(t *testing.T, op contract.Operation, token string, want int) {
	t.Helper()
	w := f.do(request(op.Method, fill(op.Path), token))
	switch want {
	case http.StatusUnauthorized:
		wantProblem(t, w, want, "unauthorized")
		if w.Header().Get("WWW-Authenticate") != challenge || w.Body.String() != f.do(request("GET", "/v1/orders", "")).Body.String() {
			t.Fatal("the answers tell why the key was refused")
		}
	case http.StatusForbidden:
		wantProblem(t, w, want, "insufficient_scope")
	default:
		if got := seen(t, w); got.Service != op.Service.String() || got.Path != fill(op.Path) {
			t.Fatalf("%s %s reached %s %s", op.Method, op.Path, got.Service, got.Path)
		}
	}
}

func allBut(scope keys.Scope) []keys.Scope {
	var others []keys.Scope
	for _, s := range keys.AllScopes() {
		if s != scope && s != keys.Admin {
			others = append(others, s)
		}
	}
	return others
}

func TestInsufficientScopeNamesTheScope(t *testing.T) {
	t.Parallel()
	f := start(t)
	w := f.do(request("POST", "/v1/orders", f.key(t, keys.Options{Name: "reader", Scopes: []keys.Scope{keys.OrdersRead}})))
	wantProblem(t, w, http.StatusForbidden, "insufficient_scope")
	if got, want := w.Header().Get("WWW-Authenticate"), challenge+`, error="insufficient_scope", scope="orders:write"`; got != want {
		t.Fatalf("WWW-Authenticate %q, want %q", got, want)
	}
}

func TestAuthorizationHeaderForms(t *testing.T) {
	t.Parallel()
	f := start(t)
	admin := f.admin(t)
	for value, want := range map[string]int{
		"bearer " + admin:       http.StatusOK,
		"BEARER " + admin:       http.StatusOK,
		"Bearer  " + admin:      http.StatusUnauthorized,
		"Bearer " + admin + " ": http.StatusUnauthorized,
		"Basic " + admin:        http.StatusUnauthorized,
		admin:                   http.StatusUnauthorized,
	} {
		r := request("GET", "/v1/orders", "")
		r.Header.Set("Authorization", value)
		if w := f.do(r); w.Code != want {
			t.Errorf("%q: status %d, want %d", value, w.Code, want)
		}
	}
	twice := request("GET", "/v1/orders", admin)
	twice.Header.Add("Authorization", "Bearer "+admin)
	wantProblem(t, f.do(twice), http.StatusUnauthorized, "unauthorized")
}

func TestIdentityComesFromTheKeyOnly(t *testing.T) {
	t.Parallel()
	f := start(t)
	token := f.key(t, keys.Options{Name: "shop", Scopes: []keys.Scope{keys.OrdersRead, keys.OrdersWrite}})
	id, _ := keys.ParseToken(token)
	r := request("POST", "/v1/orders", token, `{}`)
	for name, value := range map[string]string{
		"X-Veloz-Caller": "root", "X-Veloz-Scopes": "admin", "x-veloz-anything": "1", "X_Veloz_Caller": "root",
		"Cookie": "a=b", "Forwarded": "for=1.2.3.4", "X-Real-Ip": "1.2.3.4", "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Port": "1",
		// Hop by hop: these must neither reach the backend nor take the gateway's own headers with them.
		"Connection": "close, X-Veloz-Caller, x-veloz-scopes, X-Private", "X-Private": "1", "Te": "trailers", "Upgrade": "h2c",
	} {
		r.Header.Add(name, value)
	}
	r.Header.Set("Idempotency-Key", "k1")
	got := seen(t, f.do(r)).Header
	want := map[string]string{
		"X-Veloz-Caller": id, "X-Veloz-Scopes": "orders:write orders:read", "Idempotency-Key": "k1",
		"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "example.com",
	}
	for name, value := range want {
		if len(got[name]) != 1 || got.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, got[name], value)
		}
	}
	for _, name := range []string{
		"Authorization", "X-Veloz-Anything", "X_veloz_caller", "Cookie", "Forwarded", "X-Real-Ip", "X-Forwarded-Port",
		"Connection", "X-Private", "Te", "Upgrade",
	} {
		if got[name] != nil {
			t.Errorf("%s reached the backend: %q", name, got[name])
		}
	}
}

func TestPublicRouteHasNoIdentity(t *testing.T) {
	t.Parallel()
	f := start(t)
	r := request("GET", "/v1/pix/abc/qr.png", "")
	r.Header.Set("X-Veloz-Caller", "root")
	if got := seen(t, f.do(r)).Header; got["X-Veloz-Caller"] != nil || got["X-Veloz-Scopes"] != nil {
		t.Fatalf("a stranger got an identity: %v", got)
	}
}

func TestTraceParent(t *testing.T) {
	t.Parallel()
	f := start(t)
	admin := f.admin(t)
	const valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for value, kept := range map[string]bool{
		valid:               true,
		"01" + valid[2:]:    true,
		valid + "-x":        false,
		"01-" + valid[3:54]: false,
		"ff" + valid[2:]:    false,
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01": false,
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01": false,
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01": false,
		"": false,
	} {
		r := request("GET", "/v1/orders", admin)
		r.Header.Set("Traceparent", value)
		r.Header.Set("Tracestate", "a=b")
		got := seen(t, f.do(r)).Header
		if (got.Get("Traceparent") == value && got.Get("Tracestate") == "a=b") != kept || (got["Traceparent"] != nil) != kept {
			t.Errorf("%q: the backend saw %q, kept should be %v", value, got["Traceparent"], kept)
		}
	}
}

func TestReload(t *testing.T) {
	t.Parallel()
	f := start(t)
	token := f.admin(t)
	if w := f.do(request("GET", "/v1/orders", token)); w.Code != http.StatusOK {
		t.Fatalf("a new key is not in force: %d", w.Code)
	}
	overwrite(t, f.file, `{"keys": [`)
	f.reload(t.Context())
	if w := f.do(request("GET", "/v1/orders", token)); w.Code != http.StatusOK {
		t.Fatalf("a broken file took the keys away: %d", w.Code)
	}
	overwrite(t, f.file, `{"keys": []}`)
	f.reload(t.Context())
	wantProblem(t, f.do(request("GET", "/v1/orders", token)), http.StatusUnauthorized, "unauthorized")
}

func TestKeysMayComeLater(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	path := filepath.Join(t.TempDir(), "later.json")
	f := start(t, func(c *Config) { c.KeysFile, c.Logger = path, slog.New(slog.NewTextHandler(&log, nil)) })
	if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), path) {
		t.Errorf("nothing warns of the missing file: %q", log.String())
	}
	f.file = path
	token, _, err := keys.Create(filepath.Join(t.TempDir(), "elsewhere.json"), keys.Options{Name: "unknown", Scopes: keys.AllScopes()}, testStart)
	if err != nil {
		t.Fatal(err)
	}
	f.reload(t.Context())
	wantProblem(t, f.do(request("GET", "/v1/orders", token)), http.StatusUnauthorized, "unauthorized")
	if w := f.do(request("GET", "/v1/orders", f.admin(t))); w.Code != http.StatusOK {
		t.Errorf("the file appeared and its key is not in force: %d", w.Code)
	}
}

func TestInlineKeys(t *testing.T) {
	t.Parallel()
	var token string
	f := start(t, func(c *Config) {
		file := t.TempDir() + "/keys.json"
		var err error
		if token, _, err = keys.Create(file, keys.Options{Name: "inline", Scopes: keys.AllScopes()}, testStart); err != nil {
			t.Fatal(err)
		}
		c.KeysFile, c.KeysJSON = "", contents(t, file)
	})
	if w := f.do(request("GET", "/v1/items", token)); w.Code != http.StatusOK {
		t.Fatalf("status %d", w.Code)
	}
}

func TestRunReloads(t *testing.T) {
	t.Parallel()
	f := start(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- f.Run(ctx) }()
		token, _, err := keys.Create(f.file, keys.Options{Name: "late", Scopes: keys.AllScopes()}, f.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(reloadEvery + 1) // of the bubble's time
		synctest.Wait()
		if w := f.do(request("GET", "/v1/orders", token)); w.Code != http.StatusOK {
			t.Errorf("a second later the key is not in force: %d", w.Code)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
