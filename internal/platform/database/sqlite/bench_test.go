package sqlite_test

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

func BenchmarkOpenExisting(b *testing.B) {
	path := filepath.Join(b.TempDir(), "orders.db")
	openAt(b, path)
	for b.Loop() {
		db, err := sqlite.Open(b.Context(), path)
		if err != nil {
			b.Fatal(err)
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBatch writes rows with two indexes, a batch a transaction, with a real sync a commit.
func BenchmarkBatch(b *testing.B) {
	for _, size := range []int{1, 250} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			db := withSchema(b)
			var id [16]byte
			n := uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				err := db.Write(b.Context(), func(c *sqlite.Conn) error {
					stmt, err := c.Prepare(insertItem)
					if err != nil {
						return err
					}
					for range size {
						n++
						binary.BigEndian.PutUint64(id[:], n)
						if err := stmt.Blob(id[:]).Text(fmt.Sprintf("%036d", n)).Int(1).Time(noon).Text("a note of some length, as orders have").Exec(); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
