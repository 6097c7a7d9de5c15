package httpx

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/ogen-go/ogen/middleware"
	"github.com/ogen-go/ogen/openapi"
)

// KnownQuery refuses what the generated server passes over: a query parameter that the operation does not have, or has twice.
// A list whose filter is misspelled would be of everything. Give it to WithMiddleware.
func KnownQuery(r middleware.Request, next middleware.Next) (middleware.Response, error) {
	if r.Raw.URL.RawQuery == "" {
		return next(r)
	}
	var names []string
	for key := range r.Params {
		if key.In == openapi.LocationQuery {
			names = append(names, key.Name)
		}
	}
	if fields := explainQuery(r.Raw.URL, names); len(fields) > 0 {
		return middleware.Response{}, invalidRequest(fields[:min(len(fields), maxFieldErrors)])
	}
	return next(r)
}

// explainQuery tells what is wrong with the names in the query of an operation that has these, once each: none of them is a list.
// Peers may ask for more than this version knows: while a new one is rolled out, both are there.
func explainQuery(u *url.URL, names []string) []FieldError {
	if strings.HasPrefix(u.Path, internalPrefix) {
		return nil
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return []FieldError{{"query", "must be pairs such as limit=10, percent-encoded and joined by &"}}
	}
	expected := "is no parameter of this operation, which has none"
	if len(names) > 0 {
		expected = "is no parameter of this operation, which has " + strings.Join(slices.Sorted(slices.Values(names)), ", ")
	}
	var fields []FieldError
	for _, name := range slices.Sorted(maps.Keys(query)) {
		field := "query." + name
		if looksLikeData(name) {
			field = "query.*"
		}
		switch {
		case !slices.Contains(names, name):
			fields = append(fields, FieldError{field, expected})
		case len(query[name]) > 1:
			fields = append(fields, FieldError{field, "must be given once"})
		}
	}
	return fields
}
