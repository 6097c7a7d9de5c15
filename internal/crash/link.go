//go:build linux

package crash

import (
	"context"
	"fmt"
	"strings"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/pedidos-veloz/pedidos-veloz/internal/launch"
)

// link is a connection between two parts of a system that can be broken.
type link struct {
	name  string
	proxy *toxiproxy.Proxy
}

func newLink(name, upstream string) (*link, error) {
	listen, err := launch.FreeAddress()
	if err != nil {
		return nil, err
	}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	l := &link{name, toxiproxy.NewProxy(server, name, listen, upstream)}
	return l, l.mend()
}

func (l *link) address() string { return l.proxy.Listen }

// cut breaks all connections and refuses new ones.
func (l *link) cut() { l.proxy.Stop() }

// mend undoes cut.
func (l *link) mend() error {
	if err := l.proxy.Start(); err != nil {
		return fmt.Errorf("link %s: %w", l.name, err)
	}
	return nil
}

// lead makes the link lead elsewhere, with new connections.
func (l *link) lead(upstream string) error {
	if err := l.proxy.Update(&toxiproxy.Proxy{Listen: l.proxy.Listen, Upstream: upstream, Enabled: true}); err != nil {
		return fmt.Errorf("link %s: %w", l.name, err)
	}
	return nil
}

// toxics by the kind of fault; the attributes are toxiproxy's, in milliseconds.
var toxics = map[Kind]string{
	Silence: `{"type": "timeout", "stream": "%s", "attributes": {"timeout": 0}}`,
	Slow:    `{"type": "latency", "stream": "%s", "attributes": {"latency": 300, "jitter": 150}}`,
}

// poison spoils both directions, until cure.
func (l *link) poison(kind Kind) error {
	for _, direction := range []string{"upstream", "downstream"} {
		if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(toxics[kind], direction))); err != nil {
			return fmt.Errorf("link %s: %s: %w", l.name, kind, err)
		}
	}
	return nil
}

func (l *link) cure(ctx context.Context) { l.proxy.Toxics.ResetToxics(ctx) }
