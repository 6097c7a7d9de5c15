package gatewayapp

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway"
)

// measure counts what the gateway refuses. Every reason is there from the start, with 0: a rate needs to see the first one.
func measure(g *gateway.Gateway, registry *prometheus.Registry) error {
	for _, reason := range gateway.Refusals() {
		err := registry.Register(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "veloz_gateway_refused_total",
			Help:        "Requests that were refused before any service saw them, by the setting whose limit they are over.",
			ConstLabels: prometheus.Labels{"reason": reason.String()}}, func() float64 { return float64(g.Refused(reason)) }))
		if err != nil {
			return fmt.Errorf("register the gateway's metrics: %w", err)
		}
	}
	return nil
}
