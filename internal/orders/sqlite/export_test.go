package sqlite

import (
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

// WithSegmentRows makes segments of n rows, so that few orders have many segments.
func (s *Store) WithSegmentRows(n int) *Store {
	s.newest.limit = n
	return s
}

// Segments are how many there are.
func (s *Store) Segments(t *testing.T) (n int) {
	t.Helper()
	err := s.db.Read(t.Context(), func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(`SELECT count(*) FROM order_sku_segments`)
		if err != nil {
			return err
		}
		_, err = stmt.One(func(r sqlite.Row) error { n = r.Int(0); return nil })
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
