package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/contract"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/frames"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// forwarder is where a service's requests go once they are authenticated, limited and cleaned: a handler of this process
// is called as it is, without a proxy's copying. Whatever else can carry a request (a forwarder that gathers the order
// path into frames, say) is one more http.Handler in a route.
func forwarder(service contract.Service, b Backend, logger *slog.Logger) http.Handler {
	if b.Handler != nil {
		return b.Handler
	}
	base, _ := url.Parse(b.URL) // validated with the configuration
	return &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(base)
			// As it came: ReverseProxy drops what it cannot read, and the service would not know that something was asked for.
			p.Out.URL.RawQuery = p.In.URL.RawQuery
			// ReverseProxy drops these; here they are the gateway's own and not the client's.
			for _, name := range forwardedHeaders {
				if values := p.In.Header[name]; values != nil {
					p.Out.Header[name] = values
				}
			}
		},
		Transport:      b.Transport,
		BufferPool:     copyBuffers{},
		ModifyResponse: dropOwnHeaders,
		ErrorHandler:   proxyError(service, logger),
		ErrorLog:       slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}

// gatherOrders makes the forwarders that send the order path's requests in batches, where the orders service takes them:
// those that place an order and those that read one. Both may be sent twice (Transport), and their answers are small. Each
// kind has batches of its own, so that no reader waits for what is being placed.
func (g *Gateway) gatherOrders() error {
	g.gatherers = map[string]*frames.Forwarder{}
	if b := g.config.Orders; b.Handler != nil || !b.Frames {
		return nil
	}
	for _, operation := range []string{placeOrder, getOrder} {
		gatherer, err := g.newGatherer()
		if err != nil {
			return err
		}
		g.gatherers[operation] = gatherer
	}
	return nil
}

const (
	// openBatches is how many batches of a kind may wait for their slowest order: with a slow payment provider, that is as
	// long as an order waits at most.
	openBatches = 512
	// BackendConns bounds the connections to a service: what orders takes for both kinds, and as many for all other requests.
	BackendConns = 3 * openBatches
)

func (g *Gateway) newGatherer() (*frames.Forwarder, error) {
	b := g.config.Orders
	onError := proxyError(contract.Orders, g.config.Logger)
	return frames.New(frames.Config{
		URL: b.URL, Transport: b.Transport, Queue: g.config.MaxInFlight, Batches: 2, Open: openBatches,
		Timeout: g.config.RequestTimeout, Propagate: b.Propagate,
		OnError: func(w http.ResponseWriter, r *http.Request, err error) {
			if errors.Is(err, frames.ErrFull) {
				g.overload(w, OverRequests)
				return
			}
			onError(w, r, err)
		},
	})
}

// dropOwnHeaders removes what a backend says about security, for the gateway has said it and a header must not stand twice.
func dropOwnHeaders(response *http.Response) error {
	for _, name := range securityHeaders.Names() {
		response.Header.Del(name)
	}
	response.Header.Del("Server")
	return nil
}

// proxyError answers for a backend that did not. A request that never reached it may be sent again at once (503); for
// one that did, nobody knows whether it took effect (502, 504): the client repeats it with the same Idempotency-Key.
func proxyError(service contract.Service, logger *slog.Logger) func(http.ResponseWriter, *http.Request, error) {
	return func(w http.ResponseWriter, r *http.Request, err error) {
		var client clientError
		var tooLarge *http.MaxBytesError
		var network *net.OpError
		switch {
		case errors.As(err, &client), errors.As(err, &tooLarge):
			w.Header().Set("Connection", "close") // where the next request starts is unknown
			httpx.WriteProblem(w, httpx.BodyProblem(err))
			return
		case httpx.ClientGone(r.Context(), r.Context().Err()):
			w.WriteHeader(httpx.StatusClientGone) // nobody reads an answer, and nothing is wrong
			return
		case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
			httpx.WriteProblem(w, errBackendTimeout)
		case errors.As(err, &network) && network.Op == "dial":
			httpx.WriteProblem(w, errBackendDown)
		default:
			httpx.WriteProblem(w, errBackendUnavailable)
		}
		logger.WarnContext(r.Context(), "backend did not answer", "backend", service.String(), "error", err)
	}
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// copyBuffers lends the buffers through which ReverseProxy copies bodies.
type copyBuffers struct{}

const copyBufferSize = 32 << 10

var bufferPool = sync.Pool{New: func() any { return new([copyBufferSize]byte) }}

// Get implements httputil.BufferPool.
func (copyBuffers) Get() []byte { return bufferPool.Get().(*[copyBufferSize]byte)[:] }

// Put implements httputil.BufferPool.
func (copyBuffers) Put(b []byte) { bufferPool.Put((*[copyBufferSize]byte)(b)) }
