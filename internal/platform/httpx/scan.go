package httpx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// scanJSON refuses what parsers disagree about: duplicate names, invalid UTF-8, trailing data, and deep nesting.
// encoding/json and jx let the last duplicate win, so that two readers of one body could see two orders.
func scanJSON(body []byte, maxDepth int) *Error {
	if tooDeep(body, maxDepth) {
		return invalidJSON(fmt.Sprintf("Objects and arrays are nested deeper than %d.", maxDepth), nil)
	}
	if jsontext.Value(body).IsValid() {
		return nil
	}
	return explainJSON(body)
}

// tooDeep counts brackets outside of strings. The count without regard to strings comes first: it is vectorised, and
// the usual body has fewer brackets altogether than may be nested.
func tooDeep(body []byte, maxDepth int) bool {
	if bytes.Count(body, []byte("{"))+bytes.Count(body, []byte("[")) <= maxDepth {
		return false
	}
	depth, inString := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

func explainJSON(body []byte) *Error {
	if len(bytes.TrimSpace(body)) == 0 {
		return bodyRequired()
	}
	decoder := jsontext.NewDecoder(bytes.NewReader(body))
	_, err := decoder.ReadValue()
	if err == nil {
		if _, err = decoder.ReadToken(); err == nil || errors.Is(err, io.EOF) {
			return invalidJSON(at(body, decoder.InputOffset())+": a second value follows; exactly one was expected.", nil)
		}
	}
	var syntax *jsontext.SyntacticError
	if !errors.As(err, &syntax) {
		return invalidJSON(at(body, int64(len(body)))+": the body ends before its JSON value does.", nil)
	}
	return explainSyntax(body, syntax)
}

func explainSyntax(body []byte, syntax *jsontext.SyntacticError) *Error {
	pointer := maskPointer(string(syntax.JSONPointer))
	message := "is not JSON here: " + reason(syntax.Err)
	detail := at(body, syntax.ByteOffset) + ": " + reason(syntax.Err) + "."
	if errors.Is(syntax.Err, jsontext.ErrDuplicateName) {
		message = "appears twice in the same object; names must be unique"
		detail = "An object has two members of the same name."
	}
	return invalidJSON(detail, []FieldError{{pointer, message}})
}

// reason is the parser's own words, which quote one character of the body at most; anything longer is replaced.
func reason(err error) string {
	switch {
	case err == nil:
		return "a syntax error"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the body ends before its JSON value does"
	}
	text := strings.TrimPrefix(err.Error(), "jsontext: ")
	if strings.Contains(text, "escape") {
		return "an invalid escape sequence in a string"
	}
	if strings.Contains(text, "literal") {
		return "an unknown literal; true, false and null are known"
	}
	return text
}

// at names a place as people and as programs count: line and column from 1, bytes from 0.
func at(body []byte, offset int64) string {
	before := body[:min(max(offset, 0), int64(len(body)))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - (bytes.LastIndexByte(before, '\n') + 1) + 1
	return fmt.Sprintf("At line %d, column %d (byte %d)", line, column, len(before))
}

func invalidJSON(detail string, fields []FieldError) *Error {
	return &Error{Status: http.StatusBadRequest, Code: CodeInvalidJSON, Title: "Invalid JSON", Detail: detail, Fields: fields}
}

func bodyRequired() *Error {
	return &Error{Status: http.StatusBadRequest, Code: CodeBodyRequired, Title: "Body required",
		Detail: "The operation needs a body of type application/json."}
}

// unboundedNumber finds the numbers that no operation accepts and that would make exact arithmetic expensive:
// 1e999999 is nine bytes to send and a million digits to compare.
func unboundedNumber(n json.Number) bool {
	const maxDigits = 40
	if len(n) > maxDigits {
		return true
	}
	_, exponent, found := strings.Cut(strings.ToLower(string(n)), "e")
	return found && len(strings.TrimLeft(exponent, "+-0")) > 2
}
