package paymentsapp

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/memory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/lifecycle"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/telemetry"
)

// folding has work for two steps, and tells of each that was asked for.
type folding struct {
	*memory.Store
	steps chan struct{}
	done  int
}

// Fold implements payments.Store. One loop calls it.
func (f *folding) Fold(context.Context) (more bool, err error) {
	f.done++
	f.steps <- struct{}{}
	return f.done < 2, nil
}

// TestTheSumsAreFoldedThoughNobodyReadsThem: the service does it by itself, step after step while there is more.
func TestTheSumsAreFoldedThoughNobodyReadsThem(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	stack := lifecycle.NewStack(log)
	store := &folding{Store: memory.New(), steps: make(chan struct{}, 2)}
	rt := &process.Runtime{Log: log, Metrics: telemetry.NewMetrics("test", "test"), Clock: clock.System{}}
	cfg := Config{PixExpiry: time.Hour, MerchantName: "Loja", MerchantCity: "Recife", ChargePatience: time.Second, ProviderTimeout: time.Second, ProviderCalls: 1}
	if _, err := ComposeOver(stack, rt, cfg, store); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stack.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	for range 2 {
		select {
		case <-store.steps:
		case <-time.After(30 * time.Second):
			t.Fatal("nothing was folded")
		}
	}
}
