package telemetry_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/telemetry"
)

// TestABatchIsSeenFromEachOfItsTraces: work that two requests share is a child of the one and linked to the other.
func TestABatchIsSeenFromEachOfItsTraces(t *testing.T) {
	t.Parallel()
	var got collector
	server := httptest.NewServer(&got)
	defer server.Close()
	tracing, err := telemetry.NewTracing(telemetry.TraceConfig{Service: "orders", Version: "1",
		Getenv: env(map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL})})
	if err != nil {
		t.Fatal(err)
	}
	const first, second = "00-11111111111111111111111111111111-1111111111111111-01", "00-22222222222222222222222222222222-2222222222222222-01"
	var members []any
	for _, traceparent := range []string{first, second} {
		h := tracing.HTTP(route)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			members = append(members, tracing.Of(r.Context()))
		}))
		r := httptest.NewRequest("POST", "/v1/orders", nil)
		r.Header.Set("Traceparent", traceparent)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	if tracing.Of(t.Context()) != nil || len(members) != 2 || members[0] == nil || members[1] == nil {
		t.Fatalf("traces of requests: %v", members)
	}
	ctx, end := tracing.Batch(t.Context(), "place", members)
	if tracing.Of(ctx) == nil {
		t.Error("the batch is in no trace")
	}
	end()
	if err := tracing.Shutdown(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	sent := strings.Join(got.bodies, "\n")
	_, batch, found := strings.Cut(sent, `"name":"stage place"`)
	if !found || !strings.Contains(batch, `"links":[{"traceId":"`+strings.Repeat("2", 32)+`"`) {
		t.Errorf("no batch that is linked to the second trace: %s", sent)
	}
	if n := strings.Count(sent, strings.Repeat("1", 32)); n < 2 {
		t.Errorf("the first trace has %d spans, want its request and the batch", n)
	}
}
