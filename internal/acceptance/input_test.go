package acceptance_test

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"
)

var inputPromises = []promise{
	{"wrong orders are refused precisely and change nothing", wrongOrders},
	{"control characters are refused in every text", controlCharacters},
	{"wrong items and adjustments are refused precisely", wrongStock},
	{"wrong queries and ids are refused precisely", wrongQueries},
	{"odd bodies are refused", oddBodies},
}

// wrong is a request that must be refused. In it, SKU stands for an item of which there is stock.
type wrong struct {
	body   string
	status int
	code   string
	field  string // empty when no field is to blame
}

// The frame of a right order, of which each case breaks one part.
const (
	ana  = `"customer":{"name":"Ana","email":"ana@example.com"}`
	one  = `"items":[{"sku":"SKU","quantity":1}]`
	paid = `"payment":{"method":"card","token":"tok_approved"}`
)

// withCustomer is an order whose customer has further members.
func withCustomer(members string) string {
	return `{"customer":{"name":"Ana","email":"ana@example.com",` + members + `},` + one + `,` + paid + `}`
}

func withItems(items string) string     { return `{` + ana + `,"items":` + items + `,` + paid + `}` }
func withPayment(payment string) string { return `{` + ana + `,` + one + `,"payment":` + payment + `}` }
func withMore(members string) string {
	return `{` + ana + `,` + one + `,` + paid + `,` + members + `}`
}

var ordersThatAreWrong = []wrong{
	{``, 400, "body_required", ""},
	{`{`, 400, "invalid_json", ""},
	{`{"customer":}`, 400, "invalid_json", ""},
	{`null`, 400, "invalid_request", ""},
	{`[]`, 400, "invalid_request", ""},
	{`"order"`, 400, "invalid_request", ""},
	{withMore(`"a":1`) + ` {}`, 400, "invalid_json", ""},
	{`{` + strings.Repeat(`"a":[`, 50) + strings.Repeat(`]`, 50) + `}`, 400, "invalid_json", ""},
	{withMore(one), 400, "invalid_json", "/items"},
	{withItems(`[{"sku":"SKU","quantity":1,"quantity":2}]`), 400, "invalid_json", "/items/0/quantity"},
	{withMore("\"metadata\":{\"a\":\"\xff\"}"), 400, "invalid_json", "/metadata/a"},
	{withMore(`"colour":"red"`), 400, "invalid_request", "/colour"},
	{withMore(`"Items":[]`), 400, "invalid_request", "/Items"},
	{withItems(`[{"sku":"SKU","quantity":1,"price_cents":1}]`), 400, "invalid_request", "/items/0/price_cents"},
	{`{` + one + `,` + paid + `}`, 400, "invalid_request", "/customer"},
	{`{` + ana + `,` + paid + `}`, 400, "invalid_request", "/items"},
	{`{` + ana + `,` + one + `}`, 400, "invalid_request", "/payment"},
	{withItems(`null`), 400, "invalid_request", "/items"},
	{withItems(`[]`), 400, "invalid_request", "/items"},
	{withItems(`{}`), 400, "invalid_request", "/items"},
	{withItems(`[` + strings.Repeat(`{"sku":"SKU","quantity":1},`, 100) + `{"sku":"SKU","quantity":1}]`), 400, "invalid_request", "/items"},
	{withItems(`[{"sku":"SKU","quantity":0}]`), 400, "invalid_request", "/items/0/quantity"},
	{withItems(`[{"sku":"SKU","quantity":-1}]`), 400, "invalid_request", "/items/0/quantity"},
	{withItems(`[{"sku":"SKU","quantity":"1"}]`), 400, "invalid_request", "/items/0/quantity"},
	{withItems(`[{"sku":"SKU","quantity":1.5}]`), 400, "invalid_request", "/items/0/quantity"},
	{withItems(`[{"sku":"SKU","quantity":100001}]`), 400, "invalid_request", "/items/0/quantity"},
	{withItems(`[{"sku":"SKU","quantity":99999999999999999999}]`), 400, "invalid_request", "/items/0/quantity"},
	{withItems(`[{"sku":"SKU","quantity":1e999999999}]`), 400, "invalid_request", "/items/0/quantity"},
	{withItems(`[{"sku":"SKU"}]`), 400, "invalid_request", "/items/0/quantity"},
	{withItems(`[{"sku":17,"quantity":1}]`), 400, "invalid_request", "/items/0/sku"},
	{withItems(`[{"sku":"two words","quantity":1}]`), 400, "invalid_request", "/items/0/sku"},
	{withItems(`[{"sku":"","quantity":1}]`), 400, "invalid_request", "/items/0/sku"},
	{withItems(`[{"sku":"SKU","quantity":1},{"sku":"T-NOT-THERE","quantity":1}]`), 422, "unknown_sku", "/items/1/sku"},
	{`{"customer":{"email":"ana@example.com"},` + one + `,` + paid + `}`, 400, "invalid_request", "/customer/name"},
	{`{"customer":{"name":"","email":"ana@example.com"},` + one + `,` + paid + `}`, 400, "invalid_request", "/customer/name"},
	{`{"customer":{"name":"` + strings.Repeat("x", 121) + `","email":"ana@example.com"},` + one + `,` + paid + `}`, 400, "invalid_request", "/customer/name"},
	{`{"customer":{"name":"Ana","email":"ana"},` + one + `,` + paid + `}`, 400, "invalid_request", "/customer/email"},
	{withCustomer(`"document":"111.111.111-11"`), 400, "invalid_request", "/customer/document"},
	{withCustomer(`"document":"529.982.247-26"`), 400, "invalid_request", "/customer/document"},
	{withCustomer(`"document":"12.ABC.345/01DE-36"`), 400, "invalid_request", "/customer/document"},
	{withCustomer(`"document":"11.222.333/0001-82"`), 400, "invalid_request", "/customer/document"},
	{withPayment(`{"method":"cash"}`), 400, "invalid_request", "/payment/method"},
	{withPayment(`{"method":"card"}`), 400, "invalid_request", "/payment/token"},
	{withPayment(`{"method":"pix","token":"tok_approved"}`), 400, "invalid_request", "/payment/token"},
	{withPayment(`{"method":"card","token":"4111111111111111"}`), 400, "invalid_request", "/payment/token"},
	{withPayment(`{"method":"card","token":"tok_4111111111111111"}`), 400, "invalid_request", "/payment/token"},
	{withPayment(`{"method":"card","token":"tok_4111_1111_1111_1111"}`), 400, "invalid_request", "/payment/token"},
	{withMore(`"expected_total_cents":-1`), 400, "invalid_request", "/expected_total_cents"},
	{withMore(`"expected_total_cents":9223372036854775808`), 400, "invalid_request", "/expected_total_cents"},
	{withMore(`"metadata":{"a":1}`), 400, "invalid_request", "/metadata/a"},
	{withMore(`"metadata":{"card":"4111 1111 1111 1111"}`), 400, "invalid_request", "/metadata"},
	{`{"customer":{"name":"4111 1111 1111 1111","email":"ana@example.com"},` + one + `,` + paid + `}`, 400, "invalid_request", "/customer/name"},
	{`{"customer":{"name":"Ana","email":"4111111111111111@example.com"},` + one + `,` + paid + `}`, 400, "invalid_request", "/customer/email"},
	{strings.Replace(withAddress("complement"), "TEXT", "4111-1111-1111-1111", 1), 400, "invalid_request", "/shipping_address/complement"},
	{strings.Replace(withAddress("recipient"), "TEXT", "4111111111111111 12/29", 1), 400, "invalid_request", "/shipping_address/recipient"},
	{withMore(`"shipping_address":{"street":"Rua A"}`), 400, "invalid_request", "/shipping_address/city"},
	{withMore(`"shipping_address":{"street":"Rua A","number":"1","city":"São Paulo","state":"sp","postal_code":"01310-100"}`), 400, "invalid_request", "/shipping_address/state"},
	{withMore(`"shipping_address":{"street":"Rua A","number":"1","city":"São Paulo","state":"SP","postal_code":"1310-100"}`), 400, "invalid_request", "/shipping_address/postal_code"},
}

func wrongOrders(a *api) {
	sku := a.stocked(100, 1000)
	for _, c := range ordersThatAreWrong {
		body := strings.ReplaceAll(c.body, "SKU", sku)
		a.wantRefused(a.place(body), c.code, c.status, c.field, body)
	}
	a.wantNothingOrdered(sku, 1000)
}

func (a *api) wantNothingOrdered(sku string, onHand int64) {
	a.Helper()
	if ids := a.list(url.Values{"sku": {sku}}); len(ids) != 0 {
		a.Errorf("orders were stored: %v", ids)
	}
	if all := a.wantMovementsAgree(sku); len(all) != 1 {
		a.Errorf("stock was moved: %+v", all)
	}
	a.wantStock(sku, onHand, 0)
}

// wantRefused checks that a problem is precise: its status, its code and the field that is to blame.
func (a *api) wantRefused(r response, code string, status int, field, what string) {
	a.Helper()
	what = what[:min(len(what), 300)]
	if r.status != status || r.header.Get("Content-Type") != "application/problem+json" {
		a.Errorf("%q: status %d, want %d: %s", what, r.status, status, r.body[:min(len(r.body), 300)])
		return
	}
	p := r.problem()
	named := field == "" || slices.ContainsFunc(p.Errors, func(e fieldError) bool { return e.Field == field && e.Message != "" })
	if p.Code != code || p.Status != status || !named {
		a.Errorf("%q: %s, want code %s and field %s", what, r.body, code, field)
	}
}

// textFields are all texts of an order that people write, by their pointer.
var textFields = map[string]string{
	"/customer/name":               `{"customer":{"name":"TEXT","email":"ana@example.com"},` + one + `,` + paid + `}`,
	"/customer/email":              `{"customer":{"name":"Ana","email":"aTEXTna@example.com"},` + one + `,` + paid + `}`,
	"/customer/document":           withCustomer(`"document":"529.982.TEXT247-25"`),
	"/payment/token":               withPayment(`{"method":"card","token":"tok_TEXT"}`),
	"/items/0/sku":                 withItems(`[{"sku":"SKUTEXT","quantity":1}]`),
	"/metadata/note":               withMore(`"metadata":{"note":"TEXT"}`),
	"/metadata":                    withMore(`"metadata":{"nTEXTote":"x"}`),
	"/shipping_address/recipient":  withAddress("recipient"),
	"/shipping_address/street":     withAddress("street"),
	"/shipping_address/number":     withAddress("number"),
	"/shipping_address/complement": withAddress("complement"),
	"/shipping_address/district":   withAddress("district"),
	"/shipping_address/city":       withAddress("city"),
}

func withAddress(field string) string {
	address := `"recipient":"Ana","street":"Rua A","number":"1","complement":"fundos","district":"Centro","city":"São Paulo","state":"SP","postal_code":"01310-100"`
	before, value, _ := strings.Cut(address, `"`+field+`":"`)
	_, after, _ := strings.Cut(value, `"`)
	return withMore(`"shipping_address":{` + before + `"` + field + `":"a TEXT b"` + after + `}`)
}

// controls are a NUL, which PostgreSQL cannot store, and those that forge lines in logs and letters.
var controls = []string{`\u0000`, `\u0001`, `\n`, `\u001b[31m`, `\u007f`, `\u0085`}

func controlCharacters(a *api) {
	sku := a.stocked(100, 1000)
	for field, body := range textFields {
		for _, control := range controls {
			text := strings.ReplaceAll(strings.ReplaceAll(body, "TEXT", control), "SKU", sku)
			a.wantRefused(a.place(text), "invalid_request", http.StatusBadRequest, field, text)
		}
	}
	a.wantNothingOrdered(sku, 1000)
	id := a.place(card("tok_approved", line{sku, 1})).want(http.StatusCreated).order().ID
	for _, control := range controls {
		text := `{"sku":"` + sku + `","delta":1,"reason":"a` + control + `b"}`
		a.wantRefused(a.send(http.MethodPost, "/v1/stock-adjustments", text, "Idempotency-Key", rand.Text()), "invalid_request", http.StatusBadRequest, "/reason", text)
		text = `{"name":"a` + control + `b","price_cents":1}`
		a.wantRefused(a.send(http.MethodPut, "/v1/items/"+sku, text), "invalid_request", http.StatusBadRequest, "/name", text)
		text = `{"reason":"a` + control + `b"}`
		a.wantRefused(a.send(http.MethodPost, "/v1/orders/"+id+"/cancel", text), "invalid_request", http.StatusBadRequest, "/reason", text)
	}
	if o := a.order(id); o.Status != "confirmed" {
		a.Errorf("the order is %s", o.Status)
	}
	a.wantStock(sku, 1000, 1)
}

func wrongStock(a *api) {
	sku := a.stocked(100, 1000)
	before := a.item(sku)
	for _, c := range []wrong{
		{`{"sku":"SKU","delta":0,"reason":"x"}`, 400, "invalid_request", "/delta"},
		{`{"sku":"SKU","delta":"1","reason":"x"}`, 400, "invalid_request", "/delta"},
		{`{"sku":"SKU","delta":1000000001,"reason":"x"}`, 400, "invalid_request", "/delta"},
		{`{"sku":"SKU","delta":1e400,"reason":"x"}`, 400, "invalid_request", "/delta"},
		{`{"sku":"SKU","delta":1}`, 400, "invalid_request", "/reason"},
		{`{"sku":"SKU","delta":1,"reason":""}`, 400, "invalid_request", "/reason"},
		{`{"sku":"a b","delta":1,"reason":"x"}`, 400, "invalid_request", "/sku"},
		{`{"sku":"SKU","delta":1,"delta":2,"reason":"x"}`, 400, "invalid_json", "/delta"},
		{`{"sku":"SKU","delta":1,"reason":"x","held":1}`, 400, "invalid_request", "/held"},
		{`{"sku":"SKU","delta":-1001,"reason":"x"}`, 409, "insufficient_stock", ""},
	} {
		body := strings.ReplaceAll(c.body, "SKU", sku)
		a.wantRefused(a.send(http.MethodPost, "/v1/stock-adjustments", body, "Idempotency-Key", rand.Text()), c.code, c.status, c.field, body)
	}
	for _, c := range []wrong{
		{`{"name":"x"}`, 400, "invalid_request", "/price_cents"},
		{`{"name":"x","price_cents":0}`, 400, "invalid_request", "/price_cents"},
		{`{"name":"x","price_cents":100000001}`, 400, "invalid_request", "/price_cents"},
		{`{"name":"x","price_cents":1.01}`, 400, "invalid_request", "/price_cents"},
		{`{"name":"","price_cents":1}`, 400, "invalid_request", "/name"},
		{`{"name":"x","price_cents":1,"low_stock_threshold":-1}`, 400, "invalid_request", "/low_stock_threshold"},
		{`{"name":"x","price_cents":1,"on_hand":5}`, 400, "invalid_request", "/on_hand"},
	} {
		a.wantRefused(a.send(http.MethodPut, "/v1/items/"+sku, c.body), c.code, c.status, c.field, c.body)
	}
	if after := a.item(sku); after != before {
		a.Errorf("the item was %+v and is %+v", before, after)
	}
	if all := a.movements(sku); len(all) != 1 {
		a.Errorf("stock was moved: %+v", all)
	}
}

func wrongQueries(a *api) {
	for path, field := range map[string]string{
		"/v1/orders?status=lost":             "query.status",
		"/v1/orders?payment_status=lost":     "query.payment_status",
		"/v1/orders?limit=0":                 "query.limit",
		"/v1/orders?limit=101":               "query.limit",
		"/v1/orders?limit=ten":               "query.limit",
		"/v1/orders?limit=99999999999999999": "query.limit",
		"/v1/orders?cursor=nonsense":         "query.cursor",
		"/v1/orders?sku=a%20b":               "query.sku",
		"/v1/orders?created_after=yesterday": "query.created_after",
		"/v1/orders?email=x":                 "query.email",
		"/v1/orders?statu=confirmed":         "query.statu",
		"/v1/orders?limit=10&limit=20":       "query.limit",
		"/v1/orders?ana@example.com":         "query.*",
		"/v1/orders?limit=1;sku=x":           "query",
		"/v1/items?%zz":                      "query",
		"/v1/audit/charges?order=1":          "query.order",
		"/v1/orders?email=a%00b@example.com": "query.email",
		"/v1/orders/17":                      "path.order_id",
		"/v1/orders/17/events":               "path.order_id",
		"/v1/orders/17/payments":             "path.order_id",
		"/v1/payments/17":                    "path.payment_id",
		"/v1/items?limit=0":                  "query.limit",
		"/v1/items?cursor=!":                 "query.cursor",
		"/v1/items?low_stock=perhaps":        "query.low_stock",
		"/v1/items/-x":                       "path.sku",
		"/v1/pix/short/qr.png":               "path.txid",
	} {
		a.wantRefused(a.get(path), "invalid_request", http.StatusBadRequest, field, path)
	}
}

func oddBodies(a *api) {
	sku := a.stocked(100, 10)
	right := strings.ReplaceAll(withMore(`"metadata":{}`), "SKU", sku)
	big := strings.ReplaceAll(withMore(`"metadata":{"a":"`+strings.Repeat("x", 10<<20)+`"}`), "SKU", sku)
	for _, c := range []struct {
		body    string
		headers []string
		status  int
		code    string
	}{
		{big, nil, 413, "body_too_large"},
		{right, []string{"Content-Type", "text/plain"}, 415, "unsupported_media_type"},
		{right, []string{"Content-Type", ""}, 415, "unsupported_media_type"},
		{right, []string{"Content-Encoding", "gzip"}, 415, "unsupported_media_type"},
		{right, []string{"Idempotency-Key", strings.Repeat("k", 256)}, 400, "invalid_request"},
		{right, []string{"Idempotency-Key", "two words"}, 400, "invalid_request"},
	} {
		r, err := a.try(a.Context(), a.system.client, request{http.MethodPost, "/v1/orders", c.body, append([]string{"Idempotency-Key", rand.Text()}, c.headers...)})
		if err != nil {
			a.Errorf("%v: %v", c.headers, err)
			continue
		}
		a.wantRefused(r, c.code, c.status, "", strings.Join(c.headers, " "))
	}
	a.wantNothingOrdered(sku, 10)
	a.cancel(uuid.NewString()).want(http.StatusNotFound)
}
