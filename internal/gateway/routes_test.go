package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/frames"
)

func overwrite(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func contents(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestPathConfusion sends raw request lines, so that no client library repairs them: none may reach a backend.
func TestPathConfusion(t *testing.T) {
	t.Parallel()
	f := start(t)
	admin := f.admin(t)
	server := httptest.NewServer(f.Handler())
	t.Cleanup(server.Close)
	for target, want := range map[string]string{
		"/internal/v1/holds":                         "404",
		"//internal/v1/holds":                        "400",
		"/v1/orders/../internal/v1/holds":            "400",
		"/v1/orders/..":                              "400",
		"/v1/orders/.":                               "400",
		"/v1/orders/%2e%2e/%2e%2e/internal":          "400",
		"/v1/orders/%2E%2E":                          "400",
		"/v1/orders/..%2f..%2finternal%2fv1%2fholds": "400",
		"/v1/orders/a%2Fcancel":                      "400",
		"/v1/orders/a%5C..":                          "400",
		"/v1/orders/%00":                             "400",
		"/v1/orders/a%20b":                           "400",
		"/v1/%6Frders":                               "400",
		"/v1//orders":                                "400",
		"/v1/orders//cancel":                         "400",
		"/v1/orders/":                                "404",
		"/v1/orders/a/cancel/":                       "404",
		"/V1/orders":                                 "404",
		"/v1/ORDERS":                                 "404",
		"/v1/orders;x=1":                             "400",
		"/v1":                                        "404",
		"http://elsewhere/internal/v1/holds":         "404",
		"/v1/orders/a/nothing":                       "404",
		"/docs/../internal/v1/holds":                 "400",
		"/docs/":                                     "404",
		"/health/../v1/orders":                       "400",
		"/v1/orders?x=/../internal":                  "200", // a query is no path
		"/v1/orders/a":                               "200",
	} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			if got := rawGET(t, server.Listener.Addr().String(), target, admin); got != want {
				t.Fatalf("status %s, want %s", got, want)
			}
		})
	}
}

func rawGET(t *testing.T, address, target, token string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	lines := "GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " + token + "\r\n\r\n"
	if _, err := io.WriteString(conn, lines); err != nil {
		t.Fatal(err)
	}
	status, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(status)[1]
}

func FuzzPlainPath(f *testing.F) {
	for _, seed := range []string{"/v1/orders", "/v1/orders/../internal/v1/holds", "//internal", "/%2e%2e/", "/a/."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n")))
		if err != nil || !plainPath(r) {
			return
		}
		path := r.URL.Path
		if r.URL.EscapedPath() != path || strings.Contains(path, "//") || strings.ContainsAny(path, "%\\ ;") {
			t.Fatalf("%q passed as plain", path)
		}
		for segment := range strings.SplitSeq(path, "/") {
			if segment == "." || segment == ".." {
				t.Fatalf("%q passed with a dot segment", path)
			}
		}
	})
}

func TestMethodNotAllowed(t *testing.T) {
	t.Parallel()
	f := start(t)
	for path, allow := range map[string]string{
		"/v1/orders": "GET, POST", "/v1/items/a": "GET, PUT", "/health": "GET, HEAD", "/docs": "GET, HEAD", "/openapi.json": "GET, HEAD",
	} {
		w := f.do(request("DELETE", path, ""))
		wantProblem(t, w, http.StatusMethodNotAllowed, "method_not_allowed")
		if got := w.Header().Get("Allow"); got != allow {
			t.Errorf("%s: Allow %q, want %q", path, got, allow)
		}
	}
}

// TestOpenAPIListsWhatIsServed compares the published document with the table that routes.
func TestOpenAPIListsWhatIsServed(t *testing.T) {
	t.Parallel()
	f := start(t)
	w := f.do(request("GET", "/openapi.json", ""))
	var document struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string
			Security    []map[string][]string
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &document); err != nil || document.OpenAPI != "3.1.0" {
		t.Fatalf("%q: %v", document.OpenAPI, err)
	}
	published := 0
	for _, methods := range document.Paths {
		published += len(methods)
	}
	if published != len(f.operations) || strings.Contains(w.Body.String(), "/internal/") || strings.Contains(w.Body.String(), "HoldBatch") {
		t.Fatalf("%d operations are published, %d are served", published, len(f.operations))
	}
	for _, op := range f.operations {
		said, ok := document.Paths[op.Path][strings.ToLower(op.Method)]
		if !ok || said.OperationID != op.ID {
			t.Errorf("%s is not published", op.ID)
		}
		if op.Public != (len(said.Security) == 0) || !op.Public && said.Security[0]["apiKey"][0] != op.Scope.String() {
			t.Errorf("%s: security %v, want %s", op.ID, said.Security, op.Scope)
		}
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	f := start(t)
	if w := f.do(request("GET", "/", "")); w.Code != http.StatusFound || w.Header().Get("Location") != "/docs" {
		t.Fatalf("/: %d %q", w.Code, w.Header().Get("Location"))
	}
	for _, path := range []string{"/docs", "/docs/init.js", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/favicon-32x32.png", "/openapi.json"} {
		plain := f.do(request("GET", path, ""))
		if plain.Code != http.StatusOK || plain.Body.Len() == 0 || plain.Header().Get("Content-Encoding") != "" {
			t.Fatalf("%s: %d, %d bytes", path, plain.Code, plain.Body.Len())
		}
		r := request("GET", path, "")
		r.Header.Set("Accept-Encoding", "br, gzip")
		zipped := f.do(r)
		back, err := decompress(zipped.Body.Bytes())
		if err != nil || string(back) != plain.Body.String() || zipped.Header().Get("Etag") == plain.Header().Get("Etag") {
			t.Fatalf("%s: the encodings differ (%v) or share an ETag", path, err)
		}
		r.Header.Set("If-None-Match", zipped.Header().Get("Etag"))
		if again := f.do(r); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Fatalf("%s: %d for its own ETag", path, again.Code)
		}
	}
	if policy := f.do(request("GET", "/docs", "")).Header().Get("Content-Security-Policy"); strings.Contains(policy, "script-src 'self' '") || !strings.Contains(policy, "default-src 'none'") {
		t.Fatalf("policy %q", policy)
	}
	if index := f.do(request("GET", "/docs", "")).Body.String(); strings.Contains(index, "<script>") || strings.Contains(index, "://") {
		t.Fatal("the API page has an inline script or leads to another server")
	}
}

// TestPagesAreDecompressedOnce: they are public, and whoever asks for one without gzip must not cost more than it.
func TestPagesAreDecompressedOnce(t *testing.T) {
	t.Parallel()
	compressed, err := compress([]byte("page"))
	if err != nil {
		t.Fatal(err)
	}
	a := newAsset("text/plain", nil, compressed)
	first, err := a.plain()
	if err != nil {
		t.Fatal(err)
	}
	if second, err := a.plain(); err != nil || &first[0] != &second[0] {
		t.Fatalf("decompressed twice: %v", err)
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	for _, hsts := range []bool{false, true} {
		f := start(t, func(c *Config) { c.HSTS = hsts })
		for _, path := range []string{"/health", "/v1/orders", "/nothing", "//"} {
			h := f.do(httptest.NewRequest("GET", "http://x"+path, nil)).Header()
			if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" ||
				!strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") || (h.Get(hstsHeader) != "") != hsts {
				t.Errorf("%s, HSTS %v: %v", path, hsts, h)
			}
		}
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	preflight := func(f *fixture, origin string) http.Header {
		r := request("OPTIONS", "/v1/orders", "")
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("Access-Control-Request-Headers", "authorization,idempotency-key")
		return f.do(r).Header()
	}
	const shop = "https://shop.example.com"
	if h := preflight(start(t), shop); h.Get("Access-Control-Allow-Origin") != "" {
		t.Fatalf("CORS is on by default: %v", h)
	}
	f := start(t, func(c *Config) { c.CORSOrigins = []string{shop} })
	if h := preflight(f, shop); h.Get("Access-Control-Allow-Origin") != shop || h.Get("Access-Control-Allow-Credentials") != "" {
		t.Fatalf("preflight: %v", h)
	}
	if h := preflight(f, "https://evil.example.com"); h.Get("Access-Control-Allow-Origin") != "" {
		t.Fatalf("a stranger's preflight passed: %v", h)
	}
	refused := request("GET", "/v1/orders", "")
	refused.Header.Set("Origin", shop)
	w := f.do(refused)
	wantProblem(t, w, http.StatusUnauthorized, "unauthorized")
	if w.Header().Get("Access-Control-Allow-Origin") != shop {
		t.Fatal("the page cannot read why it was refused")
	}
	if _, err := New(Config{CORSOrigins: []string{"nonsense"}}); err == nil {
		t.Fatal("a broken origin was accepted")
	}
}

// TestAPageReadsTheGatewaysHeaders: a backend names the headers of its own contract, whichever way its answer comes.
func TestAPageReadsTheGatewaysHeaders(t *testing.T) {
	t.Parallel()
	const shop = "https://shop.example.com"
	backend := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Expose-Headers", "Location")
		w.Header().Set("Location", "/v1/orders/1")
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusCreated)
		}
		_, _ = w.Write([]byte("{}"))
	})
	for name, change := range map[string]func(*Config){
		"in the same process": func(c *Config) { c.Orders = Backend{Handler: backend} },
		"one by one":          behind(t, backend),
		"gathered": func(c *Config) {
			behind(t, frames.Handler(backend))(c)
			c.Orders.Frames = true
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, change, func(c *Config) { c.CORSOrigins = []string{shop} })
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- f.Run(ctx) }()
			for _, method := range []string{"GET", "POST"} {
				r := request(method, "/v1/orders", f.admin(t))
				if method == "GET" {
					r.URL.Path += "/1"
				}
				r.Header.Set("Origin", shop)
				h := f.do(r).Header()
				exposed := strings.ToLower(strings.Join(h["Access-Control-Expose-Headers"], " "))
				if len(h["Access-Control-Expose-Headers"]) != 1 || h.Get("Location") == "" {
					t.Errorf("%s: %v", method, h)
				}
				for _, name := range []string{"location", "retry-after", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "x-request-id"} {
					if !strings.Contains(exposed, name) {
						t.Errorf("%s: the page cannot read %s: %s", method, name, exposed)
					}
				}
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}
