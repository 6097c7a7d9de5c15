package httpx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/spelling"
)

// maxFieldErrors bounds an answer: a client that has twenty errors to mend will ask again anyway.
const maxFieldErrors = 20

// maxExplained bounds the commas of a body that is validated again. The largest order that is right has some 250 outside
// of its texts. Without a bound, 256 KB of small values cost 80 to 145 MB of memory to refuse.
const maxExplained = 1000

// explainBody lists what in body breaks the operation's schema. Empty means that the schema finds nothing.
func (d *document) explainBody(op *operation, body []byte) []FieldError {
	if op.body == nil || bytes.Count(body, []byte(",")) > maxExplained {
		return nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return nil
	}
	value, unbounded := tameNumbers(value, nil, nil)
	if len(unbounded) > 0 {
		return unbounded // exact arithmetic on these is what an attacker would want
	}
	return d.violations(op.body, value, "")
}

// violations validates value; field is the place of value in the request.
func (d *document) violations(schema *jsonschema.Schema, value any, field string) []FieldError {
	var failed *jsonschema.ValidationError
	if err := schema.Validate(value); !errors.As(err, &failed) {
		return nil
	}
	var found []FieldError
	d.collect(failed, field, &found)
	slices.SortStableFunc(found, func(a, b FieldError) int { return comparePointers(a.Field, b.Field) })
	found = slices.CompactFunc(found, func(a, b FieldError) bool { return a.Field == b.Field })
	return found[:min(len(found), maxFieldErrors)]
}

// comparePointers orders fields as a reader counts, /items/2 before /items/10.
func comparePointers(a, b string) int {
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	return slices.CompareFunc(as, bs, func(x, y string) int {
		i, errX := strconv.Atoi(x)
		j, errY := strconv.Atoi(y)
		if errX == nil && errY == nil {
			return i - j
		}
		return strings.Compare(x, y)
	})
}

func (d *document) collect(failed *jsonschema.ValidationError, prefix string, found *[]FieldError) {
	for _, cause := range failed.Causes {
		d.collect(cause, prefix, found)
	}
	if len(failed.Causes) > 0 || len(*found) > 50*maxFieldErrors {
		return
	}
	place := failed.InstanceLocation
	add := func(pointer []string, message string) {
		*found = append(*found, FieldError{prefix + maskPointer(joinPointer(pointer)), message})
	}
	switch k := failed.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			add(join(place, name), "is required")
		}
	case *kind.AdditionalProperties:
		known := d.properties(failed.SchemaURL)
		for _, name := range k.Properties {
			add(join(place, name), unknownField(name, known))
		}
	default:
		add(place, expectation(failed.ErrorKind))
	}
}

func unknownField(name string, known []string) string {
	slices.Sort(known)
	if meant, ok := spelling.Closest(name, known); ok {
		return "is not a known field; did you mean " + meant + "?"
	}
	if len(known) == 0 {
		return "is not a known field"
	}
	return "is not a known field; known are " + strings.Join(known, ", ")
}

// expectation says what was expected, in words of the contract only: the value that was sent may be personal data.
func expectation(failed jsonschema.ErrorKind) string {
	switch k := failed.(type) {
	case *kind.Type:
		return "must be " + withArticle(strings.Join(k.Want, " or ")) + ", not " + withArticle(k.Got)
	case *kind.Enum:
		return "must be one of " + list(k.Want)
	case *kind.Const:
		return "must be " + list([]any{k.Want})
	case *kind.Format:
		return formatExpectation(k.Want)
	case *kind.Pattern:
		return "must match the pattern " + k.Want
	case *kind.MinLength:
		return fmt.Sprintf("must have at least %s", count(k.Want, "character"))
	case *kind.MaxLength:
		return fmt.Sprintf("must have at most %s", count(k.Want, "character"))
	case *kind.MinItems:
		return fmt.Sprintf("must have at least %s", count(k.Want, "element"))
	case *kind.MaxItems:
		return fmt.Sprintf("must have at most %s", count(k.Want, "element"))
	case *kind.MinProperties:
		return fmt.Sprintf("must have at least %s", count(k.Want, "member"))
	case *kind.MaxProperties:
		return fmt.Sprintf("must have at most %s", count(k.Want, "member"))
	case *kind.UniqueItems:
		return fmt.Sprintf("must not repeat an element; %d and %d are equal", k.Duplicates[0], k.Duplicates[1])
	}
	return numberExpectation(failed)
}

func numberExpectation(failed jsonschema.ErrorKind) string {
	switch k := failed.(type) {
	case *kind.Minimum:
		return "must be at least " + k.Want.RatString()
	case *kind.Maximum:
		return "must be at most " + k.Want.RatString()
	case *kind.ExclusiveMinimum:
		return "must be greater than " + k.Want.RatString()
	case *kind.ExclusiveMaximum:
		return "must be less than " + k.Want.RatString()
	case *kind.MultipleOf:
		return "must be a multiple of " + k.Want.RatString()
	}
	return "does not have the form that the contract asks for"
}

func formatExpectation(format string) string {
	switch format {
	case "email":
		return "must be an e-mail address"
	case "uuid":
		return "must be a UUID, such as 0198c5f2-3b7e-7c41-9d2a-5f60c1a2b3d4"
	case "date-time":
		return "must be an RFC 3339 time, such as 2026-11-27T12:00:00Z"
	case "int32", "int64":
		return "must be an integer of " + format[3:] + " bits"
	}
	return "must have the format " + format
}

func withArticle(noun string) string {
	if noun == "null" {
		return noun
	}
	if strings.ContainsAny(noun[:1], "aeiou") {
		return "an " + noun
	}
	return "a " + noun
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

func list(values []any) string {
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = fmt.Sprint(value)
	}
	return strings.Join(texts, ", ")
}

// tameNumbers names the numbers that are too long to compute with, and makes an integer that is written with a fraction
// or an exponent (1.0, 1e2) a number that is none: JSON Schema takes it for an integer, the generated decoder does not.
func tameNumbers(value any, place []string, unbounded []FieldError) (any, []FieldError) {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			v[name], unbounded = tameNumbers(member, join(place, name), unbounded)
		}
	case []any:
		for i, element := range v {
			v[i], unbounded = tameNumbers(element, join(place, strconv.Itoa(i)), unbounded)
		}
	case json.Number:
		switch {
		case unboundedNumber(v) && len(unbounded) < maxFieldErrors:
			return v, append(unbounded, FieldError{maskPointer(joinPointer(place)), "is out of range"})
		case strings.ContainsAny(string(v), ".eE") && !unboundedNumber(v):
			return withoutInteger(v), unbounded
		}
	}
	return value, unbounded
}

func withoutInteger(n json.Number) json.Number {
	rat, ok := new(big.Rat).SetString(string(n))
	if !ok || !rat.IsInt() {
		return n
	}
	return json.Number(rat.Num().String() + ".5")
}

func integerFormat(name string, bits int) *jsonschema.Format {
	return &jsonschema.Format{Name: name, Validate: func(value any) error {
		n, ok := value.(json.Number)
		if !ok {
			return nil
		}
		_, err := strconv.ParseInt(string(n), 10, bits)
		return err
	}}
}

// explainParameters validates every parameter of the request, so that all that is wrong is told at once.
func (d *document) explainParameters(op *operation, r *http.Request) []FieldError {
	query := r.URL.Query()
	var found []FieldError
	var names []string
	for _, p := range op.parameters {
		if p.in == "query" {
			names = append(names, p.name)
		}
		value, present := p.value(op, r, query)
		field := p.in + "." + p.name
		switch {
		case !present && p.required:
			found = append(found, FieldError{field, "is required"})
		case present && p.schema != nil:
			found = append(found, d.explainParameter(p.schema, value, field)...)
		}
	}
	found = append(found, explainQuery(r.URL, names)...)
	return found[:min(len(found), maxFieldErrors)]
}

func (p parameter) value(op *operation, r *http.Request, query url.Values) (string, bool) {
	switch p.in {
	case "header":
		values := r.Header.Values(p.name)
		return strings.Join(values, ","), len(values) > 0
	case "query":
		return query.Get(p.name), query.Has(p.name)
	case "path":
		return pathValue(op.path, r.URL.EscapedPath(), "{"+p.name+"}")
	}
	return "", false
}

// pathValue finds what stands in path where template has the parameter, counted from the end: a prefix may have been put in front.
func pathValue(template, path, parameter string) (string, bool) {
	names, values := strings.Split(template, "/"), strings.Split(path, "/")
	for i := 1; i <= min(len(names), len(values)); i++ {
		if names[len(names)-i] != parameter {
			continue
		}
		value, err := url.PathUnescape(values[len(values)-i])
		return value, err == nil
	}
	return "", false
}

func (d *document) explainParameter(schema *jsonschema.Schema, text, field string) []FieldError {
	var value any = text
	switch parameterType(schema) {
	case "integer", "number":
		if strings.Trim(text, "0123456789") != "" && (len(text) < 2 || text[0] != '-' || strings.Trim(text[1:], "0123456789") != "") || text == "" {
			return []FieldError{{field, "must be an integer"}}
		}
		if unboundedNumber(json.Number(text)) {
			return []FieldError{{field, "is out of range"}}
		}
		value = json.Number(text)
	case "boolean":
		switch text {
		case "true", "false":
			return nil
		}
		return []FieldError{{field, "must be true or false"}}
	case "array", "object":
		return nil
	}
	return d.violations(schema, value, field)
}

func parameterType(schema *jsonschema.Schema) string {
	for schema.Ref != nil && schema.Types == nil {
		schema = schema.Ref
	}
	if schema.Types == nil || len(schema.Types.ToStrings()) != 1 {
		return ""
	}
	return schema.Types.ToStrings()[0]
}

// Pointer is the JSON pointer (RFC 6901) of a member, for a FieldError. Names that look like data are hidden.
func Pointer(names ...string) string { return maskPointer(joinPointer(names)) }

// maskPointer hides the names in a pointer that look like data instead of a field: clients do send card numbers and
// addresses as names of members, and problems end up in logs and screenshots.
func maskPointer(pointer string) string {
	tokens := splitPointer(pointer)
	for i, token := range tokens {
		if looksLikeData(token) {
			tokens[i] = "*"
		}
	}
	return joinPointer(tokens)
}

func looksLikeData(name string) bool {
	digits := 0
	for _, r := range name {
		switch {
		case r == '@' || r <= ' ': // no field of the contracts has a space in its name; people have
			return true
		case '0' <= r && r <= '9':
			digits++
		}
	}
	return len(name) > 64 || digits > 6
}
