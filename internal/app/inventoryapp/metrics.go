package inventoryapp

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
)

const (
	// scrapeTimeout bounds what a scrape may ask of the database.
	scrapeTimeout = 2 * time.Second
	// stockAge is how old the stock of a scrape may be.
	stockAge = time.Minute
)

var (
	itemsDesc  = prometheus.NewDesc("veloz_inventory_items", "Items of the catalogue.", nil, nil)
	onHandDesc = prometheus.NewDesc("veloz_inventory_units_on_hand", "Units in the warehouse.", nil, nil)
	heldDesc   = prometheus.NewDesc("veloz_inventory_units_held", "Units that belong to orders.", nil, nil)
)

// collector reads the stock when it is scraped, which reads every item: no more often than once in stockAge.
type collector struct {
	service *inventory.Service
	clock   clock.Clock

	mu     sync.Mutex // one that is scraped meanwhile waits for the answer to the first
	stock  inventory.Stock
	readAt time.Time // zero: never
}

func newCollector(service *inventory.Service, clock clock.Clock) prometheus.Collector {
	return &collector{service: service, clock: clock}
}

// Describe implements prometheus.Collector.
func (*collector) Describe(ch chan<- *prometheus.Desc) {
	ch <- itemsDesc
	ch <- onHandDesc
	ch <- heldDesc
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	stock, err := c.read()
	if err != nil {
		ch <- prometheus.NewInvalidMetric(itemsDesc, err)
		return
	}
	ch <- prometheus.MustNewConstMetric(itemsDesc, prometheus.GaugeValue, float64(stock.Items))
	ch <- prometheus.MustNewConstMetric(onHandDesc, prometheus.GaugeValue, float64(stock.OnHand))
	ch <- prometheus.MustNewConstMetric(heldDesc, prometheus.GaugeValue, float64(stock.Held))
}

func (c *collector) read() (inventory.Stock, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.Now()
	if !c.readAt.IsZero() && now.Sub(c.readAt) < stockAge {
		return c.stock, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	stock, err := c.service.Stock(ctx)
	if err != nil {
		return inventory.Stock{}, err
	}
	c.stock, c.readAt = stock, now
	return stock, nil
}
