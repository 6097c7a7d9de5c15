package httpapi

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

func TestPrefer(t *testing.T) {
	t.Parallel()
	const most = 10 * time.Second
	for header, want := range map[string]preference{
		"":                        {wait: most},
		"respond-async":           {async: true, wait: most},
		"Respond-Async":           {async: true, wait: most},
		"wait=3":                  {wait: 3 * time.Second},
		`wait="3"`:                {wait: 3 * time.Second},
		"wait=3600":               {wait: most},
		"respond-async, wait=2":   {wait: 2 * time.Second},
		"wait=0":                  {wait: most},
		"wait=-1":                 {wait: most},
		"wait=many":               {wait: most},
		"return=minimal, wait=1 ": {wait: time.Second},
	} {
		if got := parsePrefer(header, most); got != want {
			t.Errorf("%q: %+v, want %+v", header, got, want)
		}
	}
}

func order() *ordersapi.NewOrder {
	return &ordersapi.NewOrder{
		Customer: ordersapi.Customer{Name: "Ana", Email: "ana@example.com"},
		Items:    []ordersapi.NewOrderItem{{Sku: "A", Quantity: 1}},
		Payment:  ordersapi.NewPayment{Method: ordersapi.PaymentMethodCard, Token: ordersapi.NewOptString("tok_approved")},
	}
}

// TestFieldsThatTheSchemaCannotJudge: each bad order names its field, and only that.
func TestFieldsThatTheSchemaCannotJudge(t *testing.T) {
	t.Parallel()
	for field, spoil := range map[string]func(*ordersapi.NewOrder){
		"/customer/document": func(o *ordersapi.NewOrder) { o.Customer.Document = ordersapi.NewOptString("111.111.111-11") },
		"/customer/name":     func(o *ordersapi.NewOrder) { o.Customer.Name = "4111 1111 1111 1111" },
		"/payment/token":     func(o *ordersapi.NewOrder) { o.Payment.Token = ordersapi.OptString{} },
		"/metadata": func(o *ordersapi.NewOrder) {
			o.Metadata = ordersapi.NewOptMetadata(ordersapi.Metadata{"note": "5555-5555-5555-4444"})
		},
	} {
		bad := order()
		spoil(bad)
		_, err := newRequest(bad)
		var problem *httpx.Error
		if !errors.As(err, &problem) || len(problem.Fields) != 1 || problem.Fields[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	pix := order()
	pix.Payment.Method = ordersapi.PaymentMethodPix
	if _, err := newRequest(pix); err == nil {
		t.Error("a Pix with a card's token was taken")
	}
	if _, err := newRequest(order()); err != nil {
		t.Error(err)
	}
}

func TestFingerprintsAndKeys(t *testing.T) {
	t.Parallel()
	fingerprint := func(change func(*ordersapi.NewOrder)) orders.Fingerprint {
		o := order()
		change(o)
		request, err := newRequest(o)
		if err != nil {
			t.Fatal(err)
		}
		return fingerprintOf(request)
	}
	same := func(*ordersapi.NewOrder) {}
	if first, second := fingerprint(same), fingerprint(same); first != second {
		t.Error("one body has two fingerprints")
	}
	if fingerprint(same) == fingerprint(func(o *ordersapi.NewOrder) { o.Items[0].Quantity = 2 }) {
		t.Error("two bodies have one fingerprint")
	}
	if idempotencyKey("ab", "c") == idempotencyKey("a", "bc") {
		t.Error("caller and key run together")
	}
}

// TestEachFieldIsInTheFingerprint: one that was forgotten would let a repeated key answer another order.
func TestEachFieldIsInTheFingerprint(t *testing.T) {
	t.Parallel()
	request := func() *orders.Request {
		return &orders.Request{Items: make([]orders.Item, 1), ShippingAddress: new(orders.Address), ExpectedTotal: new(money.Cents),
			Metadata: map[string]string{"name": "value"}}
	}
	seen := map[orders.Fingerprint]string{fingerprintOf(*request()): "nothing"}
	note := func(change string, r *orders.Request) {
		if before, taken := seen[fingerprintOf(*r)]; taken {
			t.Errorf("changing %s is like changing %s", change, before)
		}
		seen[fingerprintOf(*r)] = change
	}
	for n := 0; ; n++ {
		r, leaf := request(), n
		field := changeLeaf(reflect.ValueOf(r).Elem(), "", &leaf)
		if field == "" {
			break
		}
		if field != ".Items.Name" && field != ".Items.UnitPrice" { // inventory's to say, not the buyer's
			note(field, r)
		}
	}
	for change, spoil := range map[string]func(*orders.Request){
		"no total":         func(r *orders.Request) { r.ExpectedTotal = nil },
		"no address":       func(r *orders.Request) { r.ShippingAddress = nil },
		"no item":          func(r *orders.Request) { r.Items = nil },
		"two items":        func(r *orders.Request) { r.Items = make([]orders.Item, 2) },
		"no metadata":      func(r *orders.Request) { r.Metadata = nil },
		"a metadata value": func(r *orders.Request) { r.Metadata["name"] = "another" },
		"a metadata name":  func(r *orders.Request) { r.Metadata = map[string]string{"another": "value"} },
	} {
		r := request()
		spoil(r)
		note(change, r)
	}
}

// changeLeaf changes the leaf number n of v and returns its name, or "" where there are fewer.
func changeLeaf(v reflect.Value, name string, n *int) string {
	switch v.Kind() {
	case reflect.Struct:
		left := *n
		for i := range v.NumField() {
			if found := changeLeaf(v.Field(i), name+"."+v.Type().Field(i).Name, &left); found != "" {
				return found
			}
		}
		*n = left
		return ""
	case reflect.Pointer:
		return changeLeaf(v.Elem(), name, n)
	case reflect.Slice:
		return changeLeaf(v.Index(0), name, n)
	case reflect.Map:
		return ""
	}
	if *n--; *n >= 0 {
		return ""
	}
	if v.Kind() == reflect.String {
		v.SetString("changed")
	} else {
		v.SetInt(42)
	}
	return name
}

// FuzzCursor: what decodes encodes to itself, and nothing panics.
func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add(encodeCursor(orders.ID{1, 2, 3}))
	f.Add(encodeCursor(orders.ID{1, 2, 3}) + "\n")
	f.Fuzz(func(t *testing.T, cursor string) {
		last, err := decodeCursor(cursor)
		if err == nil && encodeCursor(last) != cursor {
			t.Error(cmp.Diff(cursor, encodeCursor(last)))
		}
	})
}

// FuzzPrefer: whatever a client prefers, it waits no longer than it may, and never less than the second it asks for.
func FuzzPrefer(f *testing.F) {
	for _, seed := range []string{"", "respond-async", "wait=5", `respond-async, wait="1"`, "wait=-1", "wait=99999999999999999999", "WAIT = 3", ",,,=,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		const most = 10 * time.Second
		if p := parsePrefer(header, most); p.wait < time.Second || p.wait > most {
			t.Errorf("%q waits %s", header, p.wait)
		}
	})
}
