package paymentsapp

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
)

const (
	// scrapeTimeout bounds what a scrape may ask of the database.
	scrapeTimeout = 2 * time.Second
	// maxNotices bounds how many notices a scrape counts: more than a thousand is trouble enough.
	maxNotices = 1000
)

var (
	capturedDesc = prometheus.NewDesc("veloz_payments_captured_cents", "Money that orders were paid with, ever, in centavos.", nil, nil)
	refundedDesc = prometheus.NewDesc("veloz_payments_refunded_cents", "Of the captured money, what was given back, in centavos.", nil, nil)
	surplusDesc  = prometheus.NewDesc("veloz_payments_surplus_cents", "Money that is owed back to payers now, in centavos.", nil, nil)
	unknownDesc  = prometheus.NewDesc("veloz_payments_unknown", "Charges whose outcome is not known now.", nil, nil)
	ageDesc      = prometheus.NewDesc("veloz_payments_oldest_unknown_seconds", "Age of the oldest charge whose outcome is not known now; 0 when there is none.", nil, nil)
	noticesDesc  = prometheus.NewDesc("veloz_payments_notices", "Changes that orders has not heard of yet; a thousand stands for more.", nil, nil)
	lagDesc      = prometheus.NewDesc("veloz_payments_oldest_notice_seconds", "Age of the oldest change that orders has not heard of; 0 when there is none.", nil, nil)
)

// collector reads the ledger's sums and the notices when it is scraped.
type collector struct {
	service *payments.Service
	clock   clock.Clock
}

func newCollector(service *payments.Service, clock clock.Clock) prometheus.Collector {
	return collector{service, clock}
}

// Describe implements prometheus.Collector.
func (collector) Describe(ch chan<- *prometheus.Desc) {
	ch <- capturedDesc
	ch <- refundedDesc
	ch <- surplusDesc
	ch <- unknownDesc
	ch <- ageDesc
	ch <- noticesDesc
	ch <- lagDesc
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	c.collectTotals(ctx, ch)
	c.collectNotices(ctx, ch)
}

func (c collector) collectTotals(ctx context.Context, ch chan<- prometheus.Metric) {
	totals, err := c.service.Totals(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(capturedDesc, err)
		return
	}
	ch <- prometheus.MustNewConstMetric(capturedDesc, prometheus.CounterValue, float64(totals.Captured))
	ch <- prometheus.MustNewConstMetric(refundedDesc, prometheus.CounterValue, float64(totals.Refunded))
	ch <- prometheus.MustNewConstMetric(surplusDesc, prometheus.GaugeValue, float64(totals.Surplus))
	ch <- prometheus.MustNewConstMetric(unknownDesc, prometheus.GaugeValue, float64(totals.Unknown))
	age := 0.0
	if !totals.OldestUnknown.IsZero() {
		age = max(0, c.clock.Now().Sub(totals.OldestUnknown).Seconds())
	}
	ch <- prometheus.MustNewConstMetric(ageDesc, prometheus.GaugeValue, age)
}

func (c collector) collectNotices(ctx context.Context, ch chan<- prometheus.Metric) {
	notices, err := c.service.Notices(ctx, maxNotices)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(noticesDesc, err)
		return
	}
	var lag time.Duration
	for _, charge := range notices {
		lag = max(lag, c.clock.Now().Sub(charge.UpdatedAt))
	}
	ch <- prometheus.MustNewConstMetric(noticesDesc, prometheus.GaugeValue, float64(len(notices)))
	ch <- prometheus.MustNewConstMetric(lagDesc, prometheus.GaugeValue, lag.Seconds())
}
