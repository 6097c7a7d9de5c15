package contract

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
)

const first = `
openapi: 3.1.0
tags: [{name: A}]
paths:
  /v1/a/{id}:
    get:
      operationId: getA
      x-required-scope: orders:read
      responses: {"200": {$ref: "#/components/responses/R"}}
  /internal/v1/a:
    post:
      operationId: hidden
      x-internal: true
      responses: {"200": {$ref: "#/components/responses/Secret"}}
components:
  responses:
    R: {description: r, content: {application/json: {schema: {$ref: "#/components/schemas/S"}}}}
    Secret: {description: secret}
  schemas:
    S: {type: object, properties: {z: {$ref: "#/components/schemas/Same"}, a: {type: string}}}
    Same: {type: integer}
`

// second differs in S, and therefore in R that refers to it, though R's text is the same.
var second = strings.NewReplacer("getA", "getB", "/v1/a", "/v1/b", "orders:read", "inventory:read", "name: A", "name: B",
	"a: {type: string}", "b: {type: string}").Replace(first)

func load(t *testing.T, specs ...string) (*Contract, error) {
	t.Helper()
	var sources []Source
	for i, spec := range specs {
		sources = append(sources, Source{Services()[i], []byte(spec)})
	}
	return Load(sources)
}

func TestMerge(t *testing.T) {
	t.Parallel()
	c, err := load(t, first, second)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Operations) != 2 || c.Operations[0] != (Operation{Orders, "getA", "GET", "/v1/a/{id}", false, keys.OrdersRead}) {
		t.Fatalf("%+v", c.Operations)
	}
	var document struct {
		Paths      map[string]map[string]json.RawMessage
		Components map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(c.OpenAPI, &document); err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]string{"responses": "PaymentsR R", "schemas": "PaymentsS S Same", "securitySchemes": "apiKey",
		"headers": "RateLimit-Limit RateLimit-Remaining RateLimit-Reset X-Request-Id"} {
		if got := names(document.Components[kind]); got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
	if got := string(document.Components["responses"]["PaymentsR"]); !strings.Contains(got, `"#/components/schemas/PaymentsS"`) {
		t.Errorf("the renamed response leads to the wrong schema: %s", got)
	}
	if got := string(document.Paths["/v1/b/{id}"]["get"]); !strings.Contains(got, "PaymentsR") || !strings.Contains(got, `"security":[{"apiKey":["inventory:read"]}]`) {
		t.Errorf("second's operation: %s", got)
	}
	if got := string(document.Components["schemas"]["S"]); strings.Index(got, `"z"`) > strings.Index(got, `"a"`) {
		t.Errorf("the author's order was lost: %s", got)
	}
	if text := string(c.OpenAPI); strings.Contains(text, "internal") || strings.Contains(text, "Secret") {
		t.Error("the document tells of what is internal")
	}
}

// published is the document of the real contracts, with every reference followed.
func published(t *testing.T) map[string]any {
	t.Helper()
	c, err := load(t, string(ordersapi.Spec), string(paymentsapi.Spec), string(inventoryapi.Spec))
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(c.OpenAPI, &document); err != nil {
		t.Fatal(err)
	}
	return document
}

// at walks down a document, and follows each reference on the way.
func at(document map[string]any, path ...string) map[string]any {
	value := document
	for _, name := range path {
		value, _ = value[name].(map[string]any)
		if target, ok := value["$ref"].(string); ok {
			value = at(document, strings.Split(strings.TrimPrefix(target, "#/"), "/")...)
		}
	}
	return value
}

// TestAnswersNameTheGatewaysHeaders: of every operation, and of its problems.
func TestAnswersNameTheGatewaysHeaders(t *testing.T) {
	t.Parallel()
	document := published(t)
	answers, problems := 0, 0
	for path, operations := range at(document, "paths") {
		for method := range operations.(map[string]any) {
			for status := range at(document, "paths", path, method, "responses") {
				want := []string{"X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
				if at(document, "paths", path, method, "responses", status, "content", "application/problem+json") != nil {
					want = append(want, "Retry-After", "WWW-Authenticate")
					problems++
				}
				for _, name := range want {
					header := at(document, "paths", path, method, "responses", status, "headers", name)
					if header["description"] == nil || header["schema"] == nil {
						t.Errorf("%s %s: answer %s does not say what %s is", method, path, status, name)
					}
				}
				answers++
			}
		}
	}
	if problems < 18 || answers < 2*problems {
		t.Errorf("%d answers, %d of them problems, are not the contract", answers, problems)
	}
	if got := at(document, "paths", "/v1/orders", "post", "responses", "201", "headers"); got["Location"] == nil {
		t.Errorf("an answer has lost its own headers: %v", got)
	}
}

// TestExamplesFollowTheContract: the generated types read them, and nothing is left over.
func TestExamplesFollowTheContract(t *testing.T) {
	t.Parallel()
	document := published(t)
	decoded := func(value any, into json.Unmarshaler, out json.Marshaler) {
		t.Helper()
		example, err := json.Marshal(value)
		if err != nil || value == nil {
			t.Fatalf("there is no example: %v", err)
		}
		if err := into.UnmarshalJSON(example); err != nil {
			t.Fatalf("%v: %s", err, example)
		}
		again, err := out.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var got any
		if err := json.Unmarshal(again, &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, value) {
			t.Errorf("example %s\nis read as %s", example, again)
		}
	}
	for name, want := range map[string]ordersapi.OrderStatus{"card": ordersapi.OrderStatusConfirmed, "pix": ordersapi.OrderStatusAwaitingPayment} {
		var order ordersapi.Order
		decoded(at(document, "paths", "/v1/orders", "post", "responses", "201", "content", "application/json", "examples", name)["value"], &order, &order)
		if err := order.Validate(); err != nil || order.Status != want || order.Payment.Pix.Set != (name == "pix") {
			t.Errorf("%s: %+v, %v", name, order, err)
		}
	}
	var problem ordersapi.Problem
	decoded(at(document, "components", "schemas", "Problem")["example"], &problem, &problem)
	var cancellation ordersapi.Cancellation
	decoded(at(document, "components", "schemas", "Cancellation")["example"], &cancellation, &cancellation)
	if err := cancellation.Validate(); err != nil {
		t.Error(err)
	}
}

func names(m map[string]json.RawMessage) string {
	var list []string
	for name := range m {
		list = append(list, name)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for name, specs := range map[string][]string{
		"not YAML":           {"\t{"},
		"nothing said":       {strings.Replace(first, "x-required-scope: orders:read", "x-other: 1", 1)},
		"two things said":    {strings.Replace(first, "x-internal: true", "x-internal: true\n      x-public: true", 1)},
		"unknown scope":      {strings.Replace(first, "orders:read", "orders:reads", 1)},
		"no operationId":     {strings.Replace(first, "operationId: getA", "summary: x", 1)},
		"dangling reference": {strings.Replace(first, "Same: {type: integer}", "Other: {}", 1)},
		"path twice":         {first, first},
		"path-level key":     {strings.Replace(first, "  /v1/a/{id}:\n", "  /v1/a/{id}:\n    parameters: []\n", 1)},
	} {
		if _, err := load(t, specs...); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(first))
	f.Fuzz(func(t *testing.T, spec []byte) {
		if c, err := Load([]Source{{Orders, spec}}); err == nil && !json.Valid(c.OpenAPI) {
			t.Fatalf("%q became %q", spec, c.OpenAPI)
		}
	})
}
