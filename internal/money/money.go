// Package money counts Brazilian reais in integer centavos. There is no floating point and no silent overflow.
package money

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Cents is an amount in centavos.
type Cents int64

// Max is the largest amount that a payment can carry: a BR Code's value has at most ten digits before the point.
const Max Cents = 999_999_999_999

// ErrOverflow says that a result does not fit an int64.
var ErrOverflow = errors.New("amount overflows")

// Add is a+b, or ErrOverflow.
func Add(a, b Cents) (Cents, error) {
	sum := a + b
	if (sum > a) != (b > 0) && b != 0 {
		return 0, ErrOverflow
	}
	return sum, nil
}

// Mul is unit·quantity for quantity ≥ 0, or ErrOverflow.
func Mul(unit Cents, quantity int64) (Cents, error) {
	if quantity < 0 {
		return 0, fmt.Errorf("multiply by %d: quantity is negative", quantity)
	}
	magnitude := uint64(unit)
	if unit < 0 {
		magnitude = -magnitude
	}
	hi, lo := bits.Mul64(magnitude, uint64(quantity))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, ErrOverflow
	}
	if unit < 0 {
		return -Cents(lo), nil
	}
	return Cents(lo), nil
}

// Decimal writes 1234 as "12.34", the form of Banco Central's API and of the BR Code.
func (c Cents) Decimal() string {
	sign, magnitude := "", uint64(c)
	if c < 0 {
		sign, magnitude = "-", -magnitude
	}
	return fmt.Sprintf("%s%d.%02d", sign, magnitude/100, magnitude%100)
}

// ParseDecimal reads the form `\d{1,10}\.\d{2}` and nothing else.
func ParseDecimal(s string) (Cents, error) {
	whole, fraction, ok := strings.Cut(s, ".")
	if !ok || len(whole) < 1 || len(whole) > 10 || len(fraction) != 2 || strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, fmt.Errorf("parse amount %.20q: expected digits, a point and two digits", s)
	}
	n, err := strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("parse amount: %w", err)
	}
	return Cents(n), nil
}

// BRL writes 123456 as "R$ 1.234,56".
func (c Cents) BRL() string {
	sign, magnitude := "", uint64(c)
	if c < 0 {
		sign, magnitude = "-", -magnitude
	}
	digits := strconv.FormatUint(magnitude/100, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte('.')
		}
		b.WriteRune(d)
	}
	return fmt.Sprintf("%sR$ %s,%02d", sign, b.String(), magnitude%100)
}
