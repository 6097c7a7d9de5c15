//go:build unix

package audit_test

import (
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/audit"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

// BenchmarkAudit tells how fast an audit is on SQLite, within one process, what processor time it takes, and how much live
// memory: as much for many orders as for few. go test ./internal/audit -run '^$' -bench Audit -benchtime 1x
func BenchmarkAudit(b *testing.B) {
	for _, n := range []int64{20_000, 200_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := open(b)
			s.multiply(s.buy("PLENTY", "tok_approved", orders.Confirmed), n)
			s.stop()
			before, peak := live(), int64(0)
			pages := 0
			watch := func(audit.Progress) {
				if pages++; pages%10 == 0 {
					peak = max(peak, live()-before)
				}
			}
			began := processorTime()
			for b.Loop() {
				if report := s.audit(audit.Config{Progress: watch}); !report.OK() || report.Orders != n+1 || report.Charges != n+1 || report.Holds != n+1 {
					b.Fatalf("%+v", report)
				}
			}
			b.ReportMetric(float64((processorTime()-began).Microseconds())/float64(n)/float64(b.N), "CPU-µs/order")
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "orders/s")
			b.ReportMetric(float64(peak)/(1<<20), "live-MiB")
		})
	}
}

// live is the heap that is in use.
func live() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// processorTime is what this process has used: other processes of the machine are not in it.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// multiply copies a confirmed order n times, in all three services, with ids in the order of their numbers.
func (s *shop) multiply(order orders.Order, n int64) {
	s.Helper()
	const numbers = `WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < $N) `
	const id = `unhex(printf('019000000000700080000000%08x', n))` // a time long ago
	for service, script := range map[string]string{
		"orders": numbers + `INSERT INTO orders SELECT ` + id + `, ` + id + `, caller, email, unhex(printf('%064x', n)) , fingerprint, request, created_at FROM number, orders WHERE id = $ID;` +
			numbers + `INSERT INTO order_states SELECT ` + id + `, status, payment_status, fulfillment_status, progress, version, lease, updated_at FROM number, order_states WHERE order_id = $ID`,
		"inventory": numbers + `INSERT INTO holds SELECT ` + id + `, round, released, lines FROM number, holds WHERE order_id = $ID;` +
			numbers + `INSERT INTO movements SELECT ` + id + `, previous, sku, kind, on_hand_delta, held_delta, on_hand_after, held_after, ` + id + `, reason, at FROM number, movements WHERE order_id = $ID;
			UPDATE items SET held = held + $N WHERE sku = 'PLENTY'`,
		"payments": numbers + `INSERT INTO ledger SELECT ` + id + `, ledger.number, kind, debit, credit, amount_cents, at FROM number, ledger;` +
			numbers + `INSERT INTO charges SELECT ` + id + `, ` + id + `, method, token, amount_cents, provider, status, decline_reason, pix_txid, pix_copy_paste, pix_expires_at, received_cents, refunded_cents,
			close_wanted, refund_wanted, notice, version, attempts, next_attempt_at, created_at, updated_at FROM number, charges;
			UPDATE ledger_sums SET captured_cents = captured_cents * (1 + $N)`,
	} {
		script = strings.NewReplacer("$N", fmt.Sprint(n), "$ID", fmt.Sprintf("x'%x'", order.ID[:])).Replace(script)
		s.reach(service, func(c *sqlite.Conn) error { return c.Script(script) })
	}
}
