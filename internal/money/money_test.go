package money_test

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
)

// exact says what a result must be: the true number where it fits, ErrOverflow where it does not.
func exact(t *rapid.T, got money.Cents, err error, want *big.Int) {
	if want.IsInt64() {
		if err != nil || int64(got) != want.Int64() {
			t.Fatalf("%d, %v; want %s", got, err, want)
		}
		return
	}
	if !errors.Is(err, money.ErrOverflow) {
		t.Fatalf("%d, %v; want an overflow: %s", got, err, want)
	}
}

func TestSumsAndProductsAreExactOrOverflow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		sum, err := money.Add(money.Cents(a), money.Cents(b))
		exact(t, sum, err, new(big.Int).Add(big.NewInt(a), big.NewInt(b)))
		quantity := rapid.Int64Min(0).Draw(t, "quantity")
		product, err := money.Mul(money.Cents(a), quantity)
		want := new(big.Int).Mul(big.NewInt(a), big.NewInt(quantity))
		if want.IsInt64() && want.Int64() == math.MinInt64 {
			return // the one amount whose magnitude has no positive twin may be refused
		}
		exact(t, product, err, want)
	})
	if _, err := money.Mul(1, -1); err == nil {
		t.Error("a negative quantity was multiplied by")
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	for cents, want := range map[money.Cents][2]string{
		0:             {"0.00", "R$ 0,00"},
		5:             {"0.05", "R$ 0,05"},
		123456:        {"1234.56", "R$ 1.234,56"},
		-123456789:    {"-1234567.89", "-R$ 1.234.567,89"},
		money.Max:     {"9999999999.99", "R$ 9.999.999.999,99"},
		math.MinInt64: {"-92233720368547758.08", "-R$ 92.233.720.368.547.758,08"},
	} {
		if cents.Decimal() != want[0] || cents.BRL() != want[1] {
			t.Errorf("%d: %s, %s", int64(cents), cents.Decimal(), cents.BRL())
		}
	}
}

// FuzzParseDecimal: what parses prints itself again, but for zeros in front, and nothing else is taken.
func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"0.00", "12.34", "9999999999.99", "00.01", "1,00", "1.0", "-1.00", "+1.00", "1e1.00", "٣.00", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		cents, err := money.ParseDecimal(s)
		if err != nil {
			return
		}
		if cents < 0 || cents > money.Max {
			t.Errorf("%q is %d", s, cents)
		}
		printed := cents.Decimal()
		for len(printed) < len(s) {
			printed = "0" + printed
		}
		if printed != s {
			t.Errorf("%q became %q", s, printed)
		}
	})
}
