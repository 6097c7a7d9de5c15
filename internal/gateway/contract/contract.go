// Package contract reads the services' OpenAPI files for the gateway: which operations there are, what each demands of
// its caller, and the one document that describes them all to the world.
package contract

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
)

// Service names the owner of an operation. The set is closed; the zero value is invalid.
type Service uint8

// The services behind the gateway.
const (
	_ Service = iota
	Orders
	Payments
	Inventory
)

// Services lists every service.
func Services() []Service { return []Service{Orders, Payments, Inventory} }

// String is the service's name in lower case.
func (s Service) String() string {
	switch s {
	case Orders:
		return "orders"
	case Payments:
		return "payments"
	case Inventory:
		return "inventory"
	default:
		return "invalid"
	}
}

// Source is one service's OpenAPI file, in YAML.
type Source struct {
	Service Service
	Spec    []byte
}

// Operation is one method on one path that the gateway serves.
type Operation struct {
	Service Service
	ID      string
	Method  string
	// Path is the template, such as `/v1/orders/{order_id}`.
	Path string
	// Public operations need no key; then Scope is zero.
	Public bool
	Scope  keys.Scope
}

// Contract is what the gateway serves.
type Contract struct {
	// Operations leave out those between services (`x-internal`).
	Operations []Operation
	// OpenAPI is the merged document, in JSON.
	OpenAPI []byte
}

// Load reads the files. An operation that does not say exactly one of `x-required-scope`, `x-public: true` and
// `x-internal: true` is an error: a forgotten line must neither open a route nor hide it.
func Load(sources []Source) (*Contract, error) {
	merged := newMerger()
	var operations []Operation
	for _, source := range sources {
		f, err := parseFile(source)
		if err != nil {
			return nil, fmt.Errorf("read the contract of %s: %w", source.Service, err)
		}
		operations = append(operations, f.operations...)
		if err := merged.add(f); err != nil {
			return nil, fmt.Errorf("merge the contract of %s: %w", source.Service, err)
		}
	}
	document, err := merged.document()
	if err != nil {
		return nil, err
	}
	return &Contract{Operations: operations, OpenAPI: document}, nil
}

// file is one parsed source.
type file struct {
	service    Service
	root       *yaml.Node
	operations []Operation
}

func parseFile(source Source) (*file, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(source.Spec, &document); err != nil {
		return nil, fmt.Errorf("parse YAML: %w", err)
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 {
		return nil, errors.New("expected one YAML document")
	}
	f := &file{service: source.Service, root: document.Content[0]}
	addHeaders(f.root)
	for path, item := range pairs(child(f.root, "paths")) {
		for method, node := range pairs(item) {
			if !isMethod(method) {
				return nil, fmt.Errorf("%s: %q stands at the path; write it at each operation, which is all that is merged", path, method)
			}
			op, internal, err := f.operation(method, path, node)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			if !internal {
				f.operations = append(f.operations, op)
			}
		}
	}
	return f, nil
}

func (f *file) operation(method, path string, node *yaml.Node) (op Operation, internal bool, err error) {
	op = Operation{Service: f.service, ID: text(node, "operationId"), Method: strings.ToUpper(method), Path: path}
	op.Public, internal = text(node, "x-public") == "true", text(node, "x-internal") == "true"
	scope := text(node, "x-required-scope")
	if scope != "" {
		if op.Scope, err = keys.ParseScope(scope); err != nil {
			return Operation{}, false, err
		}
	}
	said := 0
	for _, is := range []bool{scope != "", op.Public, internal} {
		if is {
			said++
		}
	}
	if said != 1 {
		return Operation{}, false, errors.New("expected exactly one of x-required-scope, x-public: true, x-internal: true")
	}
	if op.ID == "" {
		return Operation{}, false, errors.New("operationId is missing")
	}
	return op, internal, nil
}

func isMethod(key string) bool {
	return slices.Contains([]string{
		http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete, http.MethodPatch,
		http.MethodHead, http.MethodOptions, http.MethodTrace,
	}, strings.ToUpper(key)) && key == strings.ToLower(key)
}
