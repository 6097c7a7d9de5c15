package acceptance_test

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"go.yaml.in/yaml/v3"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
)

// schema is a JSON Schema of the contracts, with every reference resolved.
type schema = map[string]any

// operation is one of the contracts', read from the files themselves: a route that is added there is attacked here.
type operation struct {
	id, method, path string
	scope            string // empty when it needs no key
	internal         bool
	body             schema // nil when it takes none
	needsBody        bool
	answer           schema // of the first answer that succeeds, nil when that is no JSON
	parameters       []parameter
}

type parameter struct {
	name, in string
	schema   schema
}

// contractOperations are those of all three services, in the order of their ids. They are shared: nobody changes them.
func contractOperations(t testing.TB) []operation {
	t.Helper()
	all, err := readContracts()
	if err != nil || len(all) < 20 {
		t.Fatalf("%d operations are not the contracts: %v", len(all), err)
	}
	return all
}

var readContracts = sync.OnceValues(func() (all []operation, err error) {
	for _, spec := range [][]byte{ordersapi.Spec, paymentsapi.Spec, inventoryapi.Spec} {
		var root map[string]any
		if err := yaml.Unmarshal(spec, &root); err != nil {
			return nil, err
		}
		root, _ = resolved(root, root).(map[string]any)
		for path, item := range root["paths"].(map[string]any) {
			for method, op := range item.(map[string]any) {
				all = append(all, newOperation(strings.ToUpper(method), path, op.(map[string]any)))
			}
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	return all, nil
})

// publicOperations are those that the gateway has to serve.
func publicOperations(t testing.TB) []operation {
	return slices.DeleteFunc(slices.Clone(contractOperations(t)), func(o operation) bool { return o.internal })
}

// resolved is value with what each $ref points to in its place.
func resolved(value any, root map[string]any) any {
	switch v := value.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			return resolved(at(root, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...), root)
		}
		out := make(map[string]any, len(v))
		for name, member := range v {
			out[name] = resolved(member, root)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = resolved(element, root)
		}
		return out
	}
	return value
}

func at(value any, path ...string) any {
	for _, name := range path {
		members, _ := value.(map[string]any)
		value = members[name]
	}
	return value
}

func newOperation(method, path string, raw map[string]any) operation {
	o := operation{method: method, path: path}
	o.id, _ = raw["operationId"].(string)
	o.scope, _ = raw["x-required-scope"].(string)
	o.internal, _ = raw["x-internal"].(bool)
	o.body, _ = at(raw, "requestBody", "content", "application/json", "schema").(schema)
	o.needsBody, _ = at(raw, "requestBody", "required").(bool)
	for _, status := range []string{"200", "201"} {
		if answer, ok := at(raw, "responses", status, "content", "application/json", "schema").(schema); ok && o.answer == nil {
			o.answer = answer
		}
	}
	list, _ := raw["parameters"].([]any)
	for _, p := range list {
		described := p.(map[string]any)
		s, _ := described["schema"].(schema)
		o.parameters = append(o.parameters, parameter{described["name"].(string), described["in"].(string), s})
	}
	return o
}

// request is one that follows the contract, about things that need not be there.
func (o operation) request(t testing.TB) request {
	t.Helper()
	r := request{method: o.method, path: o.path}
	for _, p := range o.parameters {
		switch value, _ := right(t, p.name, p.schema).(string); p.in {
		case "path":
			r.path = strings.ReplaceAll(r.path, "{"+p.name+"}", value)
		case "header":
			if p.name == "Idempotency-Key" {
				r.headers = append(r.headers, p.name, uuid.NewString())
			}
		}
	}
	if o.body != nil {
		r.body = right(t, "", o.body)
	}
	return r
}

// byPattern is a right value of each pattern in the contracts.
var byPattern = map[string]string{
	`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`: "T-GENERATED",
	`^[A-Z]{2}$`:                        "SP",
	`^[0-9]{5}-?[0-9]{3}$`:              "01310-100",
	`^tok_[A-Za-z0-9_]{1,60}$`:          "tok_declined",
	`^[A-Za-z0-9]{26,35}$`:              "abcdefghijklmnopqrstuvwxyz",
	`^[!-~]+$`:                          "generated",
}

// right is a value that the schema accepts, with every property that it knows.
func right(t testing.TB, name string, s schema) any {
	t.Helper()
	if options, ok := s["enum"].([]any); ok {
		return options[0]
	}
	switch s["type"] {
	case "object":
		out := map[string]any{}
		for property, of := range properties(s) {
			out[property] = right(t, property, of)
		}
		return out
	case "array":
		return []any{right(t, name, s["items"].(schema))}
	case "integer":
		return max(1, whole(s["minimum"]))
	case "boolean":
		return true
	case "string":
		return rightText(t, name, s)
	}
	t.Fatalf("%s: no right value of type %v is known: teach this function", name, s["type"])
	return nil
}

func rightText(t testing.TB, name string, s schema) string {
	t.Helper()
	if pattern, ok := s["pattern"].(string); ok {
		value, known := byPattern[pattern]
		if !known {
			t.Fatalf("%s: no right value of %s is known: add one to byPattern", name, pattern)
		}
		return value
	}
	switch s["format"] {
	case "uuid":
		return uuid.NewString()
	case "email":
		return "ana@example.com"
	case "date-time":
		return "2026-11-27T12:00:00Z"
	}
	if name == "document" {
		return "529.982.247-25"
	}
	return "text"
}

func properties(s schema) map[string]schema {
	out := map[string]schema{}
	members, _ := s["properties"].(map[string]any)
	for name, of := range members {
		out[name] = of.(schema)
	}
	return out
}

func whole(value any) int {
	n, _ := value.(int) // YAML's integers; 0 where nothing stands
	return n
}

// breakage is a right value with one thing wrong, and the field that has to be named for it.
type breakage struct {
	field string // a JSON pointer
	value any
}

// removed stands for a member that is not sent.
type removed struct{}

// wrongOfType are values, each wrong wherever its type is.
var wrongOfType = map[string]any{"string": "text", "integer": 1, "number": 1.5, "boolean": true, "null": nil, "array": []any{}, "object": map[string]any{}}

// breakages are all ways in which a value of the schema can be wrong, one at a time.
func breakages(t testing.TB, name, pointer string, s schema) (all []breakage) {
	t.Helper()
	for typ, value := range wrongOfType {
		if typ != s["type"] {
			all = append(all, breakage{pointer, value})
		}
	}
	for _, value := range outside(s) {
		all = append(all, breakage{pointer, value})
	}
	switch s["type"] {
	case "object":
		object := right(t, name, s).(map[string]any)
		for property, of := range properties(s) {
			for _, b := range breakages(t, property, pointer+"/"+property, of) {
				all = append(all, breakage{b.field, changed(object, property, b.value)})
			}
		}
		all = append(all, wrongMembers(pointer, object, s)...)
	case "array":
		for _, b := range breakages(t, name, pointer+"/0", s["items"].(schema)) {
			all = append(all, breakage{b.field, []any{b.value}})
		}
	}
	return all
}

// wrongMembers are members that are missing, unknown, or known in another case only.
func wrongMembers(pointer string, object map[string]any, s schema) (all []breakage) {
	required, _ := s["required"].([]any)
	for _, name := range required {
		all = append(all, breakage{pointer + "/" + name.(string), changed(object, name.(string), removed{})})
	}
	if closed, ok := s["additionalProperties"].(bool); ok && !closed {
		all = append(all, breakage{pointer + "/unlisted", changed(object, "unlisted", 1)}, breakage{pointer + "/__proto__", changed(object, "__proto__", nil)})
		for name := range properties(s) {
			variant := strings.ToUpper(name[:1]) + name[1:]
			all = append(all, breakage{pointer + "/" + variant, changed(object, variant, object[name])})
		}
	}
	if of, ok := s["additionalProperties"].(schema); ok {
		all = append(all, breakage{pointer + "/a", changed(object, "a", 1)}, breakage{pointer + "/a", changed(object, "a", strings.Repeat("x", beyond(of["maxLength"])))})
	}
	return all
}

// beyond is one more than a bound.
func beyond(bound any) int { return whole(bound) + 1 }

// changed is a copy of an object in which one member is another.
func changed(of map[string]any, name string, value any) map[string]any {
	out := maps.Clone(of)
	out[name] = value
	if _, gone := value.(removed); gone {
		delete(out, name)
	}
	return out
}

// outside are values of the right type beyond what the schema allows.
func outside(s schema) (all []any) {
	if s["enum"] != nil {
		return []any{"lost", ""}
	}
	switch s["type"] {
	case "integer":
		all = append(all, hugeNumber("1e999"), hugeNumber("1e-999999"), hugeNumber(strings.Repeat("9", 1000)), hugeNumber("1.0"), hugeNumber("-1e2"))
		for name, beyond := range map[string]int{"minimum": -1, "maximum": 1} {
			if bound, ok := s[name].(int); ok {
				all = append(all, bound+beyond)
			}
		}
	case "string":
		if s["pattern"] != nil || s["format"] != nil {
			all = append(all, "?", "", "\u202e")
		}
		if bound, ok := s["maxLength"].(int); ok {
			all = append(all, strings.Repeat("x", bound+1), strings.Repeat("ã", bound+1))
		}
		if bound := whole(s["minLength"]); bound > 0 {
			all = append(all, strings.Repeat("x", bound-1))
		}
	case "array":
		if bound, ok := s["maxItems"].(int); ok {
			all = append(all, slices.Repeat([]any{nil}, bound+1))
		}
	}
	return all
}

// hugeNumber is sent as it is written, which encoding/json would not do for a number of Go.
type hugeNumber string

// MarshalJSON implements json.Marshaler.
func (n hugeNumber) MarshalJSON() ([]byte, error) { return []byte(n), nil }

// wrongParameters are texts that a parameter's schema refuses, in characters that a URL carries as they are.
func wrongParameters(p parameter) []string {
	switch {
	case p.schema["enum"] != nil:
		return []string{"lost", "PLACED", "placed,placed"}
	case p.schema["type"] == "integer":
		return []string{strconv.Itoa(whole(p.schema["minimum"]) - 1), strconv.Itoa(beyond(p.schema["maximum"])), "ten", "1.5", "1e1", "0x1", "", strings.Repeat("9", 400)}
	case p.schema["type"] == "boolean":
		return []string{"perhaps", "2", ""}
	case p.schema["format"] == "uuid":
		return []string{"17", "00000000-0000-0000-0000-00000000000", "00000000-0000-0000-0000-00000000000g", strings.Repeat("0", 400)}
	case p.schema["format"] == "date-time":
		return []string{"yesterday", "2026-13-01T00:00:00Z", "1"}
	case p.in == "header" && p.schema["pattern"] != nil:
		return []string{"two words", strings.Repeat("x", beyond(p.schema["maxLength"]))}
	case p.schema["pattern"] != nil:
		return []string{"-", strings.Repeat("x", 300)}
	case p.schema["maxLength"] != nil:
		return []string{strings.Repeat("x", beyond(p.schema["maxLength"]))}
	}
	return nil
}

// methods are all of RFC 9110, some that only others serve, and one that nobody does.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace,
	"PROPFIND", "PURGE", "VELOZ"}
