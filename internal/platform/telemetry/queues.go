package telemetry

import (
	"maps"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	queuedDesc = prometheus.NewDesc("veloz_batch_queued", "Items that wait for a batch.", []string{"stage"}, nil)
	limitDesc  = prometheus.NewDesc("veloz_batch_queue_limit", "Items that may wait for a batch.", []string{"stage"}, nil)
)

// queue is what a stage tells of its queue.
type queue struct {
	limit  int
	queued func() int
}

// queues asks the stages for their queues when it is scraped. Of a name it knows the last stage: whoever makes stages again
// and again leaves nothing behind here.
type queues struct {
	mu     sync.Mutex
	stages map[string]queue
}

func newQueues() *queues { return &queues{stages: make(map[string]queue)} }

func (q *queues) add(stage string, of queue) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stages[stage] = of
}

// Describe implements prometheus.Collector.
func (q *queues) Describe(ch chan<- *prometheus.Desc) {
	ch <- queuedDesc
	ch <- limitDesc
}

// Collect implements prometheus.Collector.
func (q *queues) Collect(ch chan<- prometheus.Metric) {
	q.mu.Lock()
	stages := maps.Clone(q.stages) // ch may block, and nobody who makes a stage shall wait for that
	q.mu.Unlock()
	for stage, of := range stages {
		ch <- prometheus.MustNewConstMetric(queuedDesc, prometheus.GaugeValue, float64(of.queued()), stage)
		ch <- prometheus.MustNewConstMetric(limitDesc, prometheus.GaugeValue, float64(of.limit), stage)
	}
}
