package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

const (
	forwardedPrefix = "X-Forwarded-"
	hstsHeader      = "Strict-Transport-Security"
)

// securityHeaders go onto every answer. The API's answers are data: no page may frame them and nothing in them may run.
// http.CrossOriginProtection is left out on purpose: it guards credentials that a browser sends by itself, and a bearer
// key is never one of those.
var (
	securityHeaders = httpx.NewConstant(common...)
	strictHeaders   = httpx.NewConstant(append(common, [2]string{hstsHeader, "max-age=31536000; includeSubDomains"})...)

	common = [][2]string{
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"},
		{"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
	}

	forwardedHeaders = [...]string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"}
)

// clean turns the client's headers into what the service may believe. It changes the request's own map, since nobody
// reads the client's version afterwards and a copy would cost more than the whole authentication.
func (g *Gateway) clean(r *http.Request, who *caller, client netip.Addr) {
	h := r.Header
	// A client that lists X-Veloz-Caller in Connection would otherwise have the proxy remove it after it was set.
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			h.Del(textproto.TrimString(name))
		}
	}
	for name := range h {
		if reserved(name) {
			delete(h, name)
		}
	}
	if !validTraceParent(h["Traceparent"]) {
		delete(h, "Traceparent")
		delete(h, "Tracestate")
	}
	setForwarded(r, client)
	if who != nil {
		h[httpx.CallerHeader] = who.idHeader
		h[httpx.ScopesHeader] = who.scopesHeader
	}
}

// reserved tells whether a client's header must not reach a service: its credentials end here, and where it comes from
// is for the gateway to say. Names with an underscore are dropped because many a server reads X_Real_Ip as X-Real-Ip.
func reserved(name string) bool {
	switch name {
	case "Authorization", "Cookie", "Forwarded", "X-Real-Ip":
		return true
	case "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade": // concern one connection (RFC 9110, section 7.6.1) and end here
		return true
	}
	return strings.HasPrefix(name, forwardedPrefix) || httpx.IsIdentityHeader(name) || strings.Contains(name, "_")
}

func setForwarded(r *http.Request, client netip.Addr) {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	values := []string{client.String(), r.Host, scheme}
	for i, name := range forwardedHeaders {
		r.Header[name] = values[i : i+1 : i+1]
	}
}

// clientAddress is the nearest address that is not a trusted proxy: what the connection says, and behind trusted proxies
// the last entry of X-Forwarded-For that none of them made. Everything left of that entry is the client's own invention.
func (g *Gateway) clientAddress(r *http.Request) netip.Addr {
	address := peerAddress(r.RemoteAddr)
	if len(g.config.TrustedProxies) == 0 {
		return address
	}
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !g.trusted(address) {
			break
		}
		named, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		address = named.Unmap()
	}
	return address
}

func (g *Gateway) trusted(address netip.Addr) bool {
	return slices.ContainsFunc(g.config.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(address) })
}

func peerAddress(remote string) netip.Addr {
	if port, err := netip.ParseAddrPort(remote); err == nil {
		return port.Addr().Unmap()
	}
	host, _, _ := net.SplitHostPort(remote)
	address, _ := netip.ParseAddr(host) // the zero address: all such clients share one limit
	return address.Unmap()
}

// validTraceParent checks W3C Trace Context, section 3.2: version, trace id, parent id, flags. An invalid one is dropped
// with its tracestate, and the services begin a new trace.
func validTraceParent(values []string) bool {
	if len(values) != 1 {
		return false
	}
	v := values[0]
	if len(v) < 55 || v[2] != '-' || v[35] != '-' || v[52] != '-' {
		return false
	}
	version, trace, parent, flags := v[:2], v[3:35], v[36:52], v[53:55]
	if version == "ff" || version == "00" && len(v) != 55 || len(v) > 55 && v[55] != '-' {
		return false
	}
	return isLowerHex(version) && isLowerHex(trace) && isLowerHex(parent) && isLowerHex(flags) &&
		strings.Trim(trace, "0") != "" && strings.Trim(parent, "0") != ""
}

func isLowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
