package rolling_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

var rolls = flag.Int("rolls", 4, "instances that TestRollsFailNothing replaces, one service after the other")

const (
	// The balancers hear of an instance that goes 300 ms later; it serves on for five times as long.
	endpointLag = 300 * time.Millisecond
	drainLag    = 1500 * time.Millisecond
	buyers      = 16
)

// binaries is where TestMain has built the services.
var binaries string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if binaries, err = os.MkdirTemp("", "veloz-rolling"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(binaries) }()
	build := exec.Command("go", "build", "-tags=noembedded", "-o", binaries, "../../cmd/api-gateway", "../../cmd/servico-pedidos", "../../cmd/servico-pagamentos", "../../cmd/servico-estoque")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the services: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// TestRollsFailNothing replaces one instance after the other under load: each order is taken, and is there afterwards.
func TestRollsFailNothing(t *testing.T) {
	p := startPlatform(t, binaries, drainLag, endpointLag)
	load := startLoad(t, p)
	for i := range *rolls {
		p.roll(t, p.services[i%len(p.services)])
	}
	load.stop()
	for _, failure := range load.failures {
		t.Error(failure)
	}
	t.Logf("%d rolls, %d orders, %d failed, the slowest %s", *rolls, len(load.orders), len(load.failures), load.slowest)
	if len(load.orders) < 10**rolls {
		t.Errorf("%d orders are no load for %d rolls", len(load.orders), *rolls)
	}
	load.readBack(t)
}

// TestRollsWithoutDrainingFail shows that the load would have noticed: instances that leave at once fail requests.
func TestRollsWithoutDrainingFail(t *testing.T) {
	p := startPlatform(t, binaries, 0, endpointLag)
	load := startLoad(t, p)
	for range 10 { // one in three buyers meets the gateway that is gone, if it asks in the third of a second that this takes
		if p.roll(t, p.gateway()); load.failed() {
			break
		}
	}
	load.stop()
	t.Logf("%d orders, %d failed", len(load.orders), len(load.failures))
	if len(load.failures) == 0 {
		t.Error("no request failed although the gateways left without draining: this load proves nothing")
	}
}

// roll replaces the oldest instance as a Deployment with maxSurge 1 and maxUnavailable 0 does.
func (p *platform) roll(t *testing.T, s *service) {
	t.Helper()
	p.grow(t, binaries, s)
	p.shrink(t, s)
}

// load is buyers who order one thing after the other.
type load struct {
	p      *platform
	client *http.Client
	ended  chan struct{}
	all    sync.WaitGroup

	mu       sync.Mutex
	orders   []string
	failures []string
	slowest  time.Duration
}

func startLoad(t *testing.T, p *platform) *load {
	t.Helper()
	l := &load{p: p, ended: make(chan struct{}), client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: buyers}}}
	t.Cleanup(l.client.CloseIdleConnections)
	for i, write := range []struct{ method, path, body string }{
		{http.MethodPut, "/v1/items/ROLL", `{"name":"Rolled","price_cents":100,"low_stock_threshold":0}`},
		{http.MethodPost, "/v1/stock-adjustments", `{"sku":"ROLL","delta":1000000,"reason":"load"}`},
	} {
		if status, body, err := l.send(write.method, write.path, fmt.Sprintf("setup-%d", i), write.body); err != nil || status/100 != 2 {
			t.Fatalf("%s: %d %s %v", write.path, status, body, err)
		}
	}
	for buyer := range buyers {
		l.all.Go(func() { l.buy(buyer) })
	}
	return l
}

func (l *load) stop() {
	close(l.ended)
	l.all.Wait()
}

func (l *load) failed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.failures) > 0
}

func (l *load) buy(buyer int) {
	for n := 0; ; n++ {
		select {
		case <-l.ended:
			return
		default:
		}
		began := time.Now()
		status, body, err := l.send(http.MethodPost, "/v1/orders", fmt.Sprintf("order-%d-%d", buyer, n),
			`{"customer":{"name":"Ana","email":"ana@example.com"},"items":[{"sku":"ROLL","quantity":1}],"payment":{"method":"card","token":"tok_approved"}}`)
		l.note(status, body, err, time.Since(began))
	}
}

func (l *load) note(status int, body []byte, err error, took time.Duration) {
	var order struct{ ID, Status string }
	if err == nil && status == http.StatusCreated {
		err = json.Unmarshal(body, &order)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slowest = max(l.slowest, took)
	if err != nil || status != http.StatusCreated || order.Status != "confirmed" {
		l.failures = append(l.failures, fmt.Sprintf("%s: status %d after %s, error %v, body %s", time.Now().Format(time.TimeOnly), status, took, err, body))
		return
	}
	l.orders = append(l.orders, order.ID)
}

func (l *load) send(method, path, key, body string) (status int, answer []byte, err error) {
	request, err := http.NewRequest(method, l.p.gateway().balancer.url()+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+l.p.token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", key)
	response, err := l.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// readBack asks for every order that was acknowledged.
func (l *load) readBack(t *testing.T) {
	t.Helper()
	for _, id := range l.orders {
		status, body, err := l.send(http.MethodGet, "/v1/orders/"+id, "", "")
		if err != nil || status != http.StatusOK || !strings.Contains(string(body), `"status":"confirmed"`) {
			t.Fatalf("order %s was acknowledged: %d %s %v", id, status, body, err)
		}
	}
}
