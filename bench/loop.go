package main

import (
	"errors"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// closedLoop calls do from many goroutines, each again as soon as it returned.
func closedLoop(callers int, length time.Duration, do func() error) (m measurement, err error) {
	latencies := make([]*hdrhistogram.Histogram, callers)
	errs := make([]error, callers)
	began := time.Now()
	var wg sync.WaitGroup
	for caller := range callers {
		latencies[caller] = hdrhistogram.New(1, int64(time.Minute/time.Microsecond), 2)
		wg.Go(func() {
			for time.Since(began) < length && errs[caller] == nil {
				sent := time.Now()
				errs[caller] = do()
				_ = latencies[caller].RecordValue(time.Since(sent).Microseconds()) // within its bounds
			}
		})
	}
	wg.Wait()
	elapsed := time.Since(began)
	for _, h := range latencies[1:] {
		latencies[0].Merge(h)
	}
	m.orders = float64(latencies[0].TotalCount())
	m.rate = m.orders / elapsed.Seconds()
	m.p50 = time.Duration(latencies[0].ValueAtPercentile(50)) * time.Microsecond
	m.p99 = time.Duration(latencies[0].ValueAtPercentile(99)) * time.Microsecond
	return m, errors.Join(errs...)
}
