package gateway

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
)

// FuzzIdentify: nobody is anybody without the whole key.
func FuzzIdentify(f *testing.F) {
	g := start(f)
	token := g.key(f, keys.Options{Name: "shop", Scopes: keys.AllScopes()})
	for _, seed := range []string{"", "Bearer ", "Bearer vlz_", "Bearer " + token[:len(token)-1], "Basic " + token, "Bearer " + token[:17] + strings.Repeat("0", 43)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		r := &http.Request{Header: http.Header{"Authorization": {value}}}
		if who := g.callers.identify(r, testStart); who != nil && !strings.Contains(value, token) {
			t.Fatalf("%q is %s", value, who.ID)
		}
	})
}

// FuzzForwarded: whatever a client claims, its address is its own, or one that a trusted proxy named.
func FuzzForwarded(f *testing.F) {
	f.Add("10.0.0.1:1", "1.1.1.1, 203.0.113.9")
	f.Add("203.0.113.9:1", "10.0.0.1")
	f.Add("[::ffff:10.0.0.1]:1", "::ffff:10.0.0.2,,")
	f.Add("nonsense", "%")
	g := start(f, func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	f.Fuzz(func(t *testing.T, remote, forwarded string) {
		r := &http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": {forwarded}}}
		peer := peerAddress(remote)
		if got := g.clientAddress(r); !g.trusted(peer) && got != peer {
			t.Fatalf("%s became %s", remote, got)
		}
	})
}

// FuzzTraceParent: what is passed on cannot forge a line or another header, and has the parts of its standard.
func FuzzTraceParent(f *testing.F) {
	f.Add("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	f.Add("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more")
	f.Fuzz(func(t *testing.T, value string) {
		if validTraceParent([]string{value}) && (len(strings.Split(value, "-")) < 4 || len(value) < 55) {
			t.Fatalf("%q passed", value)
		}
	})
}
