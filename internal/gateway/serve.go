package gateway

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// serve finds who answers a request. Health comes before every limit: an overloaded gateway is alive, and must be able to
// say so.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) {
	if problem := g.malformed(r); problem != nil {
		httpx.WriteProblem(w, problem)
		return
	}
	if page := g.health[r.URL.Path]; page != nil {
		servePage(w, r, page)
		return
	}
	if page := g.pages[r.URL.Path]; page != nil {
		if !g.take(g.anonymous.of(g.clientAddress(r)), w.Header(), g.config.Clock.Now()) {
			httpx.WriteProblem(w, errRateLimited)
			return
		}
		servePage(w, r, page)
		return
	}
	found := g.routes.find(r.URL.Path)
	if found == nil {
		httpx.WriteProblem(w, errNotFound)
		return
	}
	operation := found.route(r.Method)
	if operation == nil {
		w.Header().Set("Allow", found.allow)
		httpx.WriteProblem(w, errMethodNotAllowed)
		return
	}
	g.call(w, r, operation)
}

func servePage(w http.ResponseWriter, r *http.Request, page http.Handler) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		httpx.WriteProblem(w, errMethodNotAllowed)
		return
	}
	page.ServeHTTP(w, r)
}

// malformed checks what needs no knowledge of the route.
func (g *Gateway) malformed(r *http.Request) *httpx.Error {
	switch {
	case len(r.URL.Path)+len(r.URL.RawQuery) > g.config.MaxURLBytes:
		return errURLTooLong
	case !plainPath(r):
		return errInvalidPath
	}
	return nil
}

// call lets a request through to its service, cheapest refusal first: at ten times capacity a refusal is most of the work.
func (g *Gateway) call(w http.ResponseWriter, r *http.Request, to *route) {
	defer g.inFlight.Add(-1)
	if g.inFlight.Add(1) > to.admission {
		g.overload(w, OverRequests)
		return
	}
	if to.newOrders == nil {
		g.pass(w, r, to)
		return
	}
	began := time.Now()
	if !to.newOrders.enter(began) {
		g.overload(w, OverWait)
		return
	}
	answer, served := httpx.Record(w), false
	defer func() {
		now := time.Now()
		to.newOrders.leave(now, served && to.newOrders.finishedWith(answer.Status(), now.Sub(began)))
	}()
	served = g.pass(answer, r, to)
}

// pass sends an admitted request on to its service, or refuses it for what it is. It tells whether the service saw it.
func (g *Gateway) pass(w http.ResponseWriter, r *http.Request, to *route) (served bool) {
	client := g.clientAddress(r)
	who, problem := g.authorize(w.Header(), r, to, client)
	if problem != nil {
		httpx.WriteProblem(w, problem)
		return false
	}
	if r.ContentLength > g.config.MaxBodyBytes {
		httpx.WriteProblem(w, errBodyTooLarge)
		return false
	}
	g.clean(r, who, client)
	if r.ContentLength < 0 { // a stated length was checked, and the server reads no more than it
		r.Body = http.MaxBytesReader(w, r.Body, g.config.MaxBodyBytes)
	}
	if _, read := httpx.WholeBody(r); !read && r.Body != nil && r.Body != http.NoBody {
		r.Body = clientBody{r.Body}
	}
	if to.gathered { // it has its own deadline, and says who calls in the headers
		to.forward.ServeHTTP(w, r)
		return true
	}
	ctx, cancel := context.WithTimeout(r.Context(), g.config.RequestTimeout)
	defer cancel()
	if who != nil {
		ctx = httpx.WithIdentity(ctx, who.identity)
	}
	to.forward.ServeHTTP(w, r.WithContext(ctx))
	return true
}

// authorize tells whose request it is, nobody's for a public operation, or why it goes no further. A valid key is limited
// by itself alone: strangers who share its address cannot use up what it may send.
func (g *Gateway) authorize(answer http.Header, r *http.Request, to *route, client netip.Addr) (*caller, *httpx.Error) {
	now := g.config.Clock.Now()
	if to.Public {
		return nil, g.limitAddress(answer, client, now, nil)
	}
	who := g.callers.identify(r, now)
	if who == nil {
		return nil, g.limitAddress(answer, client, now, errUnauthenticated)
	}
	if !g.take(who.limiter, answer, now) {
		return nil, errRateLimited
	}
	if !keys.Allows(who.Scopes, to.Scope) {
		answer["Www-Authenticate"] = []string{challenge + `, error="insufficient_scope", scope="` + to.Scope.String() + `"`}
		return nil, insufficientScope(to.Scope)
	}
	return who, nil
}

// limitAddress returns otherwise as long as the client's address has not used up its limit.
func (g *Gateway) limitAddress(answer http.Header, client netip.Addr, now time.Time, otherwise *httpx.Error) *httpx.Error {
	if !g.take(g.anonymous.of(client), answer, now) {
		return errRateLimited
	}
	if otherwise == errUnauthenticated {
		answer["Www-Authenticate"] = challengeHeader
	}
	return otherwise
}
