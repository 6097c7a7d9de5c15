package httpx

import (
	"net/http/httptest"
	"net/url"
	"reflect"
	"testing"

	"github.com/ogen-go/ogen/middleware"
	"github.com/ogen-go/ogen/openapi"
)

func TestKnownQuery(t *testing.T) {
	t.Parallel()
	parameters := middleware.Parameters{
		{Name: "sku", In: openapi.LocationPath}:            nil,
		{Name: "limit", In: openapi.LocationQuery}:         nil,
		{Name: "created_after", In: openapi.LocationQuery}: nil,
	}
	const has = "is no parameter of this operation, which has created_after, limit"
	for target, want := range map[string][]FieldError{
		"/v1/x":                        nil,
		"/v1/x?":                       nil,
		"/v1/x?limit=1&created_after=": nil,
		"/v1/x?Limit=1&limt=2":         {{"query.Limit", has}, {"query.limt", has}},
		"/v1/x?sku=a":                  {{"query.sku", has}},
		"/v1/x?limit=1&limit=1":        {{"query.limit", "must be given once"}},
		"/v1/x?ana@example.com=1":      {{"query.*", has}},
		"/v1/x?limit=%zz":              {{"query", "must be pairs such as limit=10, percent-encoded and joined by &"}},
		"/internal/v1/x?later=1":       nil,
	} {
		passed := false
		_, err := KnownQuery(middleware.Request{Params: parameters, Raw: httptest.NewRequest("GET", target, nil)},
			func(middleware.Request) (r middleware.Response, err error) { passed = true; return r, err })
		var fields []FieldError
		if err != nil {
			fields = AsError(err).Fields
		}
		if passed != (want == nil) || !reflect.DeepEqual(fields, want) {
			t.Errorf("%s: %v, passed on %t, want %v", target, fields, passed, want)
		}
	}
}

func TestKnownQueryOfAnOperationWithout(t *testing.T) {
	t.Parallel()
	fields := explainQuery(&url.URL{RawQuery: "dry_run=true"}, nil)
	if want := []FieldError{{"query.dry_run", "is no parameter of this operation, which has none"}}; !reflect.DeepEqual(fields, want) {
		t.Errorf("%v, want %v", fields, want)
	}
}
