package telemetry

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/batch"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// unmatched is the route of a request that no operation has: paths of clients never become labels.
const unmatched = "unmatched"

// Metrics owns a registry and the measures that every service has.
type Metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.HistogramVec
	inFlight  prometheus.Gauge
	queues    *queues
	batchSize *prometheus.HistogramVec
	batchWait *prometheus.HistogramVec
	batchWork *prometheus.HistogramVec
}

var _ batch.Observer = (*Metrics)(nil)

// NewMetrics makes the metrics of one process. Every series carries the constant label `service`.
func NewMetrics(service, version string) *Metrics {
	seconds := []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "veloz_http_request_duration_seconds",
			Help: "Requests by route, method and class of status; the count is the rate.", Buckets: seconds}, []string{"route", "method", "status"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "veloz_http_requests_in_flight", Help: "Requests that are being served."}),
		queues:   newQueues(),
		batchSize: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "veloz_batch_size",
			Help: "Items a batch.", Buckets: prometheus.ExponentialBuckets(1, 2, 11)}, []string{"stage"}),
		batchWait: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "veloz_batch_wait_seconds",
			Help: "How long the oldest item of a batch waited.", Buckets: seconds}, []string{"stage"}),
		batchWork: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "veloz_batch_work_seconds",
			Help: "How long the work on a batch took.", Buckets: seconds}, []string{"stage"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "veloz_build_info", Help: "1, with the build in its labels.", ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	prometheus.WrapRegistererWith(prometheus.Labels{"service": service}, m.registry).
		MustRegister(m.requests, m.inFlight, m.queues, m.batchSize, m.batchWait, m.batchWork, build)
	return m
}

// Registry is where a service registers its own measures.
func (m *Metrics) Registry() *prometheus.Registry { return m.registry }

// Handler serves the registry in Prometheus' format.
func (m *Metrics) Handler() http.Handler {
	// What the database cannot answer now is left out: the other measures are wanted most when it is away.
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, MaxRequestsInFlight: 4, ErrorHandling: promhttp.ContinueOnError})
}

// Stage implements batch.Observer.
func (m *Metrics) Stage(name string, limit int, queued func() int) {
	m.queues.add(name, queue{limit, queued})
}

// Batch implements batch.Observer.
func (m *Metrics) Batch(stage string, size int, wait, work time.Duration) {
	m.batchSize.WithLabelValues(stage).Observe(float64(size))
	m.batchWait.WithLabelValues(stage).Observe(wait.Seconds())
	m.batchWork.WithLabelValues(stage).Observe(work.Seconds())
}

// HTTP measures each request: rate, errors and duration. route names the operation, from a closed set, such as the path
// pattern that ogen's Server.FindPath tells; "" becomes "unmatched".
func (m *Metrics) HTTP(route func(*http.Request) string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			m.inFlight.Inc()
			recorder := httpx.Record(w)
			began, name, returned := time.Now(), route(r), false
			defer func() {
				m.inFlight.Dec()
				m.observe(name, r.Method, answered(recorder, returned), time.Since(began))
			}()
			next.ServeHTTP(recorder, r)
			returned = true
		})
	}
}

func (m *Metrics) observe(route, method string, status int, took time.Duration) {
	if route == "" {
		route = unmatched
	}
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions:
	default:
		method = "other"
	}
	m.requests.WithLabelValues(route, method, statusClass(status)).Observe(took.Seconds())
}

// statusClass is a status' first digit and xx. Constants, because every request needs one.
func statusClass(status int) string {
	classes := [...]string{"0xx", "1xx", "2xx", "3xx", "4xx", "5xx"}
	return classes[min(max(status/100, 0), len(classes)-1)]
}

// answered is the status that the client got; a handler that panicked before it answered got 500 from httpx.Recover.
func answered(recorder *httpx.Recorder, returned bool) int {
	switch {
	case recorder.Status() != 0:
		return recorder.Status()
	case returned:
		return http.StatusOK
	}
	return http.StatusInternalServerError
}
