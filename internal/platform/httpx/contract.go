package httpx

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// contractURL names the document inside the schema compiler; it is never fetched.
const contractURL = "https://veloz.invalid/openapi.json"

// Contract explains bad requests by the OpenAPI document that the server was generated from. The generated decoder stops
// at its first error and knows no array indices, so the error path, and only it, validates against the schemas again.
// Everything is parsed at first need. A Contract is safe for concurrent use.
type Contract struct {
	spec []byte
	load func() (*document, error)
}

// NewContract makes a Contract of an OpenAPI 3.1 document in YAML or JSON, such as ordersapi.Spec.
func NewContract(spec []byte) *Contract {
	c := &Contract{spec: spec}
	c.load = sync.OnceValues(c.parse)
	return c
}

// Check compiles every operation, for a test: a request never sees an error of the contract itself.
func (c *Contract) Check() error {
	doc, err := c.load()
	if err != nil {
		return err
	}
	for id := range doc.operations {
		if _, err := doc.compile(id); err != nil {
			return fmt.Errorf("operation %s: %w", id, err)
		}
	}
	return nil
}

func (c *Contract) parse() (*document, error) {
	var fromYAML any
	if err := yaml.Unmarshal(c.spec, &fromYAML); err != nil {
		return nil, fmt.Errorf("parse contract: %w", err)
	}
	asJSON, err := json.Marshal(fromYAML)
	if err != nil {
		return nil, fmt.Errorf("contract as JSON: %w", err)
	}
	root, err := jsonschema.UnmarshalJSON(strings.NewReader(string(asJSON)))
	if err != nil {
		return nil, fmt.Errorf("read contract: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	compiler.RegisterFormat(integerFormat("int32", 32))
	compiler.RegisterFormat(integerFormat("int64", 64))
	if err := compiler.AddResource(contractURL, root); err != nil {
		return nil, fmt.Errorf("add contract: %w", err)
	}
	doc := &document{root: root, compiler: compiler, compiled: map[string]*operation{}}
	doc.index()
	return doc, nil
}

// operation is what a request of one operationId has to look like.
type operation struct {
	path       string // the template, such as /v1/orders/{order_id}
	body       *jsonschema.Schema
	parameters []parameter
}

type parameter struct {
	name     string
	in       string
	required bool
	schema   *jsonschema.Schema
}

type document struct {
	root       any
	operations map[string][]string // operationId to the pointer of the operation

	mu       sync.Mutex // the compiler is not safe for concurrent use
	compiler *jsonschema.Compiler
	compiled map[string]*operation
}

func (d *document) index() {
	d.operations = map[string][]string{}
	paths, _ := d.at("paths").(map[string]any)
	for path, item := range paths {
		methods, _ := item.(map[string]any)
		for method, op := range methods {
			fields, _ := op.(map[string]any)
			if id, ok := fields["operationId"].(string); ok {
				d.operations[id] = []string{"paths", path, method}
			}
		}
	}
}

func (d *document) at(pointer ...string) any {
	value := d.root
	for _, token := range pointer {
		switch container := value.(type) {
		case map[string]any:
			value = container[token]
		case []any:
			var i int
			if _, err := fmt.Sscanf(token, "%d", &i); err != nil || i < 0 || i >= len(container) {
				return nil
			}
			value = container[i]
		default:
			return nil
		}
	}
	return value
}

// follow resolves a $ref that stands at pointer.
func (d *document) follow(pointer []string) []string {
	for range 8 { // references of references end, unless they are a circle
		object, _ := d.at(pointer...).(map[string]any)
		ref, ok := object["$ref"].(string)
		if !ok {
			break
		}
		pointer = splitPointer(strings.TrimPrefix(ref, "#"))
	}
	return pointer
}

func (d *document) compile(id string) (op *operation, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if op, ok := d.compiled[id]; ok {
		return op, nil
	}
	pointer, ok := d.operations[id]
	if !ok {
		return nil, fmt.Errorf("the contract has no operation %s", id)
	}
	op = &operation{path: pointer[1]}
	if op.body, err = d.schema(append(d.follow(join(pointer, "requestBody")), "content", "application/json", "schema")); err != nil {
		return nil, err
	}
	for _, place := range [][]string{pointer[:2], pointer} {
		if op.parameters, err = d.appendParameters(op.parameters, join(place, "parameters")); err != nil {
			return nil, err
		}
	}
	d.compiled[id] = op
	return op, nil
}

func (d *document) appendParameters(to []parameter, pointer []string) ([]parameter, error) {
	list, _ := d.at(pointer...).([]any)
	for i := range list {
		place := d.follow(join(pointer, fmt.Sprint(i)))
		object, _ := d.at(place...).(map[string]any)
		schema, err := d.schema(join(place, "schema"))
		if err != nil {
			return nil, err
		}
		name, _ := object["name"].(string)
		in, _ := object["in"].(string)
		required, _ := object["required"].(bool)
		to = append(to, parameter{name, in, required, schema})
	}
	return to, nil
}

// schema compiles what stands at pointer, or nil where nothing stands.
func (d *document) schema(pointer []string) (*jsonschema.Schema, error) {
	if d.at(pointer...) == nil {
		return nil, nil
	}
	return d.compiler.Compile(contractURL + "#" + url.PathEscape(joinPointer(pointer)))
}

// properties lists the names that the object schema at a compiled schema's location knows.
func (d *document) properties(location string) []string {
	_, fragment, _ := strings.Cut(location, "#")
	if unescaped, err := url.PathUnescape(fragment); err == nil {
		fragment = unescaped
	}
	object, _ := d.at(append(splitPointer(fragment), "properties")...).(map[string]any)
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	return names
}

func join(pointer []string, token string) []string {
	return append(pointer[:len(pointer):len(pointer)], token)
}

var escapePointer, unescapePointer = strings.NewReplacer("~", "~0", "/", "~1"), strings.NewReplacer("~1", "/", "~0", "~")

func joinPointer(tokens []string) string {
	var b strings.Builder
	for _, token := range tokens {
		b.WriteByte('/')
		b.WriteString(escapePointer.Replace(token))
	}
	return b.String()
}

func splitPointer(pointer string) []string {
	if pointer == "" {
		return nil
	}
	tokens := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i := range tokens {
		tokens[i] = unescapePointer.Replace(tokens[i])
	}
	return tokens
}
