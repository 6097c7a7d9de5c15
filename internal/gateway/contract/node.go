package contract

import (
	"encoding/json"
	"fmt"
	"iter"

	"go.yaml.in/yaml/v3"
)

// The documents are handled as YAML nodes and not as maps, so that the merged document keeps the order in which a
// person wrote it: `id` before `created_at`, placing an order before canceling it.

// pairs yields the keys and values of a mapping, nothing for another node.
func pairs(n *yaml.Node) iter.Seq2[string, *yaml.Node] {
	return func(yield func(string, *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, n.Content[i+1]) {
				return
			}
		}
	}
}

func child(n *yaml.Node, key string) *yaml.Node {
	for k, v := range pairs(n) {
		if k == key {
			return v
		}
	}
	return nil
}

func text(n *yaml.Node, key string) string {
	if v := child(n, key); v != nil && v.Kind == yaml.ScalarNode {
		return v.Value
	}
	return ""
}

// references calls visit for the target of every `$ref` at or below n.
func references(n *yaml.Node, visit func(target string)) {
	if n == nil {
		return
	}
	if target := text(n, "$ref"); target != "" {
		visit(target)
	}
	for _, c := range n.Content {
		references(c, visit)
	}
}

// object is a JSON object that keeps the order of its members.
type object []member

type member struct {
	key   string
	value json.RawMessage
}

func (o object) get(key string) (json.RawMessage, bool) {
	for _, m := range o {
		if m.key == key {
			return m.value, true
		}
	}
	return nil, false
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			out = append(out, ',')
		}
		key, err := json.Marshal(m.key)
		if err != nil {
			return nil, fmt.Errorf("encode key %q: %w", m.key, err)
		}
		out = append(append(append(out, key...), ':'), m.value...)
	}
	return append(out, '}'), nil
}

// renames maps a `$ref` target of one file to its place in the merged document.
type renames map[string]string

// encode writes the node as JSON with the references renamed.
func (r renames) encode(n *yaml.Node) (json.RawMessage, error) {
	switch n.Kind {
	case yaml.AliasNode: // it could contain itself, and $ref does the same openly
		return nil, fmt.Errorf("line %d: YAML aliases are not supported", n.Line)
	case yaml.MappingNode:
		o, err := r.object(n)
		if err != nil {
			return nil, err
		}
		return o.MarshalJSON()
	case yaml.SequenceNode:
		list := make([]json.RawMessage, len(n.Content))
		for i, c := range n.Content {
			item, err := r.encode(c)
			if err != nil {
				return nil, err
			}
			list[i] = item
		}
		return json.Marshal(list)
	default:
		var v any
		if err := n.Decode(&v); err != nil {
			return nil, fmt.Errorf("line %d: %w", n.Line, err)
		}
		return json.Marshal(v)
	}
}

// object encodes each member of a mapping.
func (r renames) object(n *yaml.Node) (object, error) {
	var o object
	for key, v := range pairs(n) {
		value, err := r.encode(v)
		if err != nil {
			return nil, err
		}
		if target, ok := r[v.Value]; ok && key == "$ref" {
			if value, err = json.Marshal(target); err != nil {
				return nil, fmt.Errorf("encode reference: %w", err)
			}
		}
		o = append(o, member{key, value})
	}
	return o, nil
}
