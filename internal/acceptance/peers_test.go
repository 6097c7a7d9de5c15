package acceptance_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
)

// peerAnswers are what a backend must not be believed, by name.
var peerAnswers = map[string]http.HandlerFunc{
	"no JSON":          answerWith(http.StatusOK, "application/json", "<html>"),
	"another type":     answerWith(http.StatusOK, "text/html", "{}"),
	"an empty object":  answerWith(http.StatusOK, "application/json", "{}"),
	"too few results":  answerWith(http.StatusOK, "application/json", `{"results":[]}`),
	"unknown verdict":  answerWith(http.StatusOK, "application/json", `{"results":[{"verdict":"free"}]}`),
	"nested deep":      answerWith(http.StatusOK, "application/json", strings.Repeat(`{"results":[`, 10_000)),
	"an unknown state": answerWith(http.StatusTeapot, "text/plain", "short and stout"),
	"a made up error":  answerWith(http.StatusInternalServerError, "application/json", `{"secret":"swordfish"}`),
	"breaks off": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"results":`)
	},
}

func answerWith(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// hostilePeers puts a stand-in that answers nonsense behind the orders service, and one that redirects behind the gateway.
func hostilePeers(a *api) {
	var answer atomic.Pointer[http.HandlerFunc]
	var followed atomic.Int32
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
	defer trap.Close()
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/item-lookups") { // whatever is asked for exists
			body, _ := io.ReadAll(r.Body) // an incomplete one is no JSON, which the service has to stand too
			answerWith(http.StatusOK, "application/json", string(body))(w, r)
			return
		}
		(*answer.Load())(w, r)
	}))
	defer peer.Close()
	redirect := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "leaky")
		http.Redirect(w, r, trap.URL, http.StatusTemporaryRedirect)
	})
	answer.Store(&redirect)
	b := a.besideHostile(peer.URL)
	peerAnswers := maps.Clone(peerAnswers)
	peerAnswers["a redirect"] = redirect
	for name := range peerAnswers {
		handler := peerAnswers[name]
		answer.Store(&handler)
		r := b.place(card("tok_approved", line{"SOME-SKU", 1}), "Prefer", "wait=1")
		if r.status != http.StatusAccepted && r.status != http.StatusServiceUnavailable {
			a.Errorf("%s: the order is answered %d %s", name, r.status, r.body)
		}
		if r.status == http.StatusAccepted && r.order().Status != "placed" || bytes.Contains(r.body, []byte("swordfish")) {
			a.Errorf("%s: the order is %s", name, r.body)
		}
	}
	answer.Store(&redirect)
	r, err := b.try(a.Context(), &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		request{method: http.MethodGet, path: "/v1/items"})
	if err != nil || r.status >= 500 || r.header.Get("Server") != "" {
		a.Errorf("the gateway answers a redirect with %d %v: %v", r.status, r.header, err)
	}
	if followed.Load() != 0 {
		a.Error("a peer's redirect was followed")
	}
}

// besideHostile is an orders service and a gateway of their own, to which the peer is inventory and payments.
func (a *api) besideHostile(peer string) *api {
	a.Helper()
	dir := a.TempDir()
	s := &system{tokens: a.system.tokens, ids: a.system.ids, client: newClient(4)}
	both := []string{"ESTOQUE_SERVICE_URL=" + peer, "PAGAMENTOS_SERVICE_URL=" + peer}
	orders := newProgram(a.T, "servico-pedidos", nil, append([]string{"DATABASE_URL=sqlite://" + dir + "/orders.db"}, both...))
	s.gateway = newProgram(a.T, "api-gateway", nil, append([]string{"PEDIDOS_SERVICE_URL=" + orders.URL(), "VELOZ_API_KEYS_FILE=" + a.system.keysFile}, both...))
	s.programs = []*program{orders, s.gateway}
	a.Cleanup(func() {
		s.stop(a.T)
		for _, p := range s.programs {
			p.check(a.T)
		}
	})
	for _, p := range s.programs {
		p.start(a.T)
		p.awaitReady(a.T, "/health")
	}
	return s.api(a.T, admin)
}
