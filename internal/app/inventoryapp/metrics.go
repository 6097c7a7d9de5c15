package inventoryapp

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
)

// scrapeTimeout bounds what a scrape may ask of the database.
const scrapeTimeout = 2 * time.Second

var (
	itemsDesc  = prometheus.NewDesc("veloz_inventory_items", "Items of the catalogue.", nil, nil)
	onHandDesc = prometheus.NewDesc("veloz_inventory_units_on_hand", "Units in the warehouse.", nil, nil)
	heldDesc   = prometheus.NewDesc("veloz_inventory_units_held", "Units that belong to orders.", nil, nil)
)

// collector reads the stock when it is scraped.
type collector struct{ service *inventory.Service }

func newCollector(service *inventory.Service) prometheus.Collector { return collector{service} }

// Describe implements prometheus.Collector.
func (collector) Describe(ch chan<- *prometheus.Desc) {
	ch <- itemsDesc
	ch <- onHandDesc
	ch <- heldDesc
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	stock, err := c.service.Stock(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(itemsDesc, err)
		return
	}
	ch <- prometheus.MustNewConstMetric(itemsDesc, prometheus.GaugeValue, float64(stock.Items))
	ch <- prometheus.MustNewConstMetric(onHandDesc, prometheus.GaugeValue, float64(stock.OnHand))
	ch <- prometheus.MustNewConstMetric(heldDesc, prometheus.GaugeValue, float64(stock.Held))
}
