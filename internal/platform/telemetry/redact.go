package telemetry

import (
	"encoding"
	"fmt"
	"log/slog"
	"reflect"
	"regexp"
	"strings"
)

// Redacted stands in a log for what may not be there.
const Redacted = "[redacted]"

// sensitive are the words that make a key sensitive wherever they stand in it: `customer_email`, `x-api-token`.
var sensitive = map[string]bool{
	"email": true, "mail": true, "phone": true, "document": true, "cpf": true, "cnpj": true, "recipient": true,
	"token": true, "authorization": true, "password": true, "secret": true, "cookie": true, "apikey": true, "signature": true,
	"card": true, "cvv": true, "pan": true, "street": true, "complement": true, "dsn": true, "credential": true, "credentials": true,
}

// people are the groups and prefixes that make the `name` within them a person's.
var people = map[string]bool{"customer": true, "person": true, "payer": true, "buyer": true, "recipient": true, "holder": true, "contact": true}

// address finds e-mail addresses, and the user and password of a URL, inside of a text.
var address = regexp.MustCompile(`[^\s"'<>(),;=/]+@[^\s"'<>(),;/]+`)

// redact is the guard that every record passes. It is a net under careful callers, not a licence: log fields, not objects.
func redact(groups []string, a slog.Attr) slog.Attr {
	if isSensitive(groups, a.Key) {
		return slog.String(a.Key, Redacted)
	}
	switch a.Value.Kind() {
	case slog.KindString:
		return slog.String(a.Key, scrub(a.Value.String()))
	case slog.KindAny:
		return slog.Attr{Key: a.Key, Value: plain(a.Value.Any(), a.Value)}
	}
	return a
}

func isSensitive(groups []string, key string) bool {
	ofPerson := false
	for _, group := range groups {
		ofPerson = ofPerson || people[strings.ToLower(group)]
	}
	for word := range strings.FieldsFuncSeq(words(key), func(r rune) bool { return r == '_' || r == '-' || r == '.' || r == ' ' }) {
		if sensitive[word] || word == "name" && ofPerson {
			return true
		}
		ofPerson = ofPerson || people[word]
	}
	return false
}

// words makes customerEmail two words.
func words(key string) string {
	if strings.ToLower(key) == key {
		return key
	}
	var b strings.Builder
	for i, r := range key {
		if i > 0 && 'A' <= r && r <= 'Z' && 'a' <= key[i-1] && key[i-1] <= 'z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

func scrub(text string) string {
	if !strings.Contains(text, "@") {
		return text
	}
	return address.ReplaceAllString(text, Redacted)
}

// plain lets through what has a text of its own and lists of it. A struct or a map would be written with every field it
// has, today's and tomorrow's, so only its type is.
func plain(value any, as slog.Value) slog.Value {
	switch v := value.(type) {
	case nil, *slog.Source:
		return as
	case error:
		return slog.StringValue(scrub(v.Error()))
	case encoding.TextMarshaler:
		return as
	case fmt.Stringer:
		return slog.StringValue(scrub(v.String()))
	case []string:
		return slog.StringValue(scrub(strings.Join(v, ", ")))
	}
	switch t := reflect.TypeOf(value); t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return as
	case reflect.String:
		return slog.StringValue(scrub(reflect.ValueOf(value).String()))
	default:
		return slog.StringValue("[" + t.String() + "]")
	}
}
