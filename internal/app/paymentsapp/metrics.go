package paymentsapp

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
)

// scrapeTimeout bounds what a scrape may ask of the database.
const scrapeTimeout = 2 * time.Second

var (
	capturedDesc = prometheus.NewDesc("veloz_payments_captured_cents", "Money that orders were paid with, ever, in centavos.", nil, nil)
	refundedDesc = prometheus.NewDesc("veloz_payments_refunded_cents", "Of the captured money, what was given back, in centavos.", nil, nil)
	surplusDesc  = prometheus.NewDesc("veloz_payments_surplus_cents", "Money that is owed back to payers now, in centavos.", nil, nil)
	unknownDesc  = prometheus.NewDesc("veloz_payments_unknown", "Charges whose outcome is not known now.", nil, nil)
)

// collector reads the ledger's sums when it is scraped.
type collector struct{ service *payments.Service }

func newCollector(service *payments.Service) prometheus.Collector { return collector{service} }

// Describe implements prometheus.Collector.
func (collector) Describe(ch chan<- *prometheus.Desc) {
	ch <- capturedDesc
	ch <- refundedDesc
	ch <- surplusDesc
	ch <- unknownDesc
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	totals, err := c.service.Totals(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(capturedDesc, err)
		return
	}
	ch <- prometheus.MustNewConstMetric(capturedDesc, prometheus.CounterValue, float64(totals.Captured))
	ch <- prometheus.MustNewConstMetric(refundedDesc, prometheus.CounterValue, float64(totals.Refunded))
	ch <- prometheus.MustNewConstMetric(surplusDesc, prometheus.GaugeValue, float64(totals.Surplus))
	ch <- prometheus.MustNewConstMetric(unknownDesc, prometheus.GaugeValue, float64(totals.Unknown))
}
