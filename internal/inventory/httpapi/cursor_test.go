package httpapi

import (
	"encoding/base64"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
)

// FuzzCursors: a cursor that is accepted is the one that the list gave out, and nothing panics.
func FuzzCursors(f *testing.F) {
	f.Add("")
	f.Add("Q0FGRS01MDBH")
	f.Add(base64.RawURLEncoding.EncodeToString(make([]byte, 15)) + "_w")
	f.Fuzz(func(t *testing.T, cursor string) {
		given := inventoryapi.NewOptString(cursor)
		if after, err := decodeItemCursor(given); err == nil && encodeCursor([]byte(after)).Value != cursor {
			t.Fatalf("%q became the SKU %q", cursor, after)
		}
		if before, err := decodeMovementCursor(given); err == nil && encodeCursor(before[:]).Value != cursor {
			t.Fatalf("%q became the movement %v", cursor, before)
		}
	})
}
