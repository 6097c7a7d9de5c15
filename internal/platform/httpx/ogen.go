package httpx

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"regexp"
	"strings"

	ht "github.com/ogen-go/ogen/http"
	"github.com/ogen-go/ogen/ogenerrors"
	"github.com/ogen-go/ogen/validate"
)

var _ ogenerrors.ErrorHandler = (*Contract)(nil).ErrorHandler

// ErrorHandler answers what the generated server refuses: give it to WithErrorHandler.
// An error that is not the client's is logged and answered with 500.
func (c *Contract) ErrorHandler(ctx context.Context, w http.ResponseWriter, r *http.Request, err error) {
	problem := c.problem(r, err)
	if problem.Status == http.StatusInternalServerError {
		slog.ErrorContext(ctx, "request failed", "method", r.Method, "error", err)
	}
	WriteProblem(w, problem)
}

func (c *Contract) problem(r *http.Request, err error) *Error {
	var parameters *ogenerrors.DecodeParamsError
	var request *ogenerrors.DecodeRequestError
	var security *ogenerrors.SecurityError
	switch {
	case errors.As(err, &parameters):
		return c.parameterProblem(r, parameters)
	case errors.As(err, &request):
		return c.requestProblem(r, request)
	case errors.As(err, &security):
		return &Error{Status: http.StatusUnauthorized, Code: CodeUnauthorized, Title: "Unauthorized"}
	case errors.Is(err, ht.ErrNotImplemented):
		return &Error{Status: http.StatusNotImplemented, Code: CodeNotImplemented, Title: "Not implemented"}
	}
	return AsError(err)
}

func (c *Contract) parameterProblem(r *http.Request, err *ogenerrors.DecodeParamsError) *Error {
	if len(r.Header.Values("Idempotency-Key")) == 0 && concerns(err, "Idempotency-Key") {
		return &Error{Status: http.StatusBadRequest, Code: CodeIdempotencyKeyRequired, Title: "Idempotency-Key required",
			Detail: "Make a key before the first attempt and send the same key with each repetition: one key, one effect.",
			Fields: []FieldError{{"header.Idempotency-Key", "is required"}}}
	}
	fields := c.explain(err.ID, func(d *document, op *operation) []FieldError { return d.explainParameters(op, r) })
	if len(fields) == 0 {
		fields = parameterFallback(err)
	}
	return invalidRequest(fields)
}

func concerns(err error, name string) bool {
	var parameter *ogenerrors.DecodeParamError
	return errors.As(err, &parameter) && strings.EqualFold(parameter.Name, name)
}

func parameterFallback(err error) []FieldError {
	var parameter *ogenerrors.DecodeParamError
	if !errors.As(err, &parameter) {
		return nil
	}
	return []FieldError{{string(parameter.In) + "." + parameter.Name, "does not have the form that the contract asks for"}}
}

func (c *Contract) requestProblem(r *http.Request, err *ogenerrors.DecodeRequestError) *Error {
	body, readErr := io.ReadAll(r.Body) // the decoder leaves the bytes that it read for the next reader
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return BodyProblem(tooLarge)
	case readErr != nil || errors.Is(err, io.ErrUnexpectedEOF) && len(body) == 0:
		return BodyProblem(err)
	case len(body) == 0:
		return bodyRequired()
	case !acceptedMedia(r, err):
		return unsupportedMedia("Send the body as application/json.")
	}
	if problem := scanJSON(body, BodyLimits{}.withDefaults().Depth); problem != nil {
		return problem // an internal route, whose body was not scanned before
	}
	fields := c.explain(err.ID, func(d *document, op *operation) []FieldError { return d.explainBody(op, body) })
	if len(fields) == 0 {
		fields = bodyFallback(err)
	}
	return invalidRequest(fields)
}

func acceptedMedia(r *http.Request, err error) bool {
	var invalid *validate.InvalidContentTypeError
	if errors.As(err, &invalid) {
		return false
	}
	_, _, parseErr := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return parseErr == nil
}

// explain runs look on the operation's schemas. Whatever goes wrong with them, the client still gets its 400.
func (c *Contract) explain(id string, look func(*document, *operation) []FieldError) (fields []FieldError) {
	defer func() {
		if v := recover(); v != nil {
			slog.Error("contract cannot explain a bad request", "operation", id, "panic", panicText(v))
			fields = nil
		}
	}()
	doc, err := c.load()
	if err != nil {
		slog.Error("contract cannot explain a bad request", "operation", id, "error", err)
		return nil
	}
	op, err := doc.compile(id)
	if err != nil {
		slog.Error("contract cannot explain a bad request", "operation", id, "error", err)
		return nil
	}
	return look(doc, op)
}

// decodedField finds the fields in the text of a decoding error: jx has no type that carries them.
var decodedField = regexp.MustCompile(`decode field "((?:[^"\\]|\\.)*)"`)

// bodyFallback names the field that the generated code complained about, as far as it tells, without its text: that may quote values.
func bodyFallback(err error) []FieldError {
	pointer := validatedPath(err)
	if pointer == nil {
		for _, match := range decodedField.FindAllStringSubmatch(err.Error(), -1) {
			pointer = append(pointer, match[1])
		}
	}
	return []FieldError{{maskPointer(joinPointer(pointer)), "does not have the form that the contract asks for"}}
}

var elementName = regexp.MustCompile(`^\[(\d+)\]$`)

func validatedPath(err error) []string {
	var pointer []string
	for range 32 { // as deep as a body may be
		var invalid *validate.Error
		if !errors.As(err, &invalid) || len(invalid.Fields) == 0 {
			break
		}
		name := invalid.Fields[0].Name
		if match := elementName.FindStringSubmatch(name); match != nil {
			name = match[1]
		}
		pointer, err = append(pointer, name), invalid.Fields[0].Error
	}
	return pointer
}

func invalidRequest(fields []FieldError) *Error {
	detail := "The request does not follow the contract; see errors."
	if len(fields) == 1 && fields[0].Field != "" {
		detail = fields[0].Field + " " + fields[0].Message
	}
	return &Error{Status: http.StatusBadRequest, Code: CodeInvalidRequest, Title: "Invalid request", Detail: detail, Fields: fields}
}

// NotFound answers a path that no operation has: give it to WithNotFound.
func NotFound(w http.ResponseWriter, _ *http.Request) {
	WriteProblem(w, &Error{Status: http.StatusNotFound, Code: CodeNotFound, Title: "Not found", Detail: "No operation has this path."})
}

// MethodNotAllowed answers a method that the path does not have: give it to WithMethodNotAllowed.
func MethodNotAllowed(w http.ResponseWriter, r *http.Request, allowed string) {
	h := w.Header()
	// The generated server answers OPTIONS as if every origin were welcome; CORS is the gateway's to decide.
	h.Del("Access-Control-Allow-Methods")
	h.Del("Access-Control-Allow-Headers")
	h.Set("Allow", strings.ReplaceAll(allowed, ",", ", "))
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	WriteProblem(w, &Error{Status: http.StatusMethodNotAllowed, Code: CodeMethodNotAllowed, Title: "Method not allowed",
		Detail: "This path knows " + h.Get("Allow") + "."})
}
