package httpx

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"reflect"
	"testing"
)

// FuzzPlain: what parsePlain takes for a whole request, net/http reads in the same way, to its last byte.
func FuzzPlain(f *testing.F) {
	const body = "\r\nContent-Length: 2\r\n\r\n{}"
	for _, text := range []string{
		"GET /v1/orders/1?a=b&c=%20 HTTP/1.1\r\nHost: a:80\r\n\r\n",
		"POST /v1/orders HTTP/1.1\r\nHost: a\r\nauthorization: Bearer x\r\nX-A:\t b \r\nX-A: c\r\nConnection: keep-alive" + body,
		"POST /v1/orders HTTP/1.1\r\nHost: a" + body + "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked" + body,
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3" + body,
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 2" + body,
		"POST / HTTP/1.1\nHost: a\n\nX: y" + body,
		"POST / HTTP/1.1\r\nHost: a\r\n folded" + body,
		"POST //a/../b HTTP/1.1\r\nHost: [::1]:80" + body,
		"GET http://b/c HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
		"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
		"GET /? HTTP/1.1\r\nHost: a\r\nX-\xc3\xa9: \xc3\xa9\r\n\r\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, verdict := parsePlain(in)
		if verdict != plain {
			return
		}
		reader := bufio.NewReader(bytes.NewReader(in))
		want, err := http.ReadRequest(reader)
		if err != nil {
			t.Fatalf("net/http refuses what is plain: %v", err)
		}
		wantBody, err := io.ReadAll(want.Body)
		if rest := reader.Buffered(); err != nil || rest > 0 {
			t.Fatalf("the body: %v; %d bytes are left", err, rest)
		}
		r := got.request(context.Background(), "")
		gotBody, _ := io.ReadAll(r.Body)
		if !bytes.Equal(gotBody, wantBody) || r.ContentLength != want.ContentLength || len(want.TransferEncoding) > 0 || want.Close {
			t.Errorf("body %q of %d, want %q of %d", gotBody, r.ContentLength, wantBody, want.ContentLength)
		}
		if !reflect.DeepEqual(r.Header, want.Header) {
			t.Errorf("headers %q, want %q", r.Header, want.Header)
		}
		if r.Method != want.Method || r.RequestURI != want.RequestURI || r.Host != want.Host || r.Proto != want.Proto || *r.URL != *want.URL {
			t.Errorf("%s %s %s %+v, want %s %s %s %+v", r.Method, r.RequestURI, r.Host, r.URL, want.Method, want.RequestURI, want.Host, want.URL)
		}
	})
}
