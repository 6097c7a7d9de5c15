// Package orderpath measures what POST /v1/orders costs in this process: benchmarks beside a bare net/http server, and the
// exact number of allocations an order, which may not grow unseen. It holds tests only.
package orderpath
