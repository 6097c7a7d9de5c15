package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	componentsPrefix = "#/components/"
	securityScheme   = "apiKey"
	description      = "Takes orders that are never oversold, never charged twice and never lost. " +
		"Every error is an `application/problem+json` (RFC 9457) with a stable `code`. " +
		"Each operation names the scope that its API key needs; `admin` has them all."
)

// merger collects the public part of several files.
type merger struct {
	tags       []json.RawMessage
	paths      object
	components map[string]object // by kind: schemas, parameters, responses, …
	kinds      []string
}

func newMerger() *merger { return &merger{components: map[string]object{}} }

// add takes in a file: its public operations and the components that these reach.
func (m *merger) add(f *file) error {
	used := f.reachable()
	renamed, err := m.clashes(f, used)
	if err != nil {
		return err
	}
	for _, target := range used {
		if err := m.addComponent(f, target, renamed); err != nil {
			return err
		}
	}
	if tags := child(f.root, "tags"); tags != nil {
		for _, tag := range tags.Content {
			encoded, err := renamed.encode(tag)
			if err != nil {
				return err
			}
			m.tags = append(m.tags, encoded)
		}
	}
	return m.addPaths(f, renamed)
}

func (m *merger) addPaths(f *file, renamed renames) error {
	for path, item := range pairs(child(f.root, "paths")) {
		published, err := f.publish(path, item, renamed)
		if err != nil {
			return err
		}
		if len(published) == 0 {
			continue
		}
		if _, taken := m.paths.get(path); taken {
			return fmt.Errorf("path %s belongs to another service already", path)
		}
		encoded, err := published.MarshalJSON()
		if err != nil {
			return err
		}
		m.paths = append(m.paths, member{path, encoded})
	}
	return nil
}

// publish encodes a path's public operations, each with what it demands of its caller.
func (f *file) publish(path string, item *yaml.Node, renamed renames) (object, error) {
	var out object
	for _, op := range f.operations {
		if op.Path != path {
			continue
		}
		method := strings.ToLower(op.Method)
		encoded, err := renamed.object(child(item, method))
		if err != nil {
			return nil, err
		}
		security := `[]`
		if !op.Public {
			security = fmt.Sprintf(`[{%q:[%q]}]`, securityScheme, op.Scope)
		}
		encoded = append(encoded, member{"security", json.RawMessage(security)})
		value, err := encoded.MarshalJSON()
		if err != nil {
			return nil, err
		}
		out = append(out, member{method, value})
	}
	return out, nil
}

// reachable lists the components that the public operations use, directly or through others.
func (f *file) reachable() []string {
	var found []string
	var visit func(target string)
	visit = func(target string) {
		if slices.Contains(found, target) {
			return
		}
		found = append(found, target)
		references(f.component(target), visit)
	}
	for _, op := range f.operations {
		references(child(child(child(f.root, "paths"), op.Path), strings.ToLower(op.Method)), visit)
	}
	return found
}

func (f *file) component(target string) *yaml.Node {
	kind, name, ok := split(target)
	if !ok {
		return nil
	}
	return child(child(child(f.root, "components"), kind), name)
}

func split(target string) (kind, name string, ok bool) {
	rest, ok := strings.CutPrefix(target, componentsPrefix)
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, "/")
}

// clashes finds new names for the components whose name another file has given to something different. What refers to a
// renamed component is different by that, so the search goes on until nothing is added.
func (m *merger) clashes(f *file, used []string) (renames, error) {
	renamed := renames{}
	for before := -1; before != len(renamed); {
		before = len(renamed)
		for _, target := range used {
			kind, name, ok := split(target)
			if node := f.component(target); !ok || node == nil {
				return nil, fmt.Errorf("reference %q leads nowhere", target)
			} else if theirs, taken := m.components[kind].get(name); taken && renamed[target] == "" {
				ours, err := renamed.encode(node)
				if err != nil {
					return nil, err
				}
				if !bytes.Equal(ours, theirs) {
					renamed[target] = componentsPrefix + kind + "/" + f.prefix() + name
				}
			}
		}
	}
	return renamed, nil
}

func (f *file) prefix() string {
	name := f.service.String()
	return strings.ToUpper(name[:1]) + name[1:]
}

func (m *merger) addComponent(f *file, target string, renamed renames) error {
	encoded, err := renamed.encode(f.component(target))
	if err != nil {
		return err
	}
	if to := renamed[target]; to != "" {
		target = to
	}
	kind, name, _ := split(target)
	if !slices.Contains(m.kinds, kind) {
		m.kinds = append(m.kinds, kind)
	}
	if theirs, taken := m.components[kind].get(name); !taken {
		m.components[kind] = append(m.components[kind], member{name, encoded})
	} else if !bytes.Equal(theirs, encoded) {
		return fmt.Errorf("component %s stands twice", target)
	}
	return nil
}

// document writes the merged OpenAPI document.
func (m *merger) document() ([]byte, error) {
	var components object
	for _, kind := range m.kinds {
		encoded, err := m.components[kind].MarshalJSON()
		if err != nil {
			return nil, err
		}
		components = append(components, member{kind, encoded})
	}
	scheme := fmt.Sprintf(`{%q:{"type":"http","scheme":"bearer","description":"An API key: vlz_…"}}`, securityScheme)
	components = append(components, member{"securitySchemes", json.RawMessage(scheme)})
	out, err := json.Marshal(struct {
		OpenAPI    string              `json:"openapi"`
		Info       map[string]string   `json:"info"`
		Servers    []map[string]string `json:"servers"`
		Tags       []json.RawMessage   `json:"tags,omitempty"`
		Paths      object              `json:"paths"`
		Components object              `json:"components"`
	}{
		OpenAPI:    "3.1.0",
		Info:       map[string]string{"title": "Pedidos Veloz", "version": "1.0.0", "description": description},
		Servers:    []map[string]string{{"url": "/"}},
		Tags:       m.tags,
		Paths:      m.paths,
		Components: components,
	})
	if err != nil {
		return nil, fmt.Errorf("encode the merged contract: %w", err)
	}
	return out, nil
}
