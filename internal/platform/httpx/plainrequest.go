package httpx

import (
	"bytes"
	"context"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
)

// verdict is what parsePlain thinks of the bytes that have arrived.
type verdict uint8

const (
	other      verdict = iota // net/http's affair, be it wrong or merely rare
	incomplete                // it may become plain
	plain
)

// plainRequest is a plain request.
type plainRequest struct {
	method, target, host string
	url                  url.URL
	header               http.Header
	body                 []byte // of its own
}

// template is what request copies, for only a copy can have a context.
var template = &http.Request{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody}

// request is what net/http would make of it.
func (p *plainRequest) request(ctx context.Context, remote string) *http.Request {
	r := template.WithContext(ctx)
	r.Method, r.RequestURI, r.Host, r.URL, r.Header, r.RemoteAddr = p.method, p.target, p.host, &p.url, p.header, remote
	if len(p.body) > 0 {
		r.Body, r.ContentLength = newReadyBody(p.body), int64(len(p.body))
	}
	return r
}

// parsePlain takes a request apart that net/http would take apart in the same way; where there is the least doubt it does
// not. FuzzPlain compares the two.
func parsePlain(in []byte) (*plainRequest, verdict) {
	size := bytes.Index(in, []byte("\r\n\r\n"))
	if size < 0 {
		return nil, incomplete
	}
	rest := string(in[:size+2]) // one string for all: each line ends in CR LF
	in = in[size+4:]
	p := &plainRequest{}
	line, rest, ok := cutLine(rest)
	if !ok || !p.start(line) {
		return nil, other
	}
	const usual = 14 // what a map of 16 places takes, with those that the gateway adds
	p.header = make(http.Header, usual)
	length := 0
	values := make([]string, 0, strings.Count(rest, "\n"))
	for rest != "" {
		if line, rest, ok = cutLine(rest); !ok {
			return nil, other
		}
		name, value, ok := cutField(line)
		if !ok {
			return nil, other
		}
		if name == "Host" {
			if p.host != "" || !plainHost(value) {
				return nil, other
			}
			p.host = value
			continue
		}
		if !p.field(name, value, &length) {
			return nil, other
		}
		if values = append(values, value); p.header[name] != nil {
			p.header[name] = append(p.header[name], value)
			continue
		}
		p.header[name] = values[len(values)-1 : len(values) : len(values)]
	}
	switch {
	case p.host == "", len(in) > length: // the next request is here already
		return nil, other
	case len(in) < length:
		return nil, incomplete
	}
	if length > 0 {
		p.body = bytes.Clone(in)
	}
	return p, plain
}

// start reads the request line.
func (p *plainRequest) start(line string) bool {
	method, rest, _ := strings.Cut(line, " ")
	target, version, _ := strings.Cut(rest, " ")
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return false
	}
	if version != "HTTP/1.1" || target == "" || target[0] != '/' {
		return false
	}
	path, query, asked := strings.Cut(target, "?")
	if !every(path, isPath) || !every(query, isQuery) || asked && query == "" {
		return false
	}
	p.method, p.target = method, target
	p.url.Path, p.url.RawQuery = path, query
	return true
}

// field looks at what a header says about the request's frame.
func (p *plainRequest) field(name, value string, length *int) bool {
	switch name {
	case "Transfer-Encoding", "Trailer", "Te", "Upgrade", "Expect", "Pragma":
		return false
	case "Connection":
		return value == "keep-alive" || value == "Keep-Alive"
	case "Content-Length":
		n, err := strconv.Atoi(value)
		if p.header[name] != nil || err != nil || len(value) > 4 || !every(value, isDigit) {
			return false
		}
		*length = n
	}
	return true
}

// cutLine cuts the first line off. Only CR LF ends one, and no line is empty.
func cutLine(text string) (line, rest string, ok bool) {
	end := strings.IndexByte(text, '\n')
	if end < 2 || text[end-1] != '\r' {
		return "", "", false
	}
	return text[:end-1], text[end+1:], true
}

func cutField(line string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(line, ":")
	if !ok || name == "" || !every(name, isFieldName) {
		return "", "", false
	}
	value = strings.Trim(value, " \t") // and not textproto.TrimString, which trims a CR too
	return textproto.CanonicalMIMEHeaderKey(name), value, every(value, isFieldValue)
}

func plainHost(host string) bool { return host != "" && every(host, isHost) }

// charset is a set of bytes.
type charset uint8

const (
	isPath charset = 1 << iota // of RFC 3986 what nobody escapes, and the slash
	isQuery
	isFieldName
	isFieldValue
	isHost
	isDigit
)

var charsets = func() (table [256]charset) {
	set := func(k charset, bytes string) {
		for i := range len(bytes) {
			table[bytes[i]] |= k
		}
	}
	const digits = "0123456789"
	const alphanumeric = digits + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	set(isDigit, digits)
	set(isPath, alphanumeric+"/-._~")
	set(isQuery, alphanumeric+"/-._~!$&'()*+,;=:@?%")
	set(isFieldName, alphanumeric+"!#$%&'*+-.^_`|~")
	set(isHost, alphanumeric+".-:[]")
	for c := range table {
		if c == '\t' || c >= ' ' && c != 0x7f {
			table[c] |= isFieldValue
		}
	}
	return table
}()

func every(text string, k charset) bool {
	for i := range len(text) {
		if charsets[text[i]]&k == 0 {
			return false
		}
	}
	return true
}
