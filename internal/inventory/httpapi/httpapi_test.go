package httpapi_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory/httpapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory/sqlite"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// api is the service over HTTP on the embedded engine.
type api struct {
	t      *testing.T
	url    string
	client *inventoryapi.Client
	direct *httpapi.Handler
	store  *sqlite.Store
}

func newAPI(t *testing.T) *api {
	t.Helper()
	path := filepath.Join(t.TempDir(), "inventory.db")
	if _, err := migrate.SQLite(t.Context(), path, sqlite.Migrations()); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	service := inventory.New(store, clock.System{}, id.SystemSource())
	log := slog.New(slog.DiscardHandler)
	handler, err := httpapi.New(service, httpx.BodyLimits{}, log)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client, err := inventoryapi.NewClient(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &api{t: t, url: server.URL, client: client, direct: httpapi.NewHandler(service, log), store: store}
}

// answer is a response, with the parts that tests look at.
type answer struct {
	status int
	header http.Header
	body   string
	fields struct {
		Code       string
		NextCursor string `json:"next_cursor"`
		OnHand     int64  `json:"on_hand"`
		Errors     []httpx.FieldError
		Data       []struct {
			SKU  string
			ID   string
			Kind string
		}
	}
}

func (a *api) send(method, path, body string, headers ...string) answer {
	a.t.Helper()
	request, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	got := answer{status: response.StatusCode, header: response.Header, body: string(raw)}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &got.fields); err != nil {
			a.t.Fatalf("%s %s: %v in %s", method, path, err, raw)
		}
	}
	return got
}

func (a *api) want(got answer, status int, code string) {
	a.t.Helper()
	if got.status != status || got.fields.Code != code {
		a.t.Errorf("answer %d %q; want %d %q\n%s", got.status, got.fields.Code, status, code, got.body)
	}
	if kind := got.header.Get("Content-Type"); code != "" && kind != httpx.ProblemType {
		a.t.Errorf("content type %q of a problem", kind)
	}
}

func (a *api) put(sku string, stock int64) {
	a.t.Helper()
	a.want(a.send("PUT", "/v1/items/"+sku, `{"name":"Item","price_cents":1000}`), 200, "")
	if stock > 0 {
		a.want(a.adjust(fmt.Sprintf(`{"sku":%q,"delta":%d,"reason":"delivery"}`, sku, stock), "stock of "+sku), 201, "")
	}
}

func (a *api) adjust(body, key string) answer {
	a.t.Helper()
	return a.send("POST", "/v1/stock-adjustments", body, "Idempotency-Key", strings.ReplaceAll(key, " ", "-"))
}

func (a *api) hold(sku string, quantity int64) (uuid.UUID, inventoryapi.HoldResult) {
	a.t.Helper()
	order, err := uuid.NewV7()
	if err != nil {
		a.t.Fatal(err)
	}
	results, err := a.client.HoldStock(a.t.Context(), &inventoryapi.HoldBatch{Holds: []inventoryapi.Hold{
		{OrderID: order, Round: 1, Lines: []inventoryapi.HoldLine{{Sku: sku, Quantity: quantity}}},
	}})
	if err != nil {
		a.t.Fatal(err)
	}
	return order, results.Results[0]
}

func wantEqual(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

func TestItems(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.want(a.send("GET", "/v1/items/A-1", ""), 404, "item_not_found")
	a.want(a.send("GET", "/v1/items/A-1/movements", ""), 404, "item_not_found")
	a.put("A-1", 5)
	a.hold("A-1", 2)
	item, err := a.client.GetItem(t.Context(), inventoryapi.GetItemParams{Sku: "A-1"})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, *item, inventoryapi.Item{
		Sku: "A-1", Name: "Item", PriceCents: 1000, OnHand: 5, Held: 2, Available: 3, CreatedAt: item.CreatedAt, UpdatedAt: item.UpdatedAt,
	})
}

func TestItemPages(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.want(a.send("GET", "/v1/items", ""), 200, "")
	for _, sku := range []string{"b", "a", "d", "c"} {
		a.put(sku, 0)
	}
	var skus []string
	pages := 0
	for cursor := ""; pages == 0 || cursor != ""; pages++ {
		path := "/v1/items?limit=2"
		if cursor != "" {
			path += "&cursor=" + cursor
		}
		got := a.send("GET", path, "")
		a.want(got, 200, "")
		for _, item := range got.fields.Data {
			skus = append(skus, item.SKU)
		}
		cursor = got.fields.NextCursor
	}
	wantEqual(t, skus, []string{"a", "b", "c", "d"})
	wantEqual(t, pages, 2) // a page that is exactly full and the last has no cursor
}

func TestLowStock(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.put("plenty", 5)
	a.want(a.send("PUT", "/v1/items/short", `{"name":"Short","price_cents":1,"low_stock_threshold":3}`), 200, "")
	got := a.send("GET", "/v1/items?low_stock=true", "")
	a.want(got, 200, "")
	if len(got.fields.Data) != 1 || got.fields.Data[0].SKU != "short" {
		t.Errorf("low stock: %s", got.body)
	}
}

func TestMovementPages(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.put("a", 5)
	order, held := a.hold("a", 2)
	wantEqual(t, held.Verdict, inventoryapi.HoldResultVerdictHeld)
	err := a.client.ReleaseStock(t.Context(), &inventoryapi.ReleaseBatch{Releases: []inventoryapi.Release{{OrderID: order, Round: 1, Reason: "canceled"}}})
	wantEqual(t, err, nil)
	first := a.send("GET", "/v1/items/a/movements?limit=2", "")
	a.want(first, 200, "")
	second := a.send("GET", "/v1/items/a/movements?limit=2&cursor="+first.fields.NextCursor, "")
	a.want(second, 200, "")
	var kinds []string
	for _, m := range append(first.fields.Data, second.fields.Data...) {
		kinds = append(kinds, m.Kind)
	}
	wantEqual(t, kinds, []string{"release", "hold", "adjustment"})
	wantEqual(t, second.fields.NextCursor, "")
	if !strings.Contains(first.body, order.String()) || strings.Contains(second.body, "order_id") {
		t.Errorf("causes: %s %s", first.body, second.body)
	}
}

func TestAdjustments(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.put("a", 0)
	first := a.adjust(`{"sku":"a","delta":5,"reason":"delivery"}`, "k")
	a.want(first, 201, "")
	again := a.adjust(` { "reason":"delivery", "delta":5, "sku":"a" } `, "k")
	a.want(again, 201, "")
	wantEqual(t, again.body, first.body)
	a.want(a.adjust(`{"sku":"a","delta":6,"reason":"delivery"}`, "k"), 422, "idempotency_key_reused")
	a.want(a.adjust(`{"sku":"a","delta":5,"reason":"delivery."}`, "k"), 422, "idempotency_key_reused")
	a.want(a.adjust(`{"sku":"b","delta":5,"reason":"delivery"}`, "other"), 404, "item_not_found")
	a.hold("a", 4)
	a.want(a.adjust(`{"sku":"a","delta":-2,"reason":"broken"}`, "held"), 409, "insufficient_stock")
	wantEqual(t, a.adjust(`{"sku":"a","delta":-1,"reason":"broken"}`, "free").fields.OnHand, int64(4))
	another := a.send("POST", "/v1/stock-adjustments", `{"sku":"a","delta":7,"reason":"delivery"}`, "Idempotency-Key", "k", httpx.CallerHeader, "somebody")
	a.want(another, 201, "") // a key belongs to its caller
	wantEqual(t, another.fields.OnHand, int64(11))
}

func TestOneKeyFiftyTimesAtOnce(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.put("a", 0)
	bodies := make([]string, 50)
	var wg sync.WaitGroup
	for i := range bodies {
		wg.Go(func() { bodies[i] = a.adjust(`{"sku":"a","delta":5,"reason":"delivery"}`, "k").body })
	}
	wg.Wait()
	for _, body := range bodies {
		wantEqual(t, body, bodies[0])
	}
	wantEqual(t, a.send("GET", "/v1/items/a", "").fields.OnHand, int64(5))
}

func TestStockLimit(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.put("a", 0)
	for i := range 1000 {
		if got := a.adjust(`{"sku":"a","delta":1000000000,"reason":"r"}`, fmt.Sprint(i)); got.status != 201 {
			t.Fatalf("adjustment %d: %s", i, got.body)
		}
	}
	a.want(a.adjust(`{"sku":"a","delta":1,"reason":"r"}`, "last"), 409, "stock_limit")
}

func TestHolds(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.put("a", 3)
	order, held := a.hold("a", 2)
	wantEqual(t, held, inventoryapi.HoldResult{
		Verdict: inventoryapi.HoldResultVerdictHeld, TotalCents: inventoryapi.NewOptInt64(2000),
		Lines: []inventoryapi.PricedLine{{Sku: "a", Name: "Item", Quantity: 2, UnitPriceCents: 1000}},
	})
	_, short := a.hold("a", 2)
	wantEqual(t, short, inventoryapi.HoldResult{
		Verdict: inventoryapi.HoldResultVerdictOutOfStock, Shortages: []inventoryapi.Shortage{{Sku: "a", Requested: 2, Available: 1}},
	})
	_, unknown := a.hold("none", 1)
	wantEqual(t, unknown.Verdict, inventoryapi.HoldResultVerdictUnknownSku)
	wrong := inventoryapi.Hold{OrderID: uuid.New(), Round: 1, ExpectedTotalCents: inventoryapi.NewOptInt64(999), Lines: []inventoryapi.HoldLine{{Sku: "a", Quantity: 1}}}
	repeat := inventoryapi.Hold{OrderID: order, Round: 1, Lines: []inventoryapi.HoldLine{{Sku: "a", Quantity: 2}}}
	results, err := a.direct.HoldStock(t.Context(), &inventoryapi.HoldBatch{Holds: []inventoryapi.Hold{wrong, repeat}})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, results.Results[0].Verdict, inventoryapi.HoldResultVerdictPriceChanged)
	wantEqual(t, results.Results[0].TotalCents, inventoryapi.NewOptInt64(1000))
	wantEqual(t, results.Results[1], held)
}

func TestLookups(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.put("b", 0)
	a.put("a", 0)
	found, err := a.client.LookupItems(t.Context(), &inventoryapi.SKUBatch{Skus: []string{"b", "none", "a"}})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, found.Skus, []string{"a", "b"})
}

func TestWrongInput(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.put("a", 5)
	const item, adjustments = "/v1/items/a", "/v1/stock-adjustments"
	for _, test := range []struct{ method, path, body, field string }{
		{"PUT", item, `{"name":"","price_cents":1}`, "/name"},
		{"PUT", item, `{"name":"x\u0000","price_cents":1}`, "/name"},
		{"PUT", item, "{\"name\":\"x\xff\",\"price_cents\":1}", ""},
		{"PUT", item, `{"name":"x","price_cents":0}`, "/price_cents"},
		{"PUT", item, `{"name":"x","price_cents":1.5}`, "/price_cents"},
		{"PUT", item, `{"name":"x","price_cents":"1"}`, "/price_cents"},
		{"PUT", item, `{"name":"x","price_cents":99999999999999999999}`, "/price_cents"},
		{"PUT", item, `{"name":"x"}`, "/price_cents"},
		{"PUT", item, `{"name":"x","price_cents":1,"on_hand":5}`, "/on_hand"},
		{"PUT", "/v1/items/-a", `{"name":"x","price_cents":1}`, "path.sku"},
		{"GET", "/v1/items/" + strings.Repeat("a", 65), "", "path.sku"},
		{"GET", "/v1/items?limit=0", "", "query.limit"},
		{"GET", "/v1/items?limit=101", "", "query.limit"},
		{"GET", "/v1/items?limit=x", "", "query.limit"},
		{"GET", "/v1/items?low_stock=maybe", "", "query.low_stock"},
		{"GET", "/v1/items?cursor=%25", "", "query.cursor"},
		{"GET", "/v1/items?cursor=AAAA", "", "query.cursor"},
		{"GET", item + "/movements?cursor=YQ", "", "query.cursor"},
		{"GET", item + "/movements?cursor=" + strings.Repeat("A", 22), "", "query.cursor"},
		{"POST", adjustments, `{"sku":"a","delta":0,"reason":"r"}`, "/delta"},
		{"POST", adjustments, `{"sku":"a","delta":1000000001,"reason":"r"}`, "/delta"},
		{"POST", adjustments, `{"sku":"a","delta":1,"reason":"\u0000"}`, "/reason"},
		{"POST", adjustments, `{"sku":"a b","delta":1,"reason":"r"}`, "/sku"},
		{"POST", adjustments, `{"sku":"a","delta":1}`, "/reason"},
		{"POST", "/internal/v1/holds", `{"holds":[]}`, "/holds"},
		{"POST", "/internal/v1/holds", `{"holds":[{"order_id":"0199f0a0-0000-7000-8000-000000000000","round":1,"lines":[{"sku":"a","quantity":0}]}]}`, "/holds/0/lines/0/quantity"},
		{"POST", "/internal/v1/holds", `{"holds":[{"order_id":"0199f0a0-0000-7000-8000-000000000000","round":1,"lines":[{"sku":"a","quantity":1}]},
			{"order_id":"00000000-0000-0000-0000-000000000000","round":1,"lines":[{"sku":"a","quantity":1}]}]}`, "/holds/1/order_id"},
		{"POST", "/internal/v1/releases", `{"releases":[{"order_id":"00000000-0000-0000-0000-000000000000","round":1,"reason":"r"}]}`, "/releases/0/order_id"},
	} {
		got := a.send(test.method, test.path, test.body, "Idempotency-Key", "k")
		if got.status != 400 || len(got.fields.Errors) == 0 && test.field != "" || test.field != "" && got.fields.Errors[0].Field != test.field {
			t.Errorf("%s %s %s: %d %s; want 400 that names %s", test.method, test.path, test.body, got.status, got.body, test.field)
		}
	}
	a.want(a.send("POST", adjustments, `{"sku":"a","delta":1,"reason":"r"}`), 400, "idempotency_key_required")
	a.want(a.send("POST", adjustments, `{"sku":"a","sku":"a","delta":1,"reason":"r"}`, "Idempotency-Key", "k"), 400, "invalid_json")
	a.want(a.send("PUT", item, `{"name":`), 400, "invalid_json")
	a.want(a.send("PUT", item, strings.Repeat(" ", 10<<20)), 413, "body_too_large")
	a.want(a.send("GET", "/v1/nothing", ""), 404, "not_found")
	a.want(a.send("DELETE", item, ""), 405, "method_not_allowed")
	wantEqual(t, a.send("GET", item, "").fields.OnHand, int64(5))
}

func TestUnavailable(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	if err := a.store.Close(); err != nil {
		t.Fatal(err)
	}
	got := a.send("GET", "/v1/items/a", "")
	if got.status < 500 || strings.Contains(got.body, "closed") {
		t.Errorf("answer %d %s", got.status, got.body)
	}
}
