package ordersapp

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

// scrapeTimeout bounds what a scrape may ask of the database.
const scrapeTimeout = 2 * time.Second

// metrics counts what happens to orders.
type metrics struct{ events *prometheus.CounterVec }

func newMetrics(registry *prometheus.Registry) *metrics {
	m := &metrics{events: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "veloz_order_events_total",
		Help: "Events of orders by type and reason, such as order.rejected for out_of_stock."}, []string{"type", "reason"})}
	registry.MustRegister(m.events)
	// There from the start, with 0: an alert needs to see the first one.
	m.events.WithLabelValues(string(orders.EventCanceled), string(orders.ReasonUnprocessable))
	return m
}

// reasons is the closed set of labels: a person's words never become one.
var reasons = map[string]bool{
	string(orders.ReasonOutOfStock): true, string(orders.ReasonPaymentDeclined): true, string(orders.ReasonPriceChanged): true,
	string(orders.ReasonLimitExceeded): true, string(orders.ReasonExpired): true,
	string(orders.ReasonUnprocessable): true,
}

func (m *metrics) count(events []orders.Event) {
	for _, e := range events {
		reason := e.Reason
		if !reasons[reason] {
			reason = ""
		}
		m.events.WithLabelValues(string(e.Type), reason).Inc()
	}
}

var (
	openDesc     = prometheus.NewDesc("veloz_orders_open", "Orders that need a step, but for those that wait for their payer.", nil, nil)
	oldestDesc   = prometheus.NewDesc("veloz_orders_oldest_open_seconds", "Age of the oldest open order; 0 when there is none.", nil, nil)
	unknownDesc  = prometheus.NewDesc("veloz_orders_payment_unknown", "Orders whose payment's outcome is not known.", nil, nil)
	awaitingDesc = prometheus.NewDesc("veloz_orders_awaiting_payment", "Orders that wait for their payer.", nil, nil)
	inFlightDesc = prometheus.NewDesc("veloz_orders_in_flight", "Orders that this process drives now.", nil, nil)
)

// collector reads the store when it is scraped.
type collector struct{ service *orders.Service }

func newCollector(service *orders.Service) prometheus.Collector { return collector{service} }

// Describe implements prometheus.Collector.
func (collector) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{openDesc, oldestDesc, unknownDesc, awaitingDesc, inFlightDesc} {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value)
	}
	gauge(inFlightDesc, float64(c.service.InFlight()))
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	open, err := c.service.OpenOrders(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(openDesc, err)
		return
	}
	age := 0.0
	if !open.OldestCreatedAt.IsZero() {
		age = max(0, time.Since(open.OldestCreatedAt).Seconds())
	}
	gauge(openDesc, float64(open.Orders))
	gauge(oldestDesc, age)
	gauge(unknownDesc, float64(open.PaymentsUnknown))
	gauge(awaitingDesc, float64(open.AwaitingPayment))
}
