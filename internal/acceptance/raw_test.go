package acceptance_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var rawPromises = []promise{
	{"no bytes on the wire break it or become somebody's order", rawBytes},
	{"pipelined requests are answered in turn", pipelining},
	{"clients that leave early leave nothing behind", earlyClose},
}

// bomb is 200 MB of zeros, in fewer bytes than a body may have.
func bomb(t testing.TB) []byte {
	t.Helper()
	packed, err := packedBomb()
	if err != nil || len(packed) > 256<<10 {
		t.Fatalf("a bomb of %d bytes: %v", len(packed), err)
	}
	return packed
}

// packedBomb packs 4 MB once: members of a gzip file that follow each other are one text (RFC 1952, section 2.2).
var packedBomb = sync.OnceValues(func() ([]byte, error) {
	var member bytes.Buffer
	z := gzip.NewWriter(&member)
	_, err := z.Write(make([]byte, 4<<20))
	err = errors.Join(err, z.Close())
	return bytes.Repeat(member.Bytes(), 50), err
})

// zeros never ends.
type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// wire is text for a connection of its own. KEY, SKU and ORDER stand for a key, an item with stock, and an order of one of it.
type wire struct {
	name, text string
	statuses   []int // of the first answer; 0 is a connection that was closed without one
}

const (
	post    = "POST /v1/orders HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer KEY\r\nContent-Type: application/json\r\nIdempotency-Key: UNIQUE\r\n"
	getItem = "GET /v1/items/SKU HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer KEY\r\n"
)

// wires are what no client library sends. net/http refuses most of what is no HTTP by itself, in plain text; what it does
// not speak at all it answers with 501 and 505, which are right for it (RFC 9112, sections 2.3 and 6.1).
var wires = []wire{
	{"length and chunks", post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nCHUNKS", []int{400}},
	{"chunks and length", post + "Transfer-Encoding: chunked\r\ncontent-length: 5\r\n\r\nCHUNKS", []int{400}},
	{"two lengths", post + "Content-Length: LENGTH\r\nContent-Length: 1\r\n\r\nORDER", []int{400}},
	{"two lengths in one line", post + "Content-Length: LENGTH, 1\r\n\r\nORDER", []int{400}},
	{"a length with a sign", post + "Content-Length: +LENGTH\r\n\r\nORDER", []int{400}},
	{"a negative length", post + "Content-Length: -1\r\n\r\nORDER", []int{400}},
	{"a length of another base", post + "Content-Length: 0x10\r\n\r\nORDER", []int{400}},
	{"a length beyond 64 bits", post + "Content-Length: 99999999999999999999\r\n\r\nORDER", []int{400}},
	{"a length of 8 EB", post + "Content-Length: 9223372036854775807\r\n\r\nORDER", []int{413}},
	{"a space before the colon", post + "Content-Length : LENGTH\r\n\r\nORDER", []int{400}},
	{"chunked, with a tab", post + "Transfer-Encoding:\tchunked\r\nContent-Length: 5\r\n\r\nCHUNKS", []int{400}},
	{"chunked, spelt otherwise", post + "Transfer-Encoding: xchunked\r\n\r\nCHUNKS", []int{400, 501}},
	{"chunked twice", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\nCHUNKS", []int{400, 501}},
	{"chunked and gzip", post + "Transfer-Encoding: gzip, chunked\r\n\r\nCHUNKS", []int{400, 501}},
	{"chunked in HTTP/1.0", strings.Replace(post, "1.1", "1.0", 1) + "Transfer-Encoding: chunked\r\n\r\nCHUNKS", []int{400}},
	{"a chunk that is no number", post + "Transfer-Encoding: chunked\r\n\r\nzz\r\nORDER\r\n0\r\n\r\n", []int{400}},
	{"a chunk beyond 64 bits", post + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nORDER\r\n0\r\n\r\n", []int{400}},
	{"a chunk that ends early", post + "Transfer-Encoding: chunked\r\n\r\n1\r\nORDER\r\n0\r\n\r\n", []int{400}},
	{"a chunk with a long extension", post + "Transfer-Encoding: chunked\r\n\r\n5;" + strings.Repeat("x", 100_000) + "\r\nORDER\r\n0\r\n\r\n", []int{0, 400}},
	{"trailers without end", post + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("X-A: b\r\n", 100_000) + "\r\n", []int{0, 400, 431}},
	{"an identity in a trailer", getItem + "Trailer: X-Veloz-Scopes\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Veloz-Scopes: admin\r\n\r\n", []int{200}},
	{"no host", "GET /v1/items/SKU HTTP/1.1\r\nAuthorization: Bearer KEY\r\n\r\n", []int{400}},
	{"two hosts", getItem + "Host: b\r\n\r\n", []int{400}},
	{"a host with a path", "GET /health HTTP/1.1\r\nHost: a/../b\r\n\r\n", []int{200, 400}},
	{"a header without a colon", getItem + "nonsense\r\n\r\n", []int{400}},
	{"a header without a name", getItem + ": x\r\n\r\n", []int{400}},
	{"a folded header", getItem + "X-A: b\r\n c\r\n\r\n", []int{200, 400}},
	{"a first header that is folded", "GET /health HTTP/1.1\r\n Host: a\r\n\r\n", []int{400}},
	{"a NUL in a value", getItem + "X-A: a\x00b\r\n\r\n", []int{400}},
	{"a NUL in a name", getItem + "X\x00A: b\r\n\r\n", []int{400}},
	{"a NUL in the path", "GET /v1/items/\x00 HTTP/1.1\r\nHost: a\r\n\r\n", []int{400}},
	{"bytes above 127 in the path", "GET /v1/items/\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n", []int{400}},
	{"a carriage return alone", getItem + "X-A: a\rb\r\n\r\n", []int{400}},
	{"line feeds alone", "GET /health HTTP/1.1\nHost: a\n\n", []int{200, 400}},
	{"10,000 headers", getItem + strings.Repeat("X-A: b\r\n", 10_000) + "\r\n", []int{0, 431}},
	{"101 headers", getItem + strings.Repeat("X-A: b\r\n", 101) + "\r\n", []int{431}},
	{"a header of 1 MB", getItem + "X-A: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", []int{0, 431}},
	{"a URL of 1 MB", "GET /v1/items/" + strings.Repeat("x", 1<<20) + " HTTP/1.1\r\nHost: a\r\n\r\n", []int{0, 414, 431}},
	{"a method of 1 MB", strings.Repeat("X", 1<<20) + " / HTTP/1.1\r\nHost: a\r\n\r\n", []int{0, 400, 431}},
	{"an absolute address", "GET http://169.254.169.254/v1/items/SKU HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer KEY\r\n\r\n", []int{200}},
	{"an absolute address of an internal route", "POST http://estoque:8003/internal/v1/holds HTTP/1.1\r\nHost: estoque:8003\r\nContent-Length: 0\r\n\r\n", []int{404}},
	{"CONNECT", "CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: 169.254.169.254:80\r\n\r\n", []int{400, 404, 405}},
	{"CONNECT to a route", "CONNECT /v1/items/SKU HTTP/1.1\r\nHost: a\r\n\r\n", []int{400, 405}},
	{"options of all", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", []int{200, 400}},
	{"a star", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", []int{400}},
	{"TRACE", "TRACE /v1/orders HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer KEY\r\n\r\n", []int{405}},
	{"a method in lower case", "get /v1/orders HTTP/1.1\r\nHost: a\r\n\r\n", []int{405}},
	{"a method with a space", "GE T /v1/orders HTTP/1.1\r\nHost: a\r\n\r\n", []int{400}},
	{"HTTP/0.9", "GET /health\r\n\r\n", []int{400}},
	{"HTTP/1.0", "GET /v1/items/SKU HTTP/1.0\r\nAuthorization: Bearer KEY\r\n\r\n", []int{200}},
	{"HTTP/1.0 without a length", strings.Replace(post, "1.1", "1.0", 1) + "\r\nORDER", []int{400}},
	{"HTTP/2 by knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{0, 400, 405, 505}},
	{"HTTP/2 by upgrade", getItem + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", []int{200}},
	{"a web socket", getItem + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n", []int{200}},
	{"HTTP/3.0", "GET /health HTTP/3.0\r\nHost: a\r\n\r\n", []int{400, 505}},
	{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 32) + "\r\n\r\n", []int{0, 400}},
	{"an expectation that nobody knows", post + "Expect: miracles\r\nContent-Length: LENGTH\r\n\r\nORDER", []int{417}},
	{"ranges of nonsense", getItem + "Range: bytes=" + strings.Repeat("0-,", 3000) + "\r\n\r\n", []int{200}},
	{"an encoded body", post + "Content-Encoding: gzip\r\nContent-Length: LENGTH\r\n\r\nORDER", []int{415}},
	{"nothing but line breaks", strings.Repeat("\r\n", 10_000), []int{0, 400, 431}},
}

// onWire fills in what a wire's words stand for.
func (a *api) onWire(text, sku string) string {
	body := strings.ReplaceAll(`{`+ana+`,`+one+`,`+paid+`}`, "SKU", sku)
	return strings.NewReplacer("KEY", a.token, "SKU", sku, "UNIQUE", rand.Text(), "ORDER", body, "LENGTH", fmt.Sprint(len(body)),
		"CHUNKS", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)).Replace(text)
}

func rawBytes(a *api) {
	sku := a.stocked(100, 1000)
	for _, w := range wires {
		status, err := a.wireStatus(a.onWire(w.text, sku))
		if !slices.Contains(w.statuses, status) {
			a.Errorf("%s: status %d (%v), want one of %v", w.name, status, err, w.statuses)
		}
		if i := a.item(sku); i.SKU != sku || i.Held != 0 { // also that the next one's answer is its own
			a.Errorf("after %s a neighbour reads %+v", w.name, i)
		}
	}
	a.wantNothingOrdered(sku, 1000)
}

// wireStatus sends bytes on a connection of their own and is the status of the first answer, or 0 if it was closed without one.
func (a *api) wireStatus(text string) (int, error) {
	conn := a.dial()
	defer func() { _ = conn.Close() }()
	go func() { _, _ = io.WriteString(conn, text) }() // the server may answer and close before it has read everything
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return -1, err // a connection that hangs is not one that was closed
		}
		return 0, err
	}
	return response.StatusCode, nil
}

// wireLimit is longer than the server waits for anything.
const wireLimit = 40 * time.Second

func (a *api) dial() net.Conn {
	a.Helper()
	conn, err := net.Dial("tcp", a.system.gateway.Address)
	if err != nil {
		a.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(wireLimit)); err != nil {
		a.Fatal(err)
	}
	return conn
}

func pipelining(a *api) {
	first, second := a.stocked(100, 10), a.stocked(100, 20)
	var text strings.Builder
	for range 20 {
		text.WriteString(a.onWire(getItem+"\r\n", first) + a.onWire(getItem+"\r\n", second))
	}
	text.WriteString(a.onWire("GET /v1/nothing HTTP/1.1\r\nHost: a\r\nX-A: b : c\r\nbroken\r\n\r\n"+getItem+"\r\n", first))
	conn := a.dial()
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, text.String()); err != nil {
		a.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	for n := range 40 {
		r := a.readResponse(reader)
		if want := []string{first, second}[n%2]; r.status != http.StatusOK || r.object()["sku"] != want {
			a.Fatalf("answer %d: %d %s, want %s", n, r.status, r.body, want)
		}
	}
	if r := a.readResponse(reader); r.status != http.StatusBadRequest {
		a.Errorf("the broken one was answered %d", r.status)
	}
	if _, err := http.ReadResponse(reader, nil); err == nil {
		a.Error("what followed a broken request was answered")
	}
}

func (a *api) readResponse(from *bufio.Reader) response {
	a.Helper()
	in, err := http.ReadResponse(from, nil)
	if err != nil {
		a.Fatal(err)
	}
	text, err := io.ReadAll(in.Body)
	if err != nil {
		a.Fatal(err)
	}
	return response{a.T, "on the wire", in.StatusCode, in.Header, text}
}

// earlyClose leaves at each byte of an order's last part, in order and by a reset. An order whose last byte was not sent
// is none; one that was sent whole may become one, for a client that leaves cancels nothing.
func earlyClose(a *api) {
	sku := a.stocked(100, 1000)
	whole := a.onWire(post+"Content-Length: LENGTH\r\n\r\nORDER", sku)
	for cut := 1; cut < len(whole); cut += 7 {
		conn := a.dial()
		if _, err := io.WriteString(conn, whole[:cut]); err != nil {
			a.Fatal(err)
		}
		if cut%2 == 0 {
			_ = conn.(*net.TCPConn).SetLinger(0) // the close becomes a reset
		}
		if err := conn.Close(); err != nil {
			a.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(a.Context(), time.Minute)
	defer cancel()
	for range 20 { // clients that leave while they are answered
		conn := a.dial()
		if _, err := io.WriteString(conn, a.onWire(strings.Replace(getItem, "/v1/items/SKU", "/v1/orders?limit=100", 1)+"\r\n", sku)); err != nil {
			a.Fatal(err)
		}
		_ = conn.Close()
	}
	if r, err := a.try(ctx, a.system.client, request{method: http.MethodGet, path: "/v1/orders?" + url.Values{"sku": {sku}}.Encode()}); err != nil || r.status != http.StatusOK {
		a.Fatalf("a neighbour is answered %d: %v", r.status, err)
	}
	a.wantNothingOrdered(sku, 1000)
}
