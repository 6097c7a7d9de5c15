package telemetry_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/batch"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/telemetry"
)

func wantMetrics(t *testing.T, m *telemetry.Metrics, want ...string) {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range want {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("%s is missing", line)
		}
	}
}

// TestTheQueueOfAStageThatHangsIsSeen: it never ends a batch, and its queue is read all the same.
func TestTheQueueOfAStageThatHangsIsSeen(t *testing.T) {
	t.Parallel()
	m := telemetry.NewMetrics("orders", "1")
	hang, hanging := make(chan struct{}), make(chan struct{})
	config := batch.Config{Name: "charge", Queue: 9, MaxBatch: 1, Workers: 1, Observer: m}
	stage, err := batch.NewStage(config, func(context.Context, []int) { close(hanging); <-hang })
	if err != nil {
		t.Fatal(err)
	}
	submit := func(items int) {
		for item := range items {
			if err := stage.Submit(item); err != nil {
				t.Fatal(err)
			}
		}
	}
	submit(1)
	ended := make(chan struct{})
	go func() { stage.Step(t.Context()); close(ended) }()
	<-hanging
	submit(7)
	wantMetrics(t, m, `veloz_batch_queued{service="orders",stage="charge"} 7`, `veloz_batch_queue_limit{service="orders",stage="charge"} 9`)
	close(hang)
	<-ended

	config.Queue = 3 // the same stage made anew, as by a service that starts again in one process
	if _, err := batch.NewStage(config, func(context.Context, []int) {}); err != nil {
		t.Fatal(err)
	}
	wantMetrics(t, m, `veloz_batch_queued{service="orders",stage="charge"} 0`, `veloz_batch_queue_limit{service="orders",stage="charge"} 3`)
}
