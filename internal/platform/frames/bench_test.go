package frames

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// body is as long as a small order, and about as long as its answer.
var body = []byte(`{"customer":{"name":"Ana Souza","email":"ana@example.com"},` + strings.Repeat(" ", 400) + `"items":[]}`)

// BenchmarkRequest is what a request costs on its way through a batch: written by the gateway, read by the service.
func BenchmarkRequest(b *testing.B) {
	r := httptest.NewRequest(http.MethodPost, "/v1/orders", nil)
	r.Header = http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {"0123456789abcdef"}, "X-Request-Id": {"0123456789abcdef"}}
	var buffer []byte
	b.ReportAllocs()
	for b.Loop() {
		buffer = appendRequest(buffer[:0], r, body)
		frame, err := readFrame(bytes.NewReader(buffer))
		if err != nil {
			b.Fatal(err)
		}
		if got, err := parseRequest(frame); err != nil || len(got.body) != len(body) {
			b.Fatalf("%d bytes: %v", len(got.body), err)
		}
	}
}

// BenchmarkAnswer is what an answer costs on its way back.
func BenchmarkAnswer(b *testing.B) {
	a := answer{index: 255, status: http.StatusCreated, header: http.Header{"Content-Type": {"application/json"}, "Location": {"/v1/orders/0"}}, body: body}
	var buffer []byte
	b.ReportAllocs()
	for b.Loop() {
		buffer = appendAnswer(buffer[:0], a)
		frame, err := readFrame(bytes.NewReader(buffer))
		if err != nil {
			b.Fatal(err)
		}
		if got, err := parseAnswer(frame, http.Header{}); err != nil || got.index != a.index || len(got.body) != len(body) {
			b.Fatalf("answer %d with %d bytes: %v", got.index, len(got.body), err)
		}
	}
}
