package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// defaultLimit is the contract's default of limit.
const defaultLimit = 20

func invalid(field, message string) *httpx.Error {
	return &httpx.Error{Status: http.StatusBadRequest, Code: httpx.CodeInvalidRequest, Title: "Invalid request",
		Detail: field + " " + message, Fields: []httpx.FieldError{{Field: field, Message: message}}}
}

func checkText(field, text string) error {
	if message := httpx.CheckText(text); message != "" {
		return invalid(field, message)
	}
	return nil
}

// checkOrder refuses what a database takes for no order, and for the whole batch.
func checkOrder(list string, i int, order uuid.UUID) error {
	if order == uuid.Nil {
		return invalid(fmt.Sprintf("/%s/%d/order_id", list, i), "must name an order")
	}
	return nil
}

// newHolds translates a batch with three allocations, however many holds it has.
func newHolds(bodies []inventoryapi.Hold) ([]inventory.Hold, error) {
	n := 0
	for i := range bodies {
		if err := checkOrder("holds", i, bodies[i].OrderID); err != nil {
			return nil, err
		}
		n += len(bodies[i].Lines)
	}
	holds, totals, lines := make([]inventory.Hold, len(bodies)), make([]money.Cents, len(bodies)), make([]inventory.Line, 0, n)
	for i := range bodies {
		body := &bodies[i]
		first := len(lines)
		for _, line := range body.Lines {
			lines = append(lines, inventory.Line{SKU: inventory.SKU(line.Sku), Quantity: line.Quantity})
		}
		holds[i] = inventory.Hold{OrderID: inventory.OrderID(body.OrderID), Round: body.Round, Lines: lines[first:len(lines):len(lines)]}
		if body.ExpectedTotalCents.Set {
			totals[i] = money.Cents(body.ExpectedTotalCents.Value)
			holds[i].ExpectedTotal = &totals[i]
		}
	}
	return holds, nil
}

// idempotencyKey is unique per caller and route.
func idempotencyKey(caller, key string) inventory.IdempotencyKey {
	return hash(caller, "POST /v1/stock-adjustments", key)
}

// fingerprint hashes what was asked for: bodies that mean the same have the same, however they are written.
func fingerprint(body *inventoryapi.NewStockAdjustment) inventory.Fingerprint {
	var delta [8]byte
	binary.BigEndian.PutUint64(delta[:], uint64(body.Delta))
	return hash(string(body.Sku), string(delta[:]), body.Reason)
}

// hash puts its length before each part, so that no two lists run together.
func hash(parts ...string) [sha256.Size]byte {
	var b []byte
	for _, part := range parts {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return sha256.Sum256(b)
}

func encodeCursor(last []byte) inventoryapi.OptString {
	return inventoryapi.NewOptString(base64.RawURLEncoding.EncodeToString(last))
}

// decodeCursor reads the one way to write a cursor: Go's decoder passes over line ends.
func decodeCursor(cursor string) (last []byte, ok bool) {
	last, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	return last, err == nil && !strings.ContainsAny(cursor, "\r\n")
}

// decodeItemCursor reads the SKU that the page before ended with; it need not exist any more.
func decodeItemCursor(cursor inventoryapi.OptString) (inventory.SKU, error) {
	if !cursor.Set {
		return "", nil
	}
	last, ok := decodeCursor(cursor.Value)
	if !ok || len(last) == 0 || len(last) > 64 || !isSKU(last) {
		return "", badCursor()
	}
	return inventory.SKU(last), nil
}

func decodeMovementCursor(cursor inventoryapi.OptString) (before inventory.MovementID, err error) {
	if !cursor.Set {
		return before, nil
	}
	last, ok := decodeCursor(cursor.Value)
	if !ok || copy(before[:], last) != len(before) || len(last) != len(before) || before.IsZero() {
		return inventory.MovementID{}, badCursor()
	}
	return before, nil
}

func isSKU(b []byte) bool {
	for _, c := range b {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}

func badCursor() *httpx.Error {
	return invalid("query.cursor", "must be the next_cursor of a page of this list")
}
