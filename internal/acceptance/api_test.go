package acceptance_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// api is the public API as one key's holder sees it in one test.
type api struct {
	*testing.T
	system *system
	token  string
}

func (s *system) api(t *testing.T, key string) *api { return &api{t, s, s.tokens[key]} }

// as is the same test with another key.
func (a *api) as(key string) *api { return a.system.api(a.T, key) }

// response is an answer that was read to its end.
type response struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	body   []byte
}

// request describes what is sent. A string or bytes as body go as they are, nil sends none, all else goes as JSON.
type request struct {
	method, path string
	body         any
	headers      []string // names and values in turn; they replace the usual ones, and an empty value removes one
}

// try sends a request once and returns the transport's error.
func (a *api) try(ctx context.Context, client *http.Client, r request) (response, error) {
	body, err := encode(r.body)
	if err != nil {
		return response{}, err
	}
	out, err := http.NewRequestWithContext(ctx, r.method, a.system.gateway.URL()+r.path, body)
	if err != nil {
		return response{}, err
	}
	out.Header.Set("Authorization", "Bearer "+a.token)
	if r.body != nil {
		out.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(r.headers); i += 2 {
		if out.Header.Set(r.headers[i], r.headers[i+1]); r.headers[i+1] == "" {
			out.Header.Del(r.headers[i])
		}
	}
	in, err := client.Do(out)
	if err != nil {
		return response{}, err
	}
	text, err := io.ReadAll(in.Body)
	_ = in.Body.Close() // it was read, or its error is known
	return response{a.T, r.method + " " + r.path, in.StatusCode, in.Header, text}, err
}

func encode(body any) (io.Reader, error) {
	switch body := body.(type) {
	case nil:
		return http.NoBody, nil
	case string:
		return strings.NewReader(body), nil
	case []byte:
		return bytes.NewReader(body), nil
	case io.Reader: // of unknown length: it goes in chunks
		return body, nil
	}
	text, err := json.Marshal(body)
	return bytes.NewReader(text), err
}

func (a *api) send(method, path string, body any, headers ...string) response {
	a.Helper()
	r, err := a.try(a.Context(), a.system.client, request{method, path, body, headers})
	if err != nil {
		a.Fatalf("%s %s: %v", method, path, err)
	}
	return r
}

func (a *api) get(path string) response {
	a.Helper()
	return a.send(http.MethodGet, path, nil)
}

// place sends an order with a key of its own, unless the headers bring one.
func (a *api) place(body any, headers ...string) response {
	a.Helper()
	return a.send(http.MethodPost, "/v1/orders", body, append([]string{"Idempotency-Key", rand.Text()}, headers...)...)
}

// want ends the test unless the answer has one of the statuses. A problem must be one by RFC 9457.
func (r response) want(statuses ...int) response {
	r.t.Helper()
	if !slices.Contains(statuses, r.status) {
		r.t.Fatalf("%s: status %d, want %v: %s", r.what, r.status, statuses, r.body)
	}
	if r.status >= 400 && r.header.Get("Content-Type") != "application/problem+json" {
		r.t.Fatalf("%s: status %d comes as %q", r.what, r.status, r.header.Get("Content-Type"))
	}
	return r
}

// object is the answer as it stands.
func (r response) object() map[string]any {
	r.t.Helper()
	var object map[string]any
	if err := json.Unmarshal(r.body, &object); err != nil {
		r.t.Fatalf("%s: %v: %s", r.what, err, r.body)
	}
	return object
}

// decode reads an answer that must have no field that v has not.
func (r response) decode(v any) {
	r.t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(r.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		r.t.Fatalf("%s: %v: %s", r.what, err, r.body)
	}
}

func decodeAs[T any](r response) (v T) {
	r.t.Helper()
	r.decode(&v)
	return v
}

func (r response) order() order     { r.t.Helper(); return decodeAs[order](r) }
func (r response) item() item       { r.t.Helper(); return decodeAs[item](r) }
func (r response) problem() problem { r.t.Helper(); return decodeAs[problem](r) }

// wantFields checks the exact names of an object's members.
func (a *api) wantFields(what string, object any, names ...string) {
	a.Helper()
	members, ok := object.(map[string]any)
	if !ok {
		a.Fatalf("%s is %v, want an object", what, object)
	}
	got := slices.Sorted(maps.Keys(members))
	if slices.Sort(names); !slices.Equal(got, names) {
		a.Errorf("%s has the fields %v, want %v", what, got, names)
	}
}

// eventually polls, since the API has nothing to wait on.
func (a *api) eventually(within time.Duration, what string, done func() bool) {
	a.Helper()
	deadline := time.After(within)
	for tick := time.Tick(25 * time.Millisecond); !done(); {
		select {
		case <-tick:
		case <-deadline:
			a.Fatalf("%s: not within %s", what, within)
		}
	}
}

// soon bounds what the product does by itself within moments; the rest is for a busy machine.
const soon = 20 * time.Second

// awaitOrder polls an order until it has the status.
func (a *api) awaitOrder(id, status string) (o order) {
	a.Helper()
	a.eventually(soon, "order "+id+" becomes "+status, func() bool {
		o = a.get("/v1/orders/" + id).want(http.StatusOK).order()
		return o.Status == status
	})
	return o
}
