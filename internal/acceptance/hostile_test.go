package acceptance_test

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// hostileLimits keep the battery from being answered 429: what is refused here must be refused for what it is.
var hostileLimits = []string{"VELOZ_ANONYMOUS_RATE_LIMIT=1000000"}

var hostilePromises = []promise{
	{"every value of every body that the contract refuses is refused, by its field", wrongBodies},
	{"every parameter that the contract refuses is refused, by its name", wrongParametersRefused},
	{"no JSON breaks a route", hostileJSON},
	{"no body that is compressed, of another type or too large is read", hostileBodies},
}

func TestHostileInput(t *testing.T) {
	in(t, []shape{shapes[0], shapes[3]}, hostileLimits, hostilePromises, rawPromises)
}

// proper is the property that any answer has to a request that may be wrong: it succeeds, or it is a problem of the
// client's that says what it is. Never 5xx.
func (a *api) proper(r response, what string) bool {
	a.Helper()
	what = what[:min(len(what), 200)]
	switch {
	case r.status >= 500:
		a.Errorf("%s %q: status %d: %s", r.what, what, r.status, r.body)
		return false
	case r.status < 400:
		return true
	case r.header.Get("Content-Type") != "application/problem+json" || len(r.body) > 16<<10:
		a.Errorf("%s %q: status %d as %q, %d bytes", r.what, what, r.status, r.header.Get("Content-Type"), len(r.body))
		return false
	}
	if p := r.problem(); p.Status != r.status || p.Code == "" || p.Title == "" {
		a.Errorf("%s %q: the problem is %s", r.what, what, r.body)
		return false
	}
	return true
}

// refused is proper, and a refusal with one of the codes.
func (a *api) refused(r response, what string, codes ...string) bool {
	a.Helper()
	if !a.proper(r, what) {
		return false
	}
	if r.status < 400 || !slices.Contains(codes, r.problem().Code) {
		a.Errorf("%s %q: status %d, want %v: %s", r.what, what[:min(len(what), 200)], r.status, codes, r.body[:min(len(r.body), 300)])
		return false
	}
	return true
}

// refusedFor is refused, with a message about the field.
func (a *api) refusedFor(r response, what, field string, codes ...string) {
	a.Helper()
	if !a.refused(r, what, codes...) {
		return
	}
	if !slices.ContainsFunc(r.problem().Errors, func(e fieldError) bool { return e.Field == field && len(e.Message) > 5 }) {
		a.Errorf("%s %q: %s does not name %q", r.what, what[:min(len(what), 200)], r.body, field)
	}
}

func (a *api) do(r request) response {
	a.Helper()
	return a.send(r.method, r.path, r.body, r.headers...)
}

func wrongBodies(a *api) {
	for _, op := range publicOperations(a) {
		if op.body == nil {
			continue
		}
		tried := 0
		for _, b := range breakages(a, op.id, "", op.body) {
			sent, err := json.Marshal(b.value)
			if err != nil {
				a.Fatal(err)
			}
			r := op.request(a)
			r.body = sent
			a.refusedFor(a.do(r), string(sent), b.field, "invalid_request")
			tried++
		}
		if tried < 15 {
			a.Errorf("%s: only %d wrong bodies were made", op.id, tried)
		}
	}
}

func wrongParametersRefused(a *api) {
	for _, op := range publicOperations(a) {
		for _, p := range op.parameters {
			for _, value := range wrongParameters(p) {
				a.refusedFor(a.do(op.requestWith(a, p, value)), p.name+"="+value, p.in+"."+p.name, "invalid_request")
			}
		}
	}
}

// requestWith is a right request but for one parameter.
func (o operation) requestWith(t testing.TB, p parameter, value string) request {
	t.Helper()
	switch p.in {
	case "path":
		o.path = strings.ReplaceAll(o.path, "{"+p.name+"}", value)
	case "query":
		o.path += "?" + p.name + "=" + url.QueryEscape(value)
	}
	r := o.request(t)
	if p.in == "header" {
		r.headers = append(r.headers, p.name, value)
	}
	return r
}

// document is a JSON text that is hostile, made of a right one.
type document struct {
	name  string
	make  func(right string, first string) string // first is the name of one of its members
	codes []string
}

var (
	notJSON     = []string{"invalid_json"}
	notRequest  = []string{"invalid_request"}
	nestedArray = strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
)

func fixed(text string) func(string, string) string {
	return func(string, string) string { return text }
}

// member is the right document with one of its members' values replaced, as text.
func member(value string) func(string, string) string {
	return func(_, first string) string { return `{"` + first + `":` + value + `}` }
}

var hostileDocuments = []document{
	{"cut off", func(right, _ string) string { return right[:len(right)-1] }, notJSON},
	{"a byte order mark", func(right, _ string) string { return "\ufeff" + right }, notJSON},
	{"UTF-16", func(right, _ string) string {
		return "\xff\xfe" + strings.Join(strings.Split(right, ""), "\x00") + "\x00"
	}, notJSON},
	{"UTF-32", func(right, _ string) string {
		return strings.Join(strings.Split(right, ""), "\x00\x00\x00") + "\x00\x00\x00"
	}, notJSON},
	{"a second document", func(right, _ string) string { return right + right }, notJSON},
	{"a second line", func(right, _ string) string { return right + "\n" + right }, notJSON},
	{"a bracket too many", func(right, _ string) string { return right + "}" }, notJSON},
	{"a NUL at the end", func(right, _ string) string { return right + "\x00" }, notJSON},
	{"a member twice", func(right, first string) string { return `{"` + first + `":null,` + right[1:] }, notJSON},
	{"a member twice, once escaped", func(right, first string) string {
		return `{"\u00` + hexDigits(first[0]) + first[1:] + `":null,` + right[1:]
	}, notJSON},
	{"a member 10,000 times", func(_, first string) string { return "{" + strings.Repeat(`"`+first+`":1,`, 10_000) + `"z":1}` }, notJSON},
	{"NaN", fixed("NaN"), notJSON}, {"Infinity", fixed("-Infinity"), notJSON}, {"nothing but a minus", fixed("-"), notJSON},
	{"NaN inside", member("NaN"), notJSON}, {"octal", member("017"), notJSON}, {"hexadecimal", member("0x10"), notJSON},
	{"plus", member("+1"), notJSON}, {"no digits after the point", member("1."), notJSON}, {"no digits before it", member(".5"), notJSON},
	{"single quotes", member("'x'"), notJSON}, {"a comment", member("1/*x*/"), notJSON}, {"a comma too many", member("[1,]"), notJSON},
	{"undefined", member("undefined"), notJSON}, {"True", member("True"), notJSON},
	{"a raw line break in a string", member("\"a\nb\""), notJSON}, {"a raw NUL in a string", member("\"a\x00b\""), notJSON},
	{"invalid UTF-8", member("\"\xff\""), notJSON}, {"overlong UTF-8", member("\"\xc0\xaf\""), notJSON}, {"a surrogate in UTF-8", member("\"\xed\xa0\x80\""), notJSON},
	{"half a surrogate pair", member(`"\ud800"`), notJSON}, {"an unknown escape", member(`"\x41"`), notJSON},
	{"invalid UTF-8 in a name", fixed("{\"\xff\":1}"), notJSON},
	{"5,000 arrays deep", fixed(nestedArray), notJSON}, {"5,000 arrays deep inside", member(nestedArray), notJSON},
	{"5,000 objects deep", fixed(strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)), notJSON},
	{"brackets that never close", fixed(strings.Repeat("[", 200_000)), notJSON},
	{"a string of 200 KB", member(`"` + strings.Repeat("x", 200_000) + `"`), notRequest},
	{"a string of 200 KB of escapes", member(`"` + strings.Repeat(`\u0041`, 33_000) + `"`), notRequest},
	{"a string that never ends", member(`"` + strings.Repeat("x", 200_000)), notJSON},
	{"a number of 200,000 digits", member(strings.Repeat("9", 200_000)), notRequest},
	{"a hostile exponent", member("1e9999999999"), notRequest},
	{"100,000 elements", fixed("[" + strings.Repeat("0,", 99_999) + "0]"), notRequest},
	{"100,000 elements inside", member("[" + strings.Repeat("0,", 99_999) + "0]"), notRequest},
	{"1,000,000 elements", member("[" + strings.Repeat("0,", 999_999) + "0]"), []string{"body_too_large"}},
	{"15,000 unknown members", func(string, string) string { return manyMembers(15_000) }, notRequest},
	{"members of odd names", fixed(`{"__proto__":1,"constructor":1,"":1,"/":1,"~":1,"\u0000":1,"\u202e":1}`), notRequest},
	{"a name of 200 KB", fixed(`{"` + strings.Repeat("x", 200_000) + `":1}`), notRequest},
}

func hexDigits(c byte) string {
	return string([]byte{"0123456789abcdef"[c>>4], "0123456789abcdef"[c&15]})
}

func manyMembers(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`,"` + string(rune('a'+i%26)) + strings.Repeat("b", i/26%20) + string(rune('a'+i/520)) + `":1`)
	}
	return "{" + b.String()[1:] + "}"
}

func hostileJSON(a *api) {
	for _, op := range publicOperations(a) {
		if op.body == nil {
			continue
		}
		text, first := op.rightText(a)
		for _, d := range hostileDocuments {
			r := op.request(a)
			r.body = d.make(text, first)
			began := time.Now()
			a.refused(a.do(r), op.id+": "+d.name, d.codes...)
			if took := time.Since(began); took > 20*time.Second { // for a busy machine: alone it takes milliseconds
				a.Errorf("%s: %s took %s", op.id, d.name, took)
			}
		}
	}
}

// rightText is a right body as it is sent, and the name of one of its members.
func (o operation) rightText(t testing.TB) (text, first string) {
	t.Helper()
	body := right(t, o.id, o.body)
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	for name := range body.(map[string]any) {
		if first == "" || name < first {
			first = name
		}
	}
	return string(encoded), first
}

func hostileBodies(a *api) {
	for _, op := range publicOperations(a) {
		if op.body == nil {
			continue
		}
		text, _ := op.rightText(a)
		for _, c := range []struct {
			name    string
			body    any
			headers []string
			code    string
		}{
			{"a bomb", bomb(a), []string{"Content-Encoding", "gzip"}, "unsupported_media_type"},
			{"two bombs", bomb(a), []string{"Content-Encoding", "gzip, gzip"}, "unsupported_media_type"},
			{"another encoding", text, []string{"Content-Encoding", "br"}, "unsupported_media_type"},
			{"a bomb without its name", bomb(a), nil, "invalid_json"},
			{"no type", text, []string{"Content-Type", ""}, "unsupported_media_type"},
			{"a form", "a=1", []string{"Content-Type", "application/x-www-form-urlencoded"}, "unsupported_media_type"},
			{"a file", "--x\r\n\r\n--x--", []string{"Content-Type", "multipart/form-data; boundary=x"}, "unsupported_media_type"},
			{"XML", "<a/>", []string{"Content-Type", "application/xml"}, "unsupported_media_type"},
			{"a type that is none", text, []string{"Content-Type", "application/json; ="}, "unsupported_media_type"},
			{"one byte too many", strings.Repeat(" ", 256<<10-len(text)+1) + text, nil, "body_too_large"},
			{"32 MB", bytes.Repeat([]byte{' '}, 32<<20), nil, "body_too_large"},
		} {
			r := op.request(a)
			r.body, r.headers = c.body, append(r.headers, c.headers...)
			answer, err := a.try(a.Context(), a.system.client, r)
			if err != nil {
				if c.name != "32 MB" { // the server stops reading and closes, and its answer may be lost on the way
					a.Errorf("%s: %s: %v", op.id, c.name, err)
				}
				continue
			}
			a.refused(answer, op.id+": "+c.name, c.code)
		}
	}
}
