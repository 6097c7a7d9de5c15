package contract

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

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
	for kind, want := range map[string]string{"responses": "PaymentsR R", "schemas": "PaymentsS S Same", "securitySchemes": "apiKey"} {
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
