package contract

import "go.yaml.in/yaml/v3"

// sharedHeaders are what the gateway puts onto every answer of an operation, and problemHeaders onto those that are problems. The
// services' files do not name them, because what a service declares its generated code would write.
var sharedHeaders, problemHeaders = headers(`
X-Request-Id:
  description: The request's id in the logs. It is the client's own where the request had one of up to 128 letters, digits, dots, hyphens and underscores.
  schema: {type: string}
RateLimit-Limit:
  description: Requests a second that the API key may send, or the client's address without one. Absent, with the other two, where a request was refused before anybody looked whose it is.
  schema: {type: integer}
RateLimit-Remaining:
  description: How many of them are left.
  schema: {type: integer}
RateLimit-Reset:
  description: Seconds until all of them are back.
  schema: {type: integer}
`), headers(`
WWW-Authenticate:
  description: With 401 and 403, how to authenticate, and which scope the API key lacks.
  schema: {type: string}
`)

func headers(described string) *yaml.Node {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(described), &document); err != nil {
		panic(err) // it is a constant of this file
	}
	return document.Content[0]
}

// addHeaders has every answer of a file's operations name the gateway's headers, as components that the operations share.
func addHeaders(root *yaml.Node) {
	components := child(root, "components")
	for _, item := range pairs(child(root, "paths")) {
		for _, operation := range pairs(item) {
			addToResponses(child(operation, "responses"))
		}
	}
	addToResponses(child(components, "responses"))
	if components == nil {
		components = &yaml.Node{Kind: yaml.MappingNode}
		put(root, "components", components)
	}
	if child(components, "headers") == nil {
		put(components, "headers", &yaml.Node{Kind: yaml.MappingNode})
	}
	for _, described := range []*yaml.Node{sharedHeaders, problemHeaders} {
		for name, header := range pairs(described) {
			putNew(child(components, "headers"), name, header)
		}
	}
}

func addToResponses(responses *yaml.Node) {
	for _, response := range pairs(responses) {
		if response.Kind != yaml.MappingNode || child(response, "$ref") != nil {
			continue
		}
		if child(response, "headers") == nil {
			put(response, "headers", &yaml.Node{Kind: yaml.MappingNode})
		}
		named := child(response, "headers")
		referTo(sharedHeaders, named)
		if child(child(response, "content"), "application/problem+json") != nil {
			referTo(problemHeaders, named)
		}
	}
}

// referTo names those of described that named does not have.
func referTo(described, named *yaml.Node) {
	for name := range pairs(described) {
		reference := &yaml.Node{Kind: yaml.MappingNode}
		put(reference, "$ref", scalar(componentsPrefix+"headers/"+name))
		putNew(named, name, reference)
	}
}

func putNew(mapping *yaml.Node, key string, value *yaml.Node) {
	if child(mapping, key) == nil {
		put(mapping, key, value)
	}
}

// put adds a member to a mapping, and nothing to another node.
func put(mapping *yaml.Node, key string, value *yaml.Node) {
	if mapping != nil && mapping.Kind == yaml.MappingNode {
		mapping.Content = append(mapping.Content, scalar(key), value)
	}
}

func scalar(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}
