package acceptance_test

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// owaspPromises are the OWASP API Security Top 10 of 2023, each as what it means here. SECURITY.md refers to them.
var owaspPromises = []promise{
	{"API1_BrokenObjectLevelAuthorization", objectsOfOthers},
	{"API2_BrokenAuthentication", badKeys},
	{"API3_BrokenObjectPropertyLevelAuthorization", serverOwnedProperties},
	{"API4_UnrestrictedResourceConsumption", consumption},
	{"API5_BrokenFunctionLevelAuthorization", authorizationMatrix},
	{"API6_UnrestrictedAccessToSensitiveBusinessFlows", businessFlows},
	{"API7_ServerSideRequestForgery", forgedRequests},
	{"API8_SecurityMisconfiguration", misconfiguration},
	{"API9_ImproperInventoryManagement", exactlyTheContract},
	{"API10_UnsafeConsumptionOfAPIs", hostilePeers},
}

func TestOWASP(t *testing.T) { in(t, shapes[:2], hostileLimits, owaspPromises) }

// objectsOfOthers: all keys are programs of one merchant, so a scope gives a kind of object and not some of them (ADR 20).
// What stays apart by caller is the idempotency key; what stays apart by object is that no id leads to another one.
func objectsOfOthers(a *api) {
	sku := a.stocked(100, 100)
	b := a.as(other)
	key := rand.Text()
	mine := a.place(card("tok_approved", line{sku, 1}), "Idempotency-Key", key).want(http.StatusCreated).order()
	theirs := b.place(card("tok_approved", line{sku, 1}), "Idempotency-Key", key).want(http.StatusCreated).order()
	if mine.ID == theirs.ID || mine.Payment.ID == theirs.Payment.ID {
		a.Errorf("another caller's Idempotency-Key gave out order %s", mine.ID)
	}
	a.place(card("tok_approved", line{sku, 2}), "Idempotency-Key", key).want(http.StatusUnprocessableEntity)
	third := rand.Text()
	a.place(card("tok_approved", line{sku, 1}), "Idempotency-Key", third).want(http.StatusCreated)
	b.place(card("tok_approved", line{sku, 3}), "Idempotency-Key", third).want(http.StatusCreated) // 422 would tell that somebody used it
	b.get("/v1/payments/" + theirs.Payment.ID).want(http.StatusForbidden)
	b.get("/v1/orders/" + theirs.ID + "/payments").want(http.StatusForbidden)
	a.get("/v1/orders/" + mine.Payment.ID).want(http.StatusNotFound)
	a.get("/v1/payments/" + mine.ID).want(http.StatusNotFound)
	a.get("/v1/orders/" + mine.Payment.ID + "/events").want(http.StatusNotFound)
	for place, c := range mine.ID {
		if c == '-' || place == 14 || place == 19 { // version and variant: another value there is no id
			continue
		}
		neighbour := mine.ID[:place] + string("0123456789abcdef"[(strings.IndexRune("0123456789abcdef", c)+1)%16]) + mine.ID[place+1:]
		if r := a.get("/v1/orders/" + neighbour); r.status != http.StatusNotFound && neighbour != theirs.ID {
			a.Errorf("the id %s leads to %d %s", neighbour, r.status, r.body)
		}
	}
}

func badKeys(a *api) {
	refused := map[string]bool{}
	for name, headers := range a.strangers() {
		r := a.send(http.MethodGet, "/v1/orders", nil, headers...)
		if r.status != http.StatusUnauthorized || r.problem().Code != "unauthorized" || !strings.HasPrefix(r.header.Get("WWW-Authenticate"), "Bearer") {
			a.Errorf("%s: %d %s", name, r.status, r.body)
		}
		refused[string(r.body)] = true
	}
	if len(refused) != 1 {
		a.Errorf("the answers tell why a key was refused: %v", refused)
	}
	for _, query := range []string{"access_token", "api_key", "token", "authorization"} {
		a.send(http.MethodGet, "/v1/orders?"+query+"="+a.token, nil, "Authorization", "").want(http.StatusUnauthorized)
	}
}

// strangers are the headers of those who have no good key.
func (a *api) strangers() map[string][]string {
	bearer := func(token string) []string { return []string{"Authorization", "Bearer " + token} }
	last := "0"
	if strings.HasSuffix(a.token, last) {
		last = "1"
	}
	return map[string][]string{
		"anonymous":               {"Authorization", ""},
		"another scheme":          {"Authorization", "Basic " + a.token},
		"no scheme":               {"Authorization", a.token},
		"malformed":               bearer("nonsense"),
		"too long":                bearer(a.token + a.token),
		"revoked":                 bearer(a.system.tokens[revoked]),
		"expired":                 bearer(a.system.tokens[expired]),
		"one character changed":   bearer(a.token[:len(a.token)-1] + last),
		"an id with no key":       bearer("vlz_000000000000" + a.token[16:]),
		"one's id, one's secret":  bearer(a.token[:17] + a.system.tokens[other][17:]),
		"in a cookie":             {"Authorization", "", "Cookie", "authorization=Bearer " + a.token},
		"in an identity's header": {"Authorization", "", "X-Veloz-Caller", a.system.ids[admin], "X-Veloz-Scopes", "admin"},
	}
}

// serverOwnedProperties: what an answer has and a request must not bring is refused, and answers have what is listed only.
func serverOwnedProperties(a *api) {
	for _, op := range publicOperations(a) {
		if op.body == nil || op.answer == nil {
			continue
		}
		for name, of := range properties(op.answer) {
			if _, both := properties(op.body)[name]; both {
				continue
			}
			r := op.request(a)
			r.body = changed(r.body.(map[string]any), name, right(a, name, of))
			a.refusedFor(a.do(r), name, "/"+name, "invalid_request")
		}
	}
	sku := a.stocked(100, 10)
	id := a.place(pix(line{sku, 1})).want(http.StatusCreated).order().ID
	for _, op := range publicOperations(a) {
		if op.method == http.MethodGet && op.answer != nil {
			path := strings.NewReplacer("{order_id}", id, "{sku}", sku, "{payment_id}", a.onlyPayment(id).ID).Replace(op.path)
			a.onlyListed(path, a.get(path).want(http.StatusOK).object(), op.answer)
		}
	}
}

// onlyListed checks that a value has no member that its schema does not list.
func (a *api) onlyListed(where string, value any, s schema) {
	a.Helper()
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			of, listed := properties(s)[name]
			if _, open := s["additionalProperties"]; !listed && !open {
				a.Errorf("%s/%s is in an answer and not in the contract", where, name)
				continue
			}
			a.onlyListed(where+"/"+name, member, of)
		}
	case []any:
		of, _ := s["items"].(schema)
		for _, element := range v {
			a.onlyListed(where+"/0", element, of)
		}
	}
}

// consumption: one key's flood is its own. Bodies, pages and headers have their own tests in TestHostileInput and
// TestHostileMemory.
func consumption(a *api) {
	slow := a.as(limited)
	answers := flood(func() response { return slow.get("/v1/items?limit=100") })
	for _, r := range answers[http.StatusTooManyRequests] {
		if r.problem().Code != "rate_limited" || r.header.Get("Retry-After") == "" || r.header.Get("RateLimit-Limit") != fmt.Sprint(limitedRate) {
			a.Errorf("%v %s", r.header, r.body)
		}
	}
	if len(answers[http.StatusTooManyRequests]) == 0 || len(answers[http.StatusOK]) < limitedRate {
		a.Errorf("a key of %d requests a second was answered %d times 200 and %d times 429", limitedRate, len(answers[http.StatusOK]), len(answers[http.StatusTooManyRequests]))
	}
	a.get("/v1/items?limit=1").want(http.StatusOK) // the others' limits are their own
}

// flood sends many more requests at once than a limited key may send in the time that they take.
func flood(send func() response) map[int][]response {
	answers := make(chan response, 20*limitedRate)
	for range cap(answers) {
		go func() { answers <- send() }()
	}
	by := map[int][]response{}
	for range cap(answers) {
		r := <-answers
		by[r.status] = append(by[r.status], r)
	}
	return by
}

// authorizationMatrix is every route with every kind of key.
func authorizationMatrix(a *api) {
	for _, op := range publicOperations(a) {
		public := op.scope == ""
		for name, headers := range a.strangers() {
			r := op.request(a)
			answer := a.send(r.method, r.path, r.body, append(r.headers, headers...)...)
			if (answer.status == http.StatusUnauthorized) == public {
				a.Errorf("%s, %s: %d %s", op.id, name, answer.status, answer.body)
			}
		}
		for _, key := range []string{"orders:write", "orders:read", "inventory:write", "inventory:read", "payments:read", "sandbox:write", admin} {
			r := a.as(key).do(op.request(a))
			a.proper(r, op.id+" with "+key)
			switch allowed := public || key == op.scope || key == admin; {
			case allowed && (r.status == http.StatusForbidden || r.status == http.StatusUnauthorized):
				a.Errorf("%s with %s: %d %s", op.id, key, r.status, r.body)
			case !allowed && (r.status != http.StatusForbidden || r.problem().Code != "insufficient_scope"):
				a.Errorf("%s with %s: %d, want 403: %s", op.id, key, r.status, r.body)
			}
		}
	}
}

// businessFlows: what a campaign's bots would do. A key's limit bounds its orders, a line has a largest quantity, a repeated
// purchase is one, a price is never the buyer's, and who buys cannot play who pays.
func businessFlows(a *api) {
	sku := a.stocked(100, 1000)
	buyer := a.as(bot)
	answers := flood(func() response { return buyer.place(pix(line{sku, 1})) })
	placed := len(answers[http.StatusCreated]) + len(answers[http.StatusAccepted]) // the latter on a busy machine
	if placed == 0 || placed+len(answers[http.StatusTooManyRequests]) != 20*limitedRate || placed == 20*limitedRate {
		a.Errorf("a key of %d requests a second placed %d orders at once", limitedRate, placed)
	}
	key := rand.Text()
	ids := map[string]bool{}
	for range 10 {
		ids[a.place(pix(line{sku, 1}), "Idempotency-Key", key).want(http.StatusCreated).order().ID] = true
	}
	if held := a.item(sku).Held; len(ids) != 1 || held != int64(placed+1) {
		a.Errorf("one purchase became %d; %d units are held, want %d", len(ids), held, placed+1)
	}
	a.refusedFor(a.place(pix(line{sku, 100_001})), "too many", "/items/0/quantity", "invalid_request")
	a.place(with(card("tok_approved", line{sku, 1}), "expected_total_cents", 1)).want(http.StatusConflict)
	o := a.place(pix(line{sku, 1})).want(http.StatusCreated).order()
	a.as(other).send(http.MethodPost, "/v1/sandbox/pix/"+o.Payment.Pix.TxID+"/pay", nil).want(http.StatusForbidden)
	if status := a.order(o.ID).Status; status != "awaiting_payment" {
		a.Errorf("the order is %s", status)
	}
}

// forgedRequests offers an address wherever a text is taken: nothing in the product may call it.
func forgedRequests(a *api) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		a.Fatal(err)
	}
	var calls atomic.Int32
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			calls.Add(1)
			_ = conn.Close()
		}
	}()
	host := listener.Addr().String()
	address := "http://" + host + "/latest/meta-data"
	for _, op := range publicOperations(a) {
		a.wantNoAddresses(op.id, op.body)
		r := op.request(a)
		r.body = addressed(r.body, address)
		for _, name := range []string{"Host", "X-Forwarded-Host", "Forwarded", "X-Original-Url", "X-Rewrite-Url", "Referer", "Origin", "Link", "Callback", "X-Callback-Url", "Location", "Via", "Proxy"} {
			r.headers = append(r.headers, name, address)
		}
		a.proper(a.do(r), op.id)
		raw := op.method + " " + address + op.path + " HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
		if status, err := a.wireStatus(raw); status < 400 || status >= 500 {
			a.Errorf("%s to another host: %d %v", op.id, status, err)
		}
	}
	if n := calls.Load(); n != 0 {
		a.Errorf("the product called an address that it was given, %d times", n)
	}
	if conn, err := net.Dial("tcp", host); err != nil || conn.Close() != nil {
		a.Errorf("the trap could not be reached: %v", err)
	}
	_ = listener.Close()
	<-done
	if calls.Load() == 0 {
		a.Error("the trap does not count: this proves nothing")
	}
}

// addressed is a body in which each text that has no shape is an address.
func addressed(body any, address string) any {
	switch v := body.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, member := range v {
			out[name] = addressed(member, address)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = addressed(element, address)
		}
		return out
	case string:
		if v == "text" {
			return address
		}
	}
	return body
}

// wantNoAddresses fails when the contract gets its first address to call: then it needs a guard, and its own test.
func (a *api) wantNoAddresses(where string, s schema) {
	a.Helper()
	format, _ := s["format"].(string)
	if strings.HasPrefix(format, "ur") || format == "hostname" || strings.HasPrefix(format, "ip") {
		a.Errorf("%s takes an address: guard it against forged requests and test that here", where)
	}
	for name, of := range properties(s) {
		if lower := strings.ToLower(name); strings.Contains(lower, "url") || strings.Contains(lower, "callback") || strings.Contains(lower, "webhook") {
			a.Errorf("%s/%s takes an address: guard it against forged requests and test that here", where, name)
		}
		a.wantNoAddresses(where+"/"+name, of)
	}
	if of, ok := s["items"].(schema); ok {
		a.wantNoAddresses(where, of)
	}
}

// misconfiguration looks at answers of every kind for what a hardened server says and does not say.
func misconfiguration(a *api) {
	for _, path := range []string{"/health", "/docs", "/v1/items", "/v1/nothing", "/v1/orders/17", "//", "/v1/items?cursor=!"} {
		r := a.send(http.MethodGet, path, nil, "Origin", "https://evil.example", "Accept", "text/html")
		h := r.header
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
			a.Errorf("%s: %d lacks security headers: %v", path, r.status, h)
		}
		for name := range h {
			if name == "Server" || strings.HasPrefix(name, "X-Powered") || strings.HasPrefix(name, "Access-Control-Allow") || strings.HasPrefix(name, "X-Veloz") || name == "Set-Cookie" {
				a.Errorf("%s answers with %s", path, name)
			}
		}
		text := strings.ToLower(string(r.body))
		for _, inside := range []string{"goroutine", "panic", ".go:", "sqlite", "pgx", "postgres", "select ", "127.0.0.1", "/tmp/"} {
			if r.status >= 400 && strings.Contains(text, inside) {
				a.Errorf("%s tells of its inside (%q): %s", path, inside, r.body)
			}
		}
	}
	preflight := a.send(http.MethodOptions, "/v1/orders", nil, "Origin", "https://evil.example", "Access-Control-Request-Method", "POST", "Authorization", "")
	if preflight.status < 400 || preflight.header.Get("Access-Control-Allow-Origin") != "" {
		a.Errorf("a stranger's page may call: %d %v", preflight.status, preflight.header)
	}
}

// exactlyTheContract asks for each path of the contracts with each method, and for what other products have.
func exactlyTheContract(a *api) {
	allowed := map[string][]string{}
	for _, op := range publicOperations(a) {
		allowed[op.path] = append(allowed[op.path], op.method)
		r := a.do(op.request(a))
		if a.proper(r, op.id); r.status >= 400 && slices.Contains([]string{"not_found", "method_not_allowed", "invalid_request", "invalid_json", "not_implemented"}, r.problem().Code) {
			a.Errorf("%s is listed, and a right request is answered %d %s", op.id, r.status, r.body)
		}
		for _, method := range methods {
			if slices.ContainsFunc(publicOperations(a), func(o operation) bool { return o.path == op.path && o.method == method }) {
				continue
			}
			if r := a.send(method, op.request(a).path, nil); r.status != http.StatusMethodNotAllowed || !strings.Contains(r.header.Get("Allow"), op.method) {
				a.Errorf("%s %s is not listed, and answered %d", method, op.path, r.status)
			}
		}
	}
	for _, op := range contractOperations(a) {
		if op.internal {
			a.refused(a.do(op.request(a)), op.id, "not_found")
		}
	}
	for _, path := range unlisted {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			a.refused(a.send(method, path, nil), path, "not_found", "invalid_path")
		}
	}
}

// unlisted are what attackers look for, the product's own doors of other ports, and near misses of what is listed.
var unlisted = []string{
	"/metrics", "/debug/pprof/", "/debug/pprof/heap", "/debug/vars", "/livez", "/readyz", "/internal/v1/frames", "/internal", "/health/x",
	"/.env", "/.git/config", "/admin", "/admin-key", "/api-keys.json", "/actuator/health", "/graphql", "/swagger.json", "/openapi.yaml", "/docs/index.html",
	"/server-status", "/wp-login.php", "/favicon.ico", "/robots.txt", "/v0/orders", "/v2/orders", "/orders", "/api/v1/orders", "/v1", "/v1/", "/v1/orders/",
	"/v1/keys", "/v1/users", "/v1/payments", "/v1/refunds", "/v1/customers", "/v1/sandbox/pix", "/V1/orders", "/v1/Orders",
}
