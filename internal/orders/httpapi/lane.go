package httpapi

import (
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/go-faster/jx"

	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// lane answers placements with the generated decoder, validator and encoder, but without the generated server's way of
// reading and writing: that copies the body twice, grows a new buffer for each answer, and leaves its length to net/http,
// which sends a long one in chunks. Whatever is not a plain, valid placement goes on to the generated server, which
// refuses it; so there is one place that refuses.
type lane struct {
	handler   *Handler
	generated http.Handler
}

// ServeHTTP implements http.Handler.
func (l lane) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && r.URL.Path == "/v1/orders" && r.URL.RawPath == "" && r.URL.RawQuery == "" {
		if body, params, ok := placement(r); ok {
			l.place(w, r, body, params)
			return
		}
	}
	l.generated.ServeHTTP(w, r)
}

func placement(r *http.Request) (*ordersapi.NewOrder, ordersapi.PlaceOrderParams, bool) {
	params, ok := placeParams(r.Header)
	whole, read := httpx.WholeBody(r)
	if !ok || !read || r.Header.Get("Content-Type") != "application/json" {
		return nil, params, false
	}
	d := jx.GetDecoder()
	defer jx.PutDecoder(d)
	d.ResetBytes(whole)
	body := new(ordersapi.NewOrder)
	if body.Decode(d) != nil || d.Skip() != io.EOF || body.Validate() != nil {
		return nil, params, false
	}
	return body, params, true
}

// placeParams reads the headers that the contract names, within what it allows.
func placeParams(h http.Header) (params ordersapi.PlaceOrderParams, ok bool) {
	keys, prefer := h["Idempotency-Key"], h["Prefer"]
	if len(keys) != 1 || !validKey(keys[0]) || len(prefer) > 1 {
		return params, false
	}
	params.IdempotencyKey = keys[0]
	if len(prefer) == 1 {
		params.Prefer.SetTo(prefer[0])
	}
	return params, len(params.Prefer.Value) <= 200
}

func validKey(key string) bool {
	for i := range len(key) {
		if key[i] < '!' || key[i] > '~' {
			return false
		}
	}
	return len(key) >= 1 && len(key) <= 255
}

func (l lane) place(w http.ResponseWriter, r *http.Request, body *ordersapi.NewOrder, params ordersapi.PlaceOrderParams) {
	answer, err := l.handler.PlaceOrder(r.Context(), body, params)
	if err != nil {
		problem := l.handler.NewError(r.Context(), err)
		retry := header{"Retry-After", problem.RetryAfter}
		write(w, problem.StatusCode, httpx.ProblemType, retry, problem.Response.Encode)
		return
	}
	switch order := answer.(type) {
	case *ordersapi.PlaceOrderCreated:
		write(w, http.StatusCreated, contentType, header{"Location", order.Location}, order.Response.Encode)
	case *ordersapi.PlaceOrderAccepted:
		write(w, http.StatusAccepted, contentType, header{"Location", order.Location}, order.Response.Encode)
	default:
		panic(fmt.Sprintf("a placement was answered with %T", answer)) // the contract got an answer that this does not know
	}
}

const contentType = "application/json; charset=utf-8"

// header is the one header that an answer of the contract has besides its type.
type header struct {
	name  string
	value ordersapi.OptString
}

func write(w http.ResponseWriter, status int, contentType string, extra header, encode func(*jx.Encoder)) {
	e := jx.GetEncoder()
	defer jx.PutEncoder(e)
	encode(e)
	values := []string{contentType, strconv.Itoa(len(e.Bytes())), extra.name, extra.value.Value}
	h := w.Header()
	h["Content-Type"] = values[0:1:1]
	h["Content-Length"] = values[1:2:2]
	h["Access-Control-Expose-Headers"] = values[2:3:3]
	if extra.value.Set {
		h[extra.name] = values[3:4:4]
	}
	w.WriteHeader(status)
	_, _ = w.Write(e.Bytes()) // the client is gone: nobody is left to tell
}
