package veloz

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
)

const someKey = "vlz_000000000000_0000000000000000000000000000000000000000000"

// order sends an order to a platform that answers by handler, and returns the message and the exit code.
func order(t *testing.T, ctx context.Context, handler http.HandlerFunc) (string, int) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	command := ordersPlace{Lines: []orderLine{{"CAFE-500G", 1}}, Name: "Ana", Email: "ana@example.com",
		connection: connection{address: address{Server: config.PeerURL(server.URL)}, Key: someKey}}
	command.IdempotencyKey = "the-key"
	err := command.Run(ctx, &terminal{out: io.Discard, notes: io.Discard})
	if err == nil {
		t.Fatal("no error")
	}
	return err.Error(), exitCode(err)
}

func TestAnErrorSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	problem := func(status int, body string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   []string
	}{
		"overload": {problem(503, `{"type":"x","title":"More requests than can be served now","status":503,"code":"overloaded"}`, "Retry-After", "1"),
			[]string{"More requests", "another try in 1 s", "--idempotency-key the-key"}},
		"unknown effect": {problem(504, `{"type":"x","title":"The service did not answer in time","status":504,"code":"backend_timeout"}`),
			[]string{"--idempotency-key the-key"}},
		"scope":      {problem(403, `{"type":"x","title":"The API key may not do this","status":403,"code":"insufficient_scope"}`), []string{"veloz keys create NAME --scope"}},
		"not ours":   {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusBadGateway) }, []string{"502 Bad Gateway", "--server"}},
		"redirect":   {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, []string{"302 Found"}},
		"unreadable": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201) }, []string{"cannot be read", "another version"}},
		"broken off": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, []string{"did not answer", "--idempotency-key the-key"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			message, code := order(t, t.Context(), test.answer)
			for _, want := range test.want {
				if !strings.Contains(message, want) {
					t.Errorf("%q is missing in %s", want, message)
				}
			}
			if code != exitFailed || strings.Contains(message, someKey) {
				t.Error(code, message)
			}
		})
	}
}

func TestCtrlCTellsHowToRepeat(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	message, code := order(t, ctx, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice that its client has gone
		cancel()
		<-r.Context().Done()
	})
	if code != exitInterrupted || !strings.HasPrefix(message, "interrupted") || !strings.Contains(message, "--idempotency-key the-key") {
		t.Error(code, message)
	}
}

func TestFieldsAndShortagesAreTold(t *testing.T) {
	t.Parallel()
	var p ordersapi.Problem
	err := p.UnmarshalJSON([]byte(`{"type":"x","title":"Invalid request","status":400,"code":"invalid_request","detail":"Two fields are wrong.",
		"errors":[{"field":"/items/0/quantity","message":"must be at least 1"},{"field":"","message":"must be an object"}],
		"shortages":[{"sku":"TV-55","requested":3,"available":1}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := "Invalid request|Two fields are wrong.|/items/0/quantity must be at least 1|must be an object|TV-55: 3 asked for, 1 left"
	if got := strings.Join(problemLines(&p), "|"); got != want {
		t.Error(got)
	}
}

type refusal string

func (r refusal) Error() string    { return "FATAL: " + string(r) }
func (r refusal) SQLState() string { return string(r) }

func TestADatabaseThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"refuses the user or the password": refusal("28P01"),
		"does not exist on that server":    refusal("3D000"),
		"may not make schemas":             refusal("42501"),
		"FATAL: 53300":                     refusal("53300"),
		"did not answer within":            context.DeadlineExceeded,
		"a host that does not exist":       &net.DNSError{Name: "db", IsNotFound: true},
	} {
		if got := explainDatabase(errors.Join(err, errors.New("more"))).Error(); !strings.Contains(got, want) {
			t.Errorf("%q is missing in %q", want, got)
		}
	}
}
