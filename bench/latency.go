package main

import (
	"context"
	"fmt"

	"github.com/pedidos-veloz/pedidos-veloz/internal/load"
)

// An idle platform has one caller; at half of its peak, orders come when they come, and not when others were answered.
const (
	latencyIdle = "idle"
	latencyHalf = "half of peak"
)

// measureLatency measures how long an order takes, in the shapes whose peak was measured before.
func (b *bench) measureLatency(ctx context.Context) error {
	for range b.rounds {
		for _, s := range b.shapes {
			if !s.plan.ours {
				continue
			}
			peak := b.results.rate(s.plan.name, workloads[0].name)
			for _, w := range []workload{
				{name: latencyIdle, scenario: load.Uniform, clients: 1},
				// A thousand new connections and a process that was asleep are not what is asked for here.
				{name: latencyHalf, scenario: load.Uniform, rate: peak / 2, warmUp: b.brief()},
			} {
				m, err := s.measure(ctx, w, b.brief()+w.warmUp)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", s.plan.name, w.name, err)
				}
				say("%-12s %-34s %7.0f orders/s, p50 %s, p99 %s", w.name, s.plan.name, m.rate, m.p50, m.p99)
				b.results.add(s.plan.name, w.name, m)
			}
		}
	}
	return nil
}
