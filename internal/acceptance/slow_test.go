package acceptance_test

import (
	"bufio"
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// How many of each kind of slow client come at once, and how long the server may bear them: its limits of 5 s for a head
// and 20 s for a whole request, and as much again for a busy machine.
const (
	slowHeads, slowBodies, slowReaders = 300, 100, 50
	headLimit, bodyLimit               = 10 * time.Second, 40 * time.Second
	// neighbourLimit is less than who waits for slow clients would wait.
	neighbourLimit = 15 * time.Second
)

var slowPromises = []promise{{"slow clients are cut off, and cost their neighbours nothing", slowClients}}

func TestHostileSlowClients(t *testing.T) { in(t, shapes[1:2], hostileLimits, slowPromises) }

// drip is one slow client.
type drip struct {
	conn net.Conn
	end  chan ending
}

// ending is how a slow client ended, and when.
type ending struct {
	status int // of the answer, 0 when the connection was closed without one
	at     time.Time
}

// slowClients come at once: some never end their head, some never end their body, some never read. Meanwhile others buy.
func slowClients(a *api) {
	sku := a.stocked(100, 1_000_000)
	big := a.onWire(strings.Replace(getItem, "/v1/items/SKU", "/docs/swagger-ui-bundle.js", 1)+"\r\n", sku)
	for range slowReaders {
		conn := a.dial()
		defer func() { _ = conn.Close() }()
		if _, err := io.WriteString(conn, big); err != nil {
			a.Fatal(err)
		}
	}
	began := time.Now()
	heads := a.drips(slowHeads, a.onWire(getItem+"X-Slow: ", sku))
	bodies := a.drips(slowBodies, a.onWire(post+"Content-Length: 1000\r\n\r\n{", sku))
	stop, feeding := a.feed(append(heads, bodies...))
	var orders, slowest atomic.Int64
	buying := a.buyMeanwhile(stop, sku, &orders, &slowest)
	for kind, wanted := range map[string]struct {
		drips []drip
		limit time.Duration
	}{"heads": {heads, headLimit}, "bodies": {bodies, bodyLimit}} {
		for _, d := range wanted.drips {
			end := <-d.end
			status, took := end.status, end.at.Sub(began)
			if status != 0 && status != http.StatusRequestTimeout || kind == "heads" && took > headLimit+bodyLimit || took > wanted.limit+bodyLimit {
				a.Errorf("slow %s: answered %d after %s", kind, status, took)
			}
		}
	}
	close(stop)
	feeding.Wait()
	buying.Wait()
	if orders.Load() < 5 || slowest.Load() > int64(neighbourLimit) {
		a.Errorf("beside slow clients %d orders were placed, the slowest in %s", orders.Load(), time.Duration(slowest.Load()))
	}
	a.eventually(soon, "each order holds its unit", func() bool { return a.item(sku).Held == orders.Load() })
}

// drips opens connections, sends the beginning of a request on each, and waits for how they end.
func (a *api) drips(n int, beginning string) []drip {
	a.Helper()
	all := make([]drip, n)
	for i := range all {
		all[i] = drip{a.dial(), make(chan ending, 1)}
		if err := all[i].conn.SetDeadline(time.Now().Add(2 * bodyLimit)); err != nil {
			a.Fatal(err)
		}
		if _, err := io.WriteString(all[i].conn, beginning); err != nil {
			a.Fatal(err)
		}
		go func() {
			defer func() { _ = all[i].conn.Close() }()
			response, err := http.ReadResponse(bufio.NewReader(all[i].conn), nil)
			if err != nil {
				all[i].end <- ending{0, time.Now()}
				return
			}
			all[i].end <- ending{response.StatusCode, time.Now()}
		}()
	}
	return all
}

// feed sends a byte on each connection now and then, so that no idle limit helps against them.
func (a *api) feed(all []drip) (stop chan struct{}, done *sync.WaitGroup) {
	stop, done = make(chan struct{}), &sync.WaitGroup{}
	done.Go(func() {
		for tick := time.Tick(500 * time.Millisecond); ; {
			for _, d := range all {
				_, _ = d.conn.Write([]byte("x")) // one that was closed is known by its reader
			}
			select {
			case <-tick:
			case <-stop:
				return
			}
		}
	})
	return stop, done
}

// buyMeanwhile places orders one after the other until it is told to stop.
func (a *api) buyMeanwhile(stop <-chan struct{}, sku string, orders, slowest *atomic.Int64) *sync.WaitGroup {
	var done sync.WaitGroup
	done.Go(func() {
		for tick := time.Tick(100 * time.Millisecond); ; {
			began := time.Now()
			r, err := a.try(a.Context(), a.system.client, request{http.MethodPost, "/v1/orders", card("tok_approved", line{sku, 1}), []string{"Idempotency-Key", rand.Text()}})
			slowest.Store(max(slowest.Load(), int64(time.Since(began))))
			if err != nil || r.status != http.StatusCreated && r.status != http.StatusAccepted { // the latter on a busy machine
				a.Errorf("a neighbour of slow clients is answered %d %s: %v", r.status, r.body, err)
				return
			}
			orders.Add(1)
			select {
			case <-tick:
			case <-stop:
				return
			}
		}
	})
	return &done
}
