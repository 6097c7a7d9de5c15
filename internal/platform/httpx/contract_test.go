package httpx_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/ogen-go/ogen/middleware"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// orders accepts every order that the contract lets through.
type orders struct{ ordersapi.Handler }

func (orders) PlaceOrder(context.Context, *ordersapi.NewOrder, ordersapi.PlaceOrderParams) (ordersapi.PlaceOrderRes, error) {
	return nil, &ordersapi.ProblemStatusCodeWithHeaders{StatusCode: http.StatusTeapot}
}

func (orders) NewError(context.Context, error) *ordersapi.ProblemStatusCodeWithHeaders {
	return &ordersapi.ProblemStatusCodeWithHeaders{StatusCode: http.StatusInternalServerError}
}

func ordersHandler(t testing.TB) http.Handler {
	t.Helper()
	server, err := ordersapi.NewServer(orders{},
		ordersapi.WithErrorHandler(httpx.NewContract(ordersapi.Spec).ErrorHandler),
		ordersapi.WithNotFound(httpx.NotFound),
		ordersapi.WithMethodNotAllowed(httpx.MethodNotAllowed))
	if err != nil {
		t.Fatal(err)
	}
	return httpx.StrictBody(httpx.BodyLimits{})(server)
}

type problem struct {
	Type, Title, Code, Detail string
	Status                    int
	Errors                    []httpx.FieldError
}

func post(body string, change ...func(*http.Request)) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/v1/orders", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "k1")
	for _, c := range change {
		c(r)
	}
	return r
}

func answer(t *testing.T, h http.Handler, r *http.Request) (problem, *httptest.ResponseRecorder) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var p problem
	if got := w.Header().Get("Content-Type"); got != httpx.ProblemType {
		t.Fatalf("status %d of type %q: %s", w.Code, got, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	if p.Status != w.Code {
		t.Errorf("status %d in the body, %d on the wire", p.Status, w.Code)
	}
	return p, w
}

const validOrder = `{"customer":{"name":"Ana","email":"ana@example.com"},"items":[{"sku":"A-1","quantity":2}],"payment":{"method":"card","token":"tok_approved"}}`

func TestContractsCompile(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string][]byte{"orders": ordersapi.Spec, "payments": paymentsapi.Spec, "inventory": inventoryapi.Spec} {
		if err := httpx.NewContract(spec).Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadBodiesNameTheField(t *testing.T) {
	t.Parallel()
	h := ordersHandler(t)
	item := func(s string) string { return strings.Replace(validOrder, `{"sku":"A-1","quantity":2}`, s, 1) }
	for _, test := range []struct{ name, body, want string }{
		{"not in the schema", item(`{"sku":"A-1","quantiy":2}`), "/items/0/quantity is required; /items/0/quantiy is not a known field; did you mean quantity?"},
		{"second item", item(`{"sku":"A","quantity":1},{"sku":"B","quantity":0}`), "/items/1/quantity must be at least 1"},
		{"string for integer", item(`{"sku":"A","quantity":"2"}`), "/items/0/quantity must be an integer, not a string"},
		{"fraction", item(`{"sku":"A","quantity":1.5}`), "/items/0/quantity must be an integer, not a number"},
		{"integer with fraction", item(`{"sku":"A","quantity":1.0}`), "/items/0/quantity must be an integer, not a number"},
		{"integer with exponent", item(`{"sku":"A","quantity":1e2}`), "/items/0/quantity must be an integer, not a number"},
		{"huge", item(`{"sku":"A","quantity":99999999999999999999}`), "/items/0/quantity must be at most 100000"},
		{"huge exponent", item(`{"sku":"A","quantity":1e999}`), "/items/0/quantity is out of range"},
		{"hostile exponent", item(`{"sku":"A","quantity":1e99999999}`), "/items/0/quantity is out of range"},
		{"empty items", item(``), "/items must have at least 1 element"},
		{"null", item(`null`), "/items/0 must be an object, not null"},
		{"enum", strings.Replace(validOrder, `"card"`, `"boleto"`, 1), "/payment/method must be one of card, pix"},
		{"email", strings.Replace(validOrder, `ana@example.com`, `nobody`, 1), "/customer/email must be an e-mail address"},
		{"pattern", item(`{"sku":"a b","quantity":1}`), "/items/0/sku must match the pattern ^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"},
		{"array for object", `[]`, " must be an object, not an array"},
		{"many", `{}`, "/customer is required; /items is required; /payment is required"},
		{"card number as a name", strings.Replace(validOrder, `"token"`, `"4111111111111111"`, 1), "/payment/* is not a known field; known are method, token"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p, _ := answer(t, h, post(test.body))
			if p.Code != httpx.CodeInvalidRequest || p.Status != http.StatusBadRequest || p.Type != "urn:veloz:problem:invalid_request" {
				t.Errorf("got %+v", p)
			}
			want := strings.Split(test.want, "; /")
			if len(want) != len(p.Errors) {
				t.Fatalf("got %q, want %q", p.Errors, test.want)
			}
			for _, e := range p.Errors {
				if !slices.Contains(want, e.Field+" "+e.Message) && !slices.Contains(want, strings.TrimPrefix(e.Field, "/")+" "+e.Message) {
					t.Errorf("got %q, want %q", e, test.want)
				}
			}
		})
	}
}

func TestErrorsAreBoundedAndSilentAboutValues(t *testing.T) {
	t.Parallel()
	secret := "4111111111111111"
	items := strings.TrimSuffix(strings.Repeat(`{"sku":"`+secret+` x","quantity":-`+secret+`},`, 90), ",")
	p, w := answer(t, ordersHandler(t), post(`{"customer":{"name":"`+strings.Repeat("x", 121)+`","email":"`+secret+`"},"items":[`+items+`],"payment":{"method":"`+secret+`"}}`))
	if len(p.Errors) != 20 {
		t.Errorf("%d errors", len(p.Errors))
	}
	if strings.Contains(w.Body.String(), secret) {
		t.Errorf("the answer repeats a value: %s", w.Body)
	}
}

// TestHugeBodiesAreRefusedCheaply: before there was a bound, these took between 350,000 and 3,500,000 allocations each.
// It counts those of the whole process, so it runs alone.
func TestHugeBodiesAreRefusedCheaply(t *testing.T) {
	h := ordersHandler(t)
	members := make([]string, 15_000)
	for i := range members {
		members[i] = fmt.Sprintf(`"member_%d":1`, i)
	}
	for name, body := range map[string]string{
		"elements": `{"items":[` + strings.Repeat("{},", 80_000) + "0]}",
		"numbers":  `{"items":[` + strings.Repeat("0,", 100_000) + "0]}",
		"members":  `{"items":[{` + strings.Join(members, ",") + "}]}",
		"metadata": `{"metadata":{` + strings.Join(members, ",") + "}}",
	} {
		allocations := testing.AllocsPerRun(1, func() {
			if p, _ := answer(t, h, post(body)); p.Status != http.StatusBadRequest || len(p.Errors) == 0 {
				t.Errorf("%s: %+v", name, p)
			}
		})
		if allocations > 100_000 {
			t.Errorf("%s: %.0f allocations to refuse it", name, allocations)
		}
	}
}

func TestBadJSONNamesThePlace(t *testing.T) {
	t.Parallel()
	h := ordersHandler(t)
	for _, test := range []struct{ name, body, code, detail, field string }{
		{"cut", `{"customer":`, httpx.CodeInvalidJSON, "the body ends before", "/customer"},
		{"comma", "{\n\"customer\": {},}", httpx.CodeInvalidJSON, "At line 2, column 16 (byte 17)", ""},
		{"duplicate", `{"items":[{"sku":"A","sku":"B"}]}`, httpx.CodeInvalidJSON, "same name", "/items/0/sku"},
		{"trailing", validOrder + `{}`, httpx.CodeInvalidJSON, "second value", ""},
		{"UTF-8", "{\"a\":\"\xff\"}", httpx.CodeInvalidJSON, "invalid UTF-8", "/a"},
		{"deep", strings.Repeat("[", 33) + strings.Repeat("]", 33), httpx.CodeInvalidJSON, "deeper than 32", ""},
		{"blank", " \n", httpx.CodeBodyRequired, "needs a body", ""},
		{"empty", "", httpx.CodeBodyRequired, "needs a body", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p, _ := answer(t, h, post(test.body))
			if p.Status != http.StatusBadRequest || p.Code != test.code || !strings.Contains(p.Detail, test.detail) {
				t.Errorf("got %+v", p)
			}
			if test.field != "" && (len(p.Errors) != 1 || p.Errors[0].Field != test.field) {
				t.Errorf("fields %q, want %s", p.Errors, test.field)
			}
		})
	}
}

func TestOtherRefusals(t *testing.T) {
	t.Parallel()
	h := ordersHandler(t)
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for _, test := range []struct {
		name   string
		r      *http.Request
		status int
		code   string
		field  string
	}{
		{"no key", post(validOrder, func(r *http.Request) { r.Header.Del("Idempotency-Key") }), 400, httpx.CodeIdempotencyKeyRequired, "header.Idempotency-Key"},
		{"bad key", post(validOrder, header("Idempotency-Key", "a b")), 400, httpx.CodeInvalidRequest, "header.Idempotency-Key"},
		{"empty key", post(validOrder, header("Idempotency-Key", "")), 400, httpx.CodeInvalidRequest, "header.Idempotency-Key"},
		{"gzip", post(validOrder, header("Content-Encoding", "gzip")), 415, httpx.CodeUnsupportedMediaType, ""},
		{"form", post(validOrder, header("Content-Type", "application/x-www-form-urlencoded")), 415, httpx.CodeUnsupportedMediaType, ""},
		{"no type", post(validOrder, header("Content-Type", "")), 415, httpx.CodeUnsupportedMediaType, ""},
		{"too large", post(strings.Repeat(" ", 256<<10) + validOrder), 413, httpx.CodeBodyTooLarge, ""},
		{"too large in chunks", post(strings.Repeat(" ", 256<<10)+validOrder, func(r *http.Request) { r.ContentLength = -1 }), 413, httpx.CodeBodyTooLarge, ""},
		{"query", httptest.NewRequest("GET", "/v1/orders?limit=1000", nil), 400, httpx.CodeInvalidRequest, "query.limit"},
		{"query not a number", httptest.NewRequest("GET", "/v1/orders?limit=ten", nil), 400, httpx.CodeInvalidRequest, "query.limit"},
		{"query of many digits", httptest.NewRequest("GET", "/v1/orders?limit=99999999999999999999", nil), 400, httpx.CodeInvalidRequest, "query.limit"},
		{"query enum", httptest.NewRequest("GET", "/v1/orders?status=lost", nil), 400, httpx.CodeInvalidRequest, "query.status"},
		{"path", httptest.NewRequest("GET", "/v1/orders/42", nil), 400, httpx.CodeInvalidRequest, "path.order_id"},
		{"not found", httptest.NewRequest("GET", "/v2", nil), 404, httpx.CodeNotFound, ""},
		{"method", httptest.NewRequest("DELETE", "/v1/orders", nil), 405, httpx.CodeMethodNotAllowed, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p, w := answer(t, h, test.r)
			if p.Status != test.status || p.Code != test.code {
				t.Errorf("got %+v", p)
			}
			if test.field != "" && (len(p.Errors) != 1 || p.Errors[0].Field != test.field) {
				t.Errorf("fields %q, want %s", p.Errors, test.field)
			}
			if test.status == 405 && w.Header().Get("Allow") != "GET, POST" {
				t.Errorf("Allow %q", w.Header().Get("Allow"))
			}
		})
	}
}

func TestAllBadQueryParametersAreTold(t *testing.T) {
	t.Parallel()
	p, _ := answer(t, ordersHandler(t), httptest.NewRequest("GET", "/v1/orders?limit=0&status=lost&statu=placed", nil))
	var fields []string
	for _, e := range p.Errors {
		fields = append(fields, e.Field)
	}
	if want := []string{"query.status", "query.limit", "query.statu"}; !slices.Equal(fields, want) {
		t.Errorf("%q are wrong, want %q", fields, want)
	}
}

func TestAGoodOrderPasses(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{"application/json", "application/json; charset=utf-8"} {
		w := httptest.NewRecorder()
		ordersHandler(t).ServeHTTP(w, post(validOrder, func(r *http.Request) { r.Header.Set("Content-Type", contentType) }))
		if w.Code != http.StatusTeapot {
			t.Errorf("%s: %d: %s", contentType, w.Code, w.Body)
		}
	}
}

// TestFallbackWithoutSchema: even a contract that cannot be read explains a bad request without text of the decoder.
func TestFallbackWithoutSchema(t *testing.T) {
	t.Parallel()
	server, err := ordersapi.NewServer(orders{}, ordersapi.WithErrorHandler(httpx.NewContract([]byte("\t:")).ErrorHandler))
	if err != nil {
		t.Fatal(err)
	}
	for body, field := range map[string]string{
		strings.Replace(validOrder, `:2`, `:0`, 1):   "/items/0/quantity",
		strings.Replace(validOrder, `:2`, `:"2"`, 1): "/items/quantity",
	} {
		p, _ := answer(t, server, post(body))
		if p.Code != httpx.CodeInvalidRequest || len(p.Errors) != 1 || p.Errors[0].Field != field {
			t.Errorf("got %+v, want %s", p, field)
		}
	}
}

// FuzzOrder: whatever the body is, the answer is 4xx or the handler's, and never repeats a long value.
func FuzzOrder(f *testing.F) {
	f.Add(validOrder)
	f.Add(`{"items":[{"sku":"A","sku":"B"}]}`)
	f.Add(`{"items":[{"quantity":1e999}],"payment":{"method":"x"}}`)
	h := ordersHandler(f)
	f.Fuzz(func(t *testing.T, body string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, post(body))
		if w.Code < 400 || w.Code >= 500 {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		if w.Code != http.StatusTeapot && !json.Valid(w.Body.Bytes()) {
			t.Fatalf("not JSON: %s", w.Body)
		}
	})
}

// FuzzEveryOperation: whatever is sent to whichever operation of the three contracts, it reaches the handler or is answered
// as the client's own mistake, and nothing panics.
func FuzzEveryOperation(f *testing.F) {
	servers := everyContract(f)
	for _, seed := range []struct{ method, target, body string }{
		{"POST", "/v1/orders", validOrder}, {"POST", "/v1/orders/01a207be-036a-7060-a95b-3c21eaa7c4f4/cancel", `{"reason":"x"}`},
		{"PUT", "/v1/items/A", `{"name":"x","price_cents":1}`}, {"POST", "/v1/stock-adjustments", `{"sku":"A","delta":1,"reason":"x"}`},
		{"POST", "/internal/v1/holds", `{"holds":[{"order_id":"01a207be-036a-7060-a95b-3c21eaa7c4f4","round":1,"lines":[{"sku":"A","quantity":1}]}]}`},
		{"POST", "/internal/v1/charges", `{"charges":[{"payment_id":"x"}]}`}, {"POST", "/v1/sandbox/pix/abcdefghijklmnopqrstuvwxyz/pay", ``},
		{"GET", "/v1/orders?limit=1&cursor=x&status=placed&created_after=2026-11-27T12:00:00Z", ``}, {"GET", "/v1/items?low_stock=true", ``},
	} {
		f.Add(seed.method, seed.target, seed.body)
	}
	f.Fuzz(func(t *testing.T, method, target, body string) {
		url, err := url.ParseRequestURI(target)
		if err != nil || url.Host != "" || !strings.HasPrefix(target, "/") {
			return
		}
		for _, h := range servers {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
			r.Method, r.URL = method, url
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Idempotency-Key", "k1")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			switch {
			case w.Code == http.StatusTeapot, w.Code == http.StatusNoContent && method == http.MethodOptions:
			case w.Code < 400 || w.Code >= 500 || w.Header().Get("Content-Type") != httpx.ProblemType || !json.Valid(w.Body.Bytes()):
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
		}
	})
}

// everyContract are servers of the three contracts, in which every operation is a teapot.
func everyContract(f *testing.F) (servers []http.Handler) {
	f.Helper()
	add := func(server http.Handler, err error) {
		if err != nil {
			f.Fatal(err)
		}
		servers = append(servers, httpx.StrictBody(httpx.BodyLimits{})(server))
	}
	teapot := func(err error) middleware.Middleware {
		return func(middleware.Request, middleware.Next) (middleware.Response, error) {
			return middleware.Response{}, err
		}
	}
	add(ordersapi.NewServer(nil, ordersapi.WithMiddleware(teapot(&ordersapi.ProblemStatusCodeWithHeaders{StatusCode: http.StatusTeapot})),
		ordersapi.WithErrorHandler(httpx.NewContract(ordersapi.Spec).ErrorHandler), ordersapi.WithNotFound(httpx.NotFound), ordersapi.WithMethodNotAllowed(httpx.MethodNotAllowed)))
	add(paymentsapi.NewServer(nil, paymentsapi.WithMiddleware(teapot(&paymentsapi.ProblemStatusCodeWithHeaders{StatusCode: http.StatusTeapot})),
		paymentsapi.WithErrorHandler(httpx.NewContract(paymentsapi.Spec).ErrorHandler), paymentsapi.WithNotFound(httpx.NotFound), paymentsapi.WithMethodNotAllowed(httpx.MethodNotAllowed)))
	add(inventoryapi.NewServer(nil, inventoryapi.WithMiddleware(teapot(&inventoryapi.ProblemStatusCodeWithHeaders{StatusCode: http.StatusTeapot})),
		inventoryapi.WithErrorHandler(httpx.NewContract(inventoryapi.Spec).ErrorHandler), inventoryapi.WithNotFound(httpx.NotFound), inventoryapi.WithMethodNotAllowed(httpx.MethodNotAllowed)))
	return servers
}
