package audit_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/audit"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
)

// TestLiveLoadIsNoViolation audits again and again, the youngest orders too, while buyers buy, pay and cancel.
func TestLiveLoadIsNoViolation(t *testing.T) {
	t.Parallel()
	s := open(t)
	const buyers, purchases, audits = 16, 400, 3
	const patience = 3 * time.Second // a busy machine may take as long to hear of a payment
	ctx, end := context.WithCancel(t.Context())
	var bought, keys atomic.Int64
	var wg sync.WaitGroup
	for range buyers {
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := s.live(ctx, int(keys.Add(1))); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
				bought.Add(1)
			}
		})
	}
	var reread int64
	for done := 0; (done < audits || bought.Load() < purchases) && !t.Failed(); done++ {
		report := s.audit(audit.Config{Clock: clock.System{}, Patience: patience})
		for _, f := range report.Findings {
			t.Errorf("%s: %s", f.Kind, f.Text)
		}
		reread += report.Reread
	}
	end()
	wg.Wait()
	last := s.audit(audit.Config{Clock: clock.System{}, Patience: patience})
	if !last.OK() || last.Orders < purchases {
		t.Errorf("at the end: %+v", last)
	}
	t.Logf("%d orders, %d read again", last.Orders, reread+last.Reread)
}

// live is one purchase of any sort.
func (s *shop) live(ctx context.Context, key int) error {
	tokens := []string{"tok_approved", "tok_approved", "tok_declined", "tok_timeout_approved", "", ""}
	sku := "PLENTY"
	if rand.N(10) == 0 {
		sku = "NONE"
	}
	order, err := place(ctx, s.orders, key, request(sku, tokens[rand.N(len(tokens))]))
	if err != nil {
		return err
	}
	if order.Status == orders.AwaitingPayment && rand.N(3) > 0 {
		if _, err := s.payer.PaySandboxPix(ctx, paymentsapi.OptSandboxPayment{}, paymentsapi.PaySandboxPixParams{Txid: order.Pix.TxID}); err != nil {
			return err
		}
	}
	if order.Status != orders.Rejected && rand.N(4) == 0 {
		_, err = s.orders.Cancel(ctx, order.ID, "test", time.Now().Add(time.Minute))
	}
	return err
}
