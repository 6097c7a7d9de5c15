package httpapi

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/cardnumber"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// checkCharges finds what the contract's schema cannot say. It never repeats a value.
func checkCharges(charges []paymentsapi.Charge) (invalid []httpx.FieldError) {
	for i := range charges {
		c := &charges[i]
		if c.AmountCents < 0 || c.AmountCents > int64(money.Max) {
			invalid = append(invalid, httpx.FieldError{Field: fmt.Sprintf("/charges/%d/amount_cents", i), Message: fmt.Sprintf("must be between 0 and %d", money.Max)})
		}
		if message := checkToken(c.Token.Or("")); message != "" {
			invalid = append(invalid, httpx.FieldError{Field: fmt.Sprintf("/charges/%d/token", i), Message: message})
		}
	}
	return invalid
}

// checkToken is what is wrong with a token, or empty. NUL and broken UTF-8 would be refused by PostgreSQL alone, and for
// the whole batch.
func checkToken(token string) string {
	switch {
	case strings.IndexFunc(token, func(r rune) bool { return r < '!' && r != ' ' || r > '~' }) >= 0:
		return "must be printable ASCII"
	case cardnumber.InToken(token):
		return "must be a provider's token, never a card number"
	default:
		return ""
	}
}

// sandboxISPB is a bank that does not exist.
const sandboxISPB = "99999999"

// newEndToEndID makes the name of a Pix transfer: E, the payer's bank, the minute in UTC, and 11 letters and digits, of
// which 55 bits are random.
func newEndToEndID(now time.Time, random io.Reader) (string, error) {
	const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	var tail [11]byte
	if _, err := io.ReadFull(random, tail[:]); err != nil {
		return "", fmt.Errorf("make an end-to-end id: %w", err)
	}
	for i, b := range tail {
		tail[i] = alphabet[b%32]
	}
	return "E" + sandboxISPB + now.UTC().Format("200601021504") + string(tail[:]), nil
}
