package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/contract"
)

// route is one operation of the contract and where it is answered.
type route struct {
	contract.Operation
	forward http.Handler
	// gathered says that forward sends requests in batches.
	gathered bool
	// admission is how many requests may be in flight for this one still to be let in.
	admission int64
	// newOrders bounds them besides, on the route that places orders; nil on all others.
	newOrders *admission
}

// node is a path segment in the tree of routes.
type node struct {
	literal   map[string]*node
	parameter *node
	routes    []*route // by method; nil where no path ends
	allow     string   // the methods, for 405
}

// add puts a route into the tree. Two routes on one method and path are an error.
func (n *node) add(r *route) error {
	for segment := range strings.SplitSeq(strings.TrimPrefix(r.Path, "/"), "/") {
		n = n.child(segment)
	}
	if n.route(r.Method) != nil {
		return fmt.Errorf("%s %s stands twice", r.Method, r.Path)
	}
	n.routes = append(n.routes, r)
	methods := make([]string, len(n.routes))
	for i, r := range n.routes {
		methods[i] = r.Method
	}
	slices.Sort(methods)
	n.allow = strings.Join(methods, ", ")
	return nil
}

// child returns the node of a template's segment and makes it if need be.
func (n *node) child(segment string) *node {
	if strings.HasPrefix(segment, "{") {
		if n.parameter == nil {
			n.parameter = &node{}
		}
		return n.parameter
	}
	if n.literal == nil {
		n.literal = map[string]*node{}
	}
	if n.literal[segment] == nil {
		n.literal[segment] = &node{}
	}
	return n.literal[segment]
}

// find returns the node on which routes of the path end, or nil. A literal wins over a parameter.
func (n *node) find(path string) *node {
	segment, _, more := strings.Cut(path[1:], "/")
	if segment == "" {
		return nil // a trailing slash is another path, and no parameter is empty
	}
	for _, next := range [...]*node{n.literal[segment], n.parameter} {
		switch {
		case next == nil:
		case more:
			if found := next.find(path[1+len(segment):]); found != nil {
				return found
			}
		case next.routes != nil:
			return next
		}
	}
	return nil
}

func (n *node) route(method string) *route {
	for _, r := range n.routes {
		if r.Method == method {
			return r
		}
	}
	return nil
}

// plainPath tells whether a path means one thing to everybody who reads it: no percent sign, no dot segment, no empty
// segment. The contract's paths need none of these, and refusing them beats repairing them, since a backend that repairs
// in another way would serve another route than the one that was authorised.
func plainPath(r *http.Request) bool {
	path := r.URL.Path
	// RawPath is set when the client escaped what needs no escape, such as %2e or %2F.
	if r.URL.RawPath != "" || path == "" || path[0] != '/' {
		return false
	}
	start := 1
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			if !unreserved(path[i]) {
				return false
			}
			continue
		}
		segment := path[start:i]
		if segment == "." || segment == ".." || segment == "" && i < len(path) {
			return false
		}
		start = i + 1
	}
	return true
}

// unreserved are the characters that RFC 3986, section 2.3, lets nobody escape.
func unreserved(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}
