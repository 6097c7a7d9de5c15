package httpx

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"
)

const sample = `{"customer":{"name":"Maria da Silva","email":"maria.silva@example.com.br","document":"529.982.247-25"},` +
	`"items":[{"sku":"CAMISETA-PRETA-M","quantity":2},{"sku":"TENIS-42","quantity":1},{"sku":"MEIA-BRANCA","quantity":5}],` +
	`"shipping_address":{"street":"Avenida Paulista","number":"1578","city":"São Paulo","state":"SP","postal_code":"01310-200"},` +
	`"payment":{"method":"card","token":"tok_approved"},"expected_total_cents":45990}`

func BenchmarkScanJSON(b *testing.B) {
	body := []byte(sample)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if scanJSON(body, 32) != nil {
			b.Fatal("refused")
		}
	}
}

func BenchmarkStrictBody(b *testing.B) {
	h := StrictBody(BodyLimits{})(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	reader := strings.NewReader(sample)
	r := httptest.NewRequest(http.MethodPost, "/v1/orders", reader)
	r.Header.Set("Content-Type", "application/json")
	body := r.Body
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(sample)
		r.Body = body
		h.ServeHTTP(nil, r)
	}
}

// FuzzScanJSON: what passes is valid for encoding/json too and survives re-encoding; what is refused is explained.
func FuzzScanJSON(f *testing.F) {
	for _, seed := range []string{sample, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, "\"\xff\"", `[1]x`, `{"a":"\ud800"}`, ``, `[[[[`, `"[[[["`, `1e9999`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		problem := scanJSON(body, 32)
		if problem == nil {
			var value any
			decoder := json.NewDecoder(bytes.NewReader(body))
			decoder.UseNumber()
			if err := decoder.Decode(&value); err != nil {
				t.Fatalf("passed, but %v", err)
			}
			return
		}
		if problem.Status != http.StatusBadRequest || problem.Detail == "" {
			t.Fatalf("unexplained: %+v", problem)
		}
	})
}

func TestNamesCompareExactly(t *testing.T) {
	t.Parallel()
	for body, ok := range map[string]bool{
		`{"a":1,"A":2}`: true, `{"a":1,"\u0061":2}`: false, `{"x":{"a":1},"y":{"a":1}}`: true, `[{"a":{"b":1,"b":1}}]`: false,
		`"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["`: true, `["\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["]`: true,
	} {
		if got := scanJSON([]byte(body), 32) == nil; got != ok {
			t.Errorf("%s: %v", body, got)
		}
	}
}

func TestPointersHideData(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"/a/b": "/a/b", "/4111111111111111": "/*", "/metadata/ana@example.com/x": "/metadata/*/x", "": "",
		"/a~1b": "/a~1b", "/Ana Souza": "/*", "/" + strings.Repeat("x", 65): "/*",
	} {
		if got := maskPointer(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// FuzzHeaders: an id that is taken over cannot forge a line or a header, and no spelling of an identity header survives.
func FuzzHeaders(f *testing.F) {
	f.Add("abc-123", "X-Veloz-Caller")
	f.Add("a\nb", "x_veloz-scopes")
	f.Fuzz(func(t *testing.T, id, name string) {
		if saneRequestID(id) && (len(id) > 128 || strings.ContainsAny(id, "\r\n\t \"\x00<>:;,")) {
			t.Fatalf("sane: %q", id)
		}
		h := http.Header{name: {"x"}}
		h.Set(name, "x")
		StripIdentity(h)
		for left := range h {
			if strings.HasPrefix(strings.ReplaceAll(strings.ToLower(left), "_", "-"), "x-veloz-") {
				t.Fatalf("left %q", left)
			}
		}
	})
}

// FuzzHead: where net/http finds a length in a head, the check for contradictions finds it too, however it is spelt.
func FuzzHead(f *testing.F) {
	for _, seed := range []string{"Content-Length: 5", "content-LENGTH:5", "Transfer-Encoding: chunked\r\nContent-Length: 5", "X: Content-Length: 5", "Content-Length\t: 5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, head string) {
		text := "POST / HTTP/1.1\r\nHost: a\r\n" + head + "\r\n\r\n"
		parsed, err := textproto.NewReader(bufio.NewReader(strings.NewReader(text[len("POST / HTTP/1.1\r\n"):]))).ReadMIMEHeader()
		if err != nil || strings.ContainsAny(head, "\r\n") && strings.Contains(head, "\n\n") {
			return
		}
		conn := &headConn{head: []byte(text)}
		if len(parsed["Content-Length"]) > 0 && !conn.hasContentLength() {
			t.Fatalf("%q has a length that is not found", head)
		}
	})
}
