package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// verdicts answers a placement by the first item's SKU.
type verdicts struct{ Service }

// Place implements Service.
func (verdicts) Place(_ context.Context, request orders.PlaceRequest) (orders.Order, error) {
	order := orders.NewOrder(orders.ID{1}, orders.PaymentID{2}, request.Caller, request.Request, time.UnixMicro(1_700_000_000_000_000))
	switch order.Items[0].SKU {
	case "HELD":
		order.Status = orders.Held
	case "NONE":
		order.Status, order.Reason = orders.Rejected, string(orders.ReasonOutOfStock)
		order.Shortages = []orders.Shortage{{SKU: "NONE", Requested: 2, Available: 1}}
	case "FULL":
		return orders.Order{}, orders.ErrOverloaded
	case "LOST":
		return orders.Order{}, errors.New("something broke")
	default:
		order.Status = orders.Confirmed
	}
	return order, nil
}

func placementOf(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/v1/orders", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "key-1")
	return r
}

func bodyOf(sku string) string {
	return `{"customer":{"name":"Ana","email":"ana@example.com"},"items":[{"sku":"` + sku + `","quantity":1}],` +
		`"payment":{"method":"card","token":"tok_approved"},"metadata":{"gift":"ção"}}`
}

// both makes the handler with and without the lane.
func both(t testing.TB) (withLane, generated http.Handler) {
	t.Helper()
	h := &Handler{Config{MaxWait: time.Second, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler)}, verdicts{}}
	contract := httpx.NewContract(ordersapi.Spec)
	server, err := ordersapi.NewServer(h, ordersapi.WithErrorHandler(contract.ErrorHandler))
	if err != nil {
		t.Fatal(err)
	}
	strict := httpx.StrictBody(httpx.BodyLimits{})
	return strict(lane{h, server}), strict(server)
}

// sameAnswer sends two equal requests and compares all that a client sees.
func sameAnswer(t testing.TB, withLane, generated http.Handler, request func() *http.Request) {
	t.Helper()
	got, want := httptest.NewRecorder(), httptest.NewRecorder()
	withLane.ServeHTTP(got, request())
	generated.ServeHTTP(want, request())
	for _, answer := range []*httptest.ResponseRecorder{got, want} {
		answer.Header().Del("Content-Length") // net/http adds it to what the generated server writes
	}
	if got.Code != want.Code || got.Body.String() != want.Body.String() {
		t.Errorf("lane: %d %s\ngenerated: %d %s", got.Code, got.Body, want.Code, want.Body)
	}
	if diff := cmp.Diff(want.Header(), got.Header()); diff != "" {
		t.Errorf("headers (-generated +lane):\n%s", diff)
	}
}

// TestTheLaneAnswersAsTheGeneratedServer whatever comes.
func TestTheLaneAnswersAsTheGeneratedServer(t *testing.T) {
	t.Parallel()
	withLane, generated := both(t)
	for name, change := range map[string]func(*http.Request){
		"plain":             func(*http.Request) {},
		"async":             func(r *http.Request) { r.Header.Set("Prefer", "respond-async") },
		"prefer twice":      func(r *http.Request) { r.Header["Prefer"] = []string{"wait=1", "respond-async"} },
		"long prefer":       func(r *http.Request) { r.Header.Set("Prefer", strings.Repeat("é", 150)) },
		"too long prefer":   func(r *http.Request) { r.Header.Set("Prefer", strings.Repeat("x", 201)) },
		"no key":            func(r *http.Request) { r.Header.Del("Idempotency-Key") },
		"empty key":         func(r *http.Request) { r.Header.Set("Idempotency-Key", "") },
		"key with a blank":  func(r *http.Request) { r.Header.Set("Idempotency-Key", "a b") },
		"long key":          func(r *http.Request) { r.Header.Set("Idempotency-Key", strings.Repeat("k", 255)) },
		"too long key":      func(r *http.Request) { r.Header.Set("Idempotency-Key", strings.Repeat("k", 256)) },
		"two keys":          func(r *http.Request) { r.Header["Idempotency-Key"] = []string{"a", "b"} },
		"type with charset": func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-8") },
		"other type":        func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		"no type":           func(r *http.Request) { r.Header.Del("Content-Type") },
		"other path":        func(r *http.Request) { r.URL.Path = "/v1/orders/" },
		"other method":      func(r *http.Request) { r.Method = http.MethodPut },
	} {
		t.Run(name, func(t *testing.T) {
			for _, sku := range []string{"ONE", "HELD", "NONE", "FULL", "LOST"} {
				sameAnswer(t, withLane, generated, func() *http.Request {
					r := placementOf(bodyOf(sku))
					change(r)
					return r
				})
			}
		})
	}
}

// FuzzLane sends bodies that may be anything.
func FuzzLane(f *testing.F) {
	withLane, generated := both(f)
	for _, seed := range []string{bodyOf("ONE"), bodyOf("NONE"), bodyOf(""), "", "null", "{}", bodyOf("ONE") + "1", `{"customer":{}}`,
		strings.Replace(bodyOf("ONE"), `"quantity":1`, `"quantity":0`, 1), strings.Replace(bodyOf("ONE"), `"gift"`, `"gi\u0000"`, 1)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		sameAnswer(t, withLane, generated, func() *http.Request { return placementOf(body) })
	})
}

// TestTheLaneKnowsEachParameter: one that the contract adds would pass by it.
func TestTheLaneKnowsEachParameter(t *testing.T) {
	t.Parallel()
	if n := reflect.TypeFor[ordersapi.PlaceOrderParams]().NumField(); n != 2 {
		t.Errorf("the contract's placeOrder has %d parameters; placeParams reads 2", n)
	}
}

// TestTheLaneTakesPlacements, so that its comparison with the generated server compares two things.
func TestTheLaneTakesPlacements(t *testing.T) {
	t.Parallel()
	withLane, _ := both(t)
	w := httptest.NewRecorder()
	withLane.ServeHTTP(w, placementOf(bodyOf("ONE")))
	if w.Code != http.StatusCreated || w.Header().Get("Content-Length") == "" {
		t.Errorf("status %d, Content-Length %q", w.Code, w.Header().Get("Content-Length"))
	}
}
