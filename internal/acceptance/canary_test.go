package acceptance_test

import (
	"encoding/base64"
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// canaries are personal data and secrets that occur nowhere else: where one is found, it leaked.
var canaries = map[string]string{
	"name":            "Zuleica Quaresma Canarinho",
	"e-mail":          "zuleica.canarinho@sigilo.example",
	"CPF":             "390.533.447-05",
	"CPF in digits":   "39053344705",
	"phone":           "+55 (11) 98765-4329",
	"phone in digits": "5511987654329",
	"card":            "4539 1488 0343 6467",
	"card in digits":  "4539148803436467",
	"card with CVV":   "5555341244441115/737",
	"street":          "Travessa dos Canarinhos Perdidos",
	"recipient":       "Eustaquio Quaresma Canarinho",
	"note":            "alergia-a-canarinhos",
	"metadata's name": "apelido_canarinho",
	"payment token":   "tok_canarinho_7d41e9",
	"idempotency key": "canarinho-idem-5c20b7",
	"cookie":          "sessao-canarinho-91ab",
	"user agent":      "Canarinho-Browser/0.7",
	"password":        "senha-canarinho-3f88",
	"stranger's key":  "vlz_CANARINHO000_" + strings.Repeat("Q", 43),
	"reason":          "canarinho-mudou-de-ideia",
}

// TestCanaries sends personal data through every route in every shape that a client might choose, right and wrong, and then
// looks for it in all that the product writes besides its databases and the answers that succeeded.
func TestCanaries(t *testing.T) {
	t.Parallel()
	for _, shape := range []shape{shapes[0], shapes[3]} {
		t.Run(shape.name, func(t *testing.T) {
			t.Parallel()
			traces := newCollector(t)
			s := assemble(t, shape, append(hostileLimits, "VELOZ_LOG_LEVEL=debug", "OTEL_TRACES_SAMPLER_ARG=1", "OTEL_EXPORTER_OTLP_ENDPOINT="+traces.server.URL)...)
			admins := make([]string, len(s.programs))
			for i, p := range s.programs {
				admins[i] = freeAddress(t)
				p.Env = append(p.Env, "VELOZ_ADMIN_ADDRESS="+admins[i])
			}
			s.launch(t)
			a := s.api(t, admin)
			problems := a.sendCanaries()
			written := map[string]string{"the problems": problems}
			for i, p := range s.programs {
				written["the metrics of "+p.Name] = fetch(t, "http://"+admins[i]+"/metrics")
			}
			s.stop(t) // which sends the last traces
			for _, p := range s.programs {
				written["the log of "+p.Name] = p.Log.String()
			}
			written["the traces"] = traces.text()
			a.wantNoCanaries(written)
		})
	}
}

func (a *api) wantNoCanaries(written map[string]string) {
	secrets := map[string]string{}
	for name, value := range canaries {
		secrets[name] = value
	}
	for name, token := range a.system.tokens {
		secrets["the key "+name] = token
	}
	for where, text := range written {
		for name, value := range secrets {
			for _, form := range forms(value) {
				if found := strings.Index(strings.ToLower(text), strings.ToLower(form)); found >= 0 {
					a.Errorf("the %s is in %s: %s", name, where, text[max(0, found-200):min(len(text), found+200)])
				}
			}
		}
	}
	a.wantKnown(written)
}

// wantKnown looks for what may be there: so the search above reads what the product wrote.
func (a *api) wantKnown(written map[string]string) {
	for where, text := range written {
		known := `"msg":"listening"` // a log
		switch {
		case strings.HasPrefix(where, "the metrics"):
			known = "go_goroutines"
		case where == "the problems":
			known = "urn:veloz:problem:invalid_request"
		case where == "the traces":
			known = "/v1/orders"
		}
		if !strings.Contains(text, known) {
			a.Errorf("%s lack %q in %d bytes: they prove nothing", where, known, len(text))
		}
	}
}

// forms are the ways in which a text could be written down.
func forms(value string) []string {
	return []string{value, url.QueryEscape(value), url.PathEscape(value), hex.EncodeToString([]byte(value)),
		base64.RawStdEncoding.EncodeToString([]byte(value)), base64.RawURLEncoding.EncodeToString([]byte(value))}
}

// sendCanaries returns the bodies and headers of all answers that were problems.
func (a *api) sendCanaries() string {
	sku := a.stocked(100, 1000)
	var problems strings.Builder
	note := func(r response) {
		if r.status >= 500 {
			a.Errorf("%s: %d %s", r.what, r.status, r.body)
		}
		if r.status >= 400 {
			problems.Write(r.body)
			for name, values := range r.header {
				problems.WriteString("\n" + name + ": " + strings.Join(values, ",") + "\n")
			}
		}
	}
	a.canaryOrders(sku, note)
	names := slices.Sorted(maps.Keys(canaries))
	for i, op := range publicOperations(a) {
		for k := range 2 { // in turn, so that each canary comes through several operations
			a.canaryRequests(op, canaries[names[(2*i+k)%len(names)]], note)
		}
	}
	return problems.String()
}

// canaryOrders are orders of a person from beginning to end: paid, declined, refused, canceled, sold out, waiting for Pix.
func (a *api) canaryOrders(sku string, note func(response)) {
	person := object{"name": canaries["name"], "email": canaries["e-mail"], "document": canaries["CPF"]}
	address := object{"recipient": canaries["recipient"], "street": canaries["street"], "number": "17", "complement": canaries["phone"],
		"city": "São Paulo", "state": "SP", "postal_code": "01310-100"}
	personal := func(body object) object {
		body["customer"], body["shipping_address"] = person, address
		body["metadata"] = object{canaries["metadata's name"]: canaries["note"], "phone": canaries["phone"]}
		return body
	}
	headers := []string{"User-Agent", canaries["user agent"], "Cookie", "session=" + canaries["cookie"], "Referer", "https://shop.example/?email=" + canaries["e-mail"],
		"Baggage", "user=" + canaries["cookie"], "X-Forwarded-For", "203.0.113.7"}
	for i, body := range []object{
		card("tok_approved", line{sku, 1}), card("tok_declined", line{sku, 1}), card(canaries["payment token"], line{sku, 1}), card("tok_timeout_approved", line{sku, 1}),
		card("tok_approved", line{sku, 100_000}), card("tok_approved", line{"T-NOT-THERE", 1}), with(card("tok_approved", line{sku, 1}), "expected_total_cents", 1),
		pix(line{sku, 1}),
	} {
		key := append(headers, "Idempotency-Key", canaries["idempotency key"]+string(rune('a'+i)))
		r := a.place(personal(body), key...)
		note(r)
		note(a.place(with(personal(body), "metadata", object{"another": "body"}), key...)) // the key is used up
		if r.status == http.StatusCreated {
			note(a.send(http.MethodPost, "/v1/orders/"+r.order().ID+"/cancel", object{"reason": canaries["reason"]}))
		}
	}
	for name, value := range canaries {
		note(a.place(with(card("tok_approved", line{sku, 1}), "customer", object{"name": value, "email": value + "@sigilo.example", "document": value})))
		note(a.place(with(card(value, line{value, 1}), name, value)))
		note(a.place(with(card("tok_approved", line{sku, 1}), "metadata", object{asName(value): strings.Repeat(value, 30)})))
		note(a.place(with(card("tok_approved", line{sku, 1}), "metadata", object{asName(value): value + "\x00"})))
	}
}

// asName is a value as a member's name. A problem has to tell which member is wrong, so it repeats a name that could be a
// field's; what cannot be one is hidden.
func asName(value string) string {
	if strings.ContainsAny(value, "@ /") || strings.Trim(value, "0123456789") == "" {
		return value
	}
	return "x"
}

// canaryRequests put a value where it does not belong: into the path, the query, each header and the body, cut off or whole.
func (a *api) canaryRequests(op operation, value string, note func(response)) {
	escaped := url.QueryEscape(value)
	note(a.send(op.method, op.request(a).path+"?email="+escaped+"&cursor="+escaped+"&status="+escaped+"&sku="+escaped+"&limit="+escaped+"&password="+escaped, nil))
	note(a.send(op.method, strings.NewReplacer("{order_id}", escaped, "{payment_id}", escaped, "{sku}", escaped, "{txid}", escaped).Replace(op.path), nil))
	for _, name := range []string{"Authorization", "Idempotency-Key", "Prefer", "Content-Type", "Content-Encoding", "Traceparent", "Tracestate", "Origin", "X-Veloz-Caller", "X-Api-Key"} {
		r := op.request(a)
		note(a.send(r.method, r.path, r.body, append(r.headers, name, value)...))
	}
	if op.body == nil {
		return
	}
	for _, body := range []string{`"` + value + `"`, `{"` + asName(value) + `":1}`, `{"` + asName(value) + `":1,"` + asName(value) + `":2}`, `{"reason":"` + value, value, `{"a":` + value + `}`, `{"customer":{"name":["` + value + `"]}}`} {
		r := op.request(a)
		r.body = body
		note(a.do(r))
	}
}

// collector takes traces as an OpenTelemetry collector does, and keeps them as they came.
type collector struct {
	server *httptest.Server
	mu     sync.Mutex
	bodies strings.Builder
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Content-Encoding") != "" {
			t.Errorf("traces that cannot be read: %v, %q", err, r.Header.Get("Content-Encoding"))
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.bodies.Write(body)
	}))
	t.Cleanup(c.server.Close)
	return c
}

func (c *collector) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bodies.String()
}

func fetch(t *testing.T, address string) string {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v", address, response.StatusCode, err)
	}
	return string(text)
}
