package frames_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/frames"
)

// backend serves handler behind frames.Handler and counts the batches.
type backend struct {
	server  *httptest.Server
	batches atomic.Int64
}

func newBackend(t *testing.T, handler http.HandlerFunc) *backend {
	t.Helper()
	b := &backend{}
	unpack := frames.Handler(handler)
	b.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.batches.Add(1)
		unpack.ServeHTTP(w, r)
	}))
	t.Cleanup(b.server.Close)
	return b
}

func newForwarder(t *testing.T, url string, change func(*frames.Config)) *frames.Forwarder {
	t.Helper()
	cfg := frames.Config{URL: url, Transport: http.DefaultTransport, Queue: 2000, Batches: 2, Open: 64, Timeout: 10 * time.Second,
		OnError: func(w http.ResponseWriter, _ *http.Request, err error) {
			w.Header().Set("Error", err.Error())
			w.WriteHeader(http.StatusBadGateway)
		}}
	if change != nil {
		change(&cfg)
	}
	f, err := frames.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return f
}

func post(f http.Handler, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/v1/orders?a=b", strings.NewReader(body))
	r.Header.Set("X-Name", body)
	f.ServeHTTP(w, r)
	return w
}

func TestEachRequestGetsItsOwnAnswer(t *testing.T) {
	t.Parallel()
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/orders" || r.URL.RawQuery != "a=b" {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		w.Header().Set("Name", r.Header.Get("X-Name"))
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "got %s", body)
	})
	f := newForwarder(t, b.server.URL, nil)
	var wg sync.WaitGroup
	for i := range 500 {
		wg.Go(func() {
			name := fmt.Sprint("order ", i)
			w := post(f, name)
			if w.Code != http.StatusCreated || w.Body.String() != "got "+name || w.Header().Get("Name") != name {
				t.Errorf("%d %s %q", w.Code, w.Header(), w.Body)
			}
		})
	}
	wg.Wait()
	if n := b.batches.Load(); n > 250 {
		t.Errorf("500 requests at once went out in %d batches", n)
	}
}

// TestASlowRequestHoldsUpNobody: its batch's neighbours are answered before it, and so are later batches.
func TestASlowRequestHoldsUpNobody(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Name") == "slow" {
			<-release
		}
	})
	f := newForwarder(t, b.server.URL, func(c *frames.Config) { c.Batches = 1 })
	slow := make(chan int)
	for range 5 {
		go func() { slow <- post(f, "slow").Code }()
	}
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if w := post(f, "quick"); w.Code != http.StatusOK {
				t.Error(w.Code)
			}
		})
	}
	wg.Wait() // while all five are held
	close(release)
	for range 5 {
		if code := <-slow; code != http.StatusOK {
			t.Error(code)
		}
	}
}

// TestSlowRequestsNeverStopTheQuickOnes: each keeps a batch open, and more come than there may be open ones.
func TestSlowRequestsNeverStopTheQuickOnes(t *testing.T) {
	t.Parallel()
	const slow = 2 * time.Second
	b := newBackend(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Name") == "slow" {
			<-time.After(slow)
		}
	})
	f := newForwarder(t, b.server.URL, func(c *frames.Config) { c.Open, c.Timeout = 32, slow+slow/8 })
	var wg sync.WaitGroup
	for end := time.Now().Add(slow * 3 / 2); time.Now().Before(end); {
		wg.Go(func() { post(f, "slow") })
		began := time.Now()
		if w := post(f, "quick"); w.Code != http.StatusOK {
			t.Error(w.Code, w.Header())
		}
		if took := time.Since(began); took > slow*3/4 {
			t.Errorf("a quick request took %s", took)
		}
	}
	wg.Wait()
}

// TestAFrameThatIsRefusedConcernsNobodyElse: a client may send more header fields than a frame may have.
func TestAFrameThatIsRefusedConcernsNobodyElse(t *testing.T) {
	t.Parallel()
	b := newBackend(t, func(http.ResponseWriter, *http.Request) {})
	f := newForwarder(t, b.server.URL, nil)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			w, r, want := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/v1/orders/1", nil), http.StatusOK
			if i%10 == 0 {
				want = http.StatusBadRequest
				for n := range 300 {
					r.Header.Set(fmt.Sprint("X-Field-", n), "value")
				}
			}
			if f.ServeHTTP(w, r); w.Code != want {
				t.Errorf("%d instead of %d: %s %s", w.Code, want, w.Header(), w.Body)
			}
		})
	}
	wg.Wait()
}

func TestACallerThatLeavesDoesNotStopItsRequest(t *testing.T) {
	t.Parallel()
	began, release, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	b := newBackend(t, func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-release
		ended <- r.Context().Err()
	})
	f := newForwarder(t, b.server.URL, nil)
	ctx, leave := context.WithCancel(context.Background())
	left := make(chan string)
	go func() {
		w := httptest.NewRecorder()
		f.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/orders", nil).WithContext(ctx))
		left <- w.Header().Get("Error")
	}()
	<-began
	leave()
	if got := <-left; got != context.Canceled.Error() {
		t.Error(got)
	}
	close(release)
	if err := <-ended; err != nil {
		t.Errorf("the request was canceled: %v", err)
	}
}

func TestAPanicAnswersItsFrameAlone(t *testing.T) {
	t.Parallel()
	b := newBackend(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Name") == "poison" {
			panic("poison")
		}
	})
	f := newForwarder(t, b.server.URL, nil)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			name, want := "fine", http.StatusOK
			if i == 7 {
				name, want = "poison", http.StatusInternalServerError
			}
			if w := post(f, name); w.Code != want {
				t.Errorf("%s: %d", name, w.Code)
			}
		})
	}
	wg.Wait()
}

func TestErrors(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(nil)
	gone.Close()
	if w := post(newForwarder(t, gone.URL, nil), "x"); w.Code != http.StatusBadGateway || !strings.Contains(w.Header().Get("Error"), "refused") {
		t.Error(w.Code, w.Header())
	}
	refusing := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(refusing.Close)
	if w := post(newForwarder(t, refusing.URL, nil), "x"); !strings.Contains(w.Header().Get("Error"), "404") {
		t.Error(w.Header())
	}
	cutting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte{0, 0, 0, 9, 1})
	}))
	t.Cleanup(cutting.Close)
	if w := post(newForwarder(t, cutting.URL, nil), "x"); !strings.Contains(w.Header().Get("Error"), "malformed") {
		t.Error(w.Header())
	}
}

func TestAFullQueueIsToldAtOnce(t *testing.T) {
	t.Parallel()
	f, err := frames.New(frames.Config{URL: "http://unused", Transport: http.DefaultTransport, Queue: 1, Batches: 1, Open: 1, Timeout: time.Second,
		OnError: func(w http.ResponseWriter, _ *http.Request, err error) {
			if errors.Is(err, frames.ErrFull) {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	codes := make(chan int, 3)
	for range 3 { // nothing runs, so one fills the queue and waits there
		go func() {
			w := httptest.NewRecorder()
			f.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil).WithContext(ctx))
			codes <- w.Code
		}()
	}
	for range 2 {
		if code := <-codes; code != http.StatusServiceUnavailable {
			t.Error(code)
		}
	}
	cancel()
	<-codes
}

func FuzzHandler(f *testing.F) {
	f.Add([]byte{0, 0, 0, 8, 4, 'P', 'O', 'S', 'T', 1, '/', 0})
	f.Fuzz(func(t *testing.T, body []byte) {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, frames.Path, strings.NewReader(string(body)))
		r.Header.Set("Content-Type", "application/vnd.veloz.frames")
		frames.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Error(w.Code)
		}
	})
}

// dyingTransport is Go's when a batch was sent over a connection that died, and the backend refused the next one.
type dyingTransport struct{ written bool }

func (d dyingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(r.Context()); d.written && trace != nil {
		trace.WroteHeaders()
	}
	return nil, &net.OpError{Op: "dial", Err: errors.New("no such host")}
}

// TestABatchThatMayHaveArrivedIsNoFailureToConnect: the caller tells a failure to connect as "nothing was done".
func TestABatchThatMayHaveArrivedIsNoFailureToConnect(t *testing.T) {
	t.Parallel()
	for _, written := range []bool{false, true} {
		dialed := false
		f := newForwarder(t, "http://unused", func(cfg *frames.Config) {
			cfg.Transport = dyingTransport{written}
			cfg.OnError = func(_ http.ResponseWriter, _ *http.Request, err error) {
				var network *net.OpError
				dialed = errors.As(err, &network)
			}
		})
		post(f, "x")
		if dialed == written {
			t.Errorf("written %t: told as a failure to connect: %t", written, dialed)
		}
	}
}

// TestNobodyWaitsLongerThanItsTime, neither for an answer nor to be sent.
func TestNobodyWaitsLongerThanItsTime(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	b := newBackend(t, func(http.ResponseWriter, *http.Request) { <-release })
	f := newForwarder(t, b.server.URL, func(c *frames.Config) { c.Batches, c.Open, c.Timeout = 1, 1, 100*time.Millisecond })
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if w := post(f, "slow"); !strings.Contains(w.Header().Get("Error"), context.DeadlineExceeded.Error()) {
				t.Errorf("%d %s", w.Code, w.Header())
			}
		})
	}
	wg.Wait()
	close(release)
}
