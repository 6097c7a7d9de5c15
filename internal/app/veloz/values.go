package veloz

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/spelling"
)

// orderLine is a flag's `SKU` or `SKU:QUANTITY`.
type orderLine struct {
	sku      string
	quantity int
}

// UnmarshalText implements encoding.TextUnmarshaler. What a SKU may look like is left to the platform.
func (l *orderLine) UnmarshalText(text []byte) error {
	sku, count, counted := strings.Cut(string(text), ":")
	quantity := 1
	if counted {
		var err error
		if quantity, err = strconv.Atoi(count); err != nil || quantity < 1 {
			return fmt.Errorf("%q must be a SKU, or a SKU, a colon and how many: CAFE-500G:2", text)
		}
	}
	if sku == "" {
		return fmt.Errorf("%q names no SKU; it looks like CAFE-500G:2", text)
	}
	*l = orderLine{sku, quantity}
	return nil
}

// String is the line as it is given, which --check-config prints.
func (l orderLine) String() string { return fmt.Sprintf("%s:%d", l.sku, l.quantity) }

// reais is an amount as people write it: 39.90, 39,90, 40, R$ 1.234,56.
type reais money.Cents

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *reais) UnmarshalText(text []byte) error {
	plain := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(string(text)), "R$"))
	if strings.Contains(plain, ",") {
		whole, fraction, _ := strings.Cut(plain, ",")
		if !thousands(whole) {
			return badAmount(text)
		}
		plain = strings.ReplaceAll(whole, ".", "") + "." + fraction
	}
	if !strings.Contains(plain, ".") {
		plain += ".00"
	}
	amount, err := money.ParseDecimal(plain)
	if err != nil {
		return badAmount(text)
	}
	*r = reais(amount)
	return nil
}

// String is the amount as it may be given.
func (r reais) String() string { return money.Cents(r).Decimal() }

// thousands tells whether points, where there are any, stand before groups of three digits.
func thousands(whole string) bool {
	groups := strings.Split(whole, ".")
	for _, group := range groups[1:] {
		if len(group) != 3 {
			return false
		}
	}
	return len(groups) == 1 || len(groups[0]) >= 1 && len(groups[0]) <= 3
}

func badAmount(text []byte) error {
	return fmt.Errorf("%q is no amount of money; they look like 39.90, 39,90 or 1.234,56", text)
}

// point is a time as people give it: a distance from now, 90m or 7d, a local day, or a full time.
type point struct {
	at       time.Time
	distance time.Duration
}

const day = 24 * time.Hour

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *point) UnmarshalText(text []byte) error {
	s := string(text)
	if days, found := strings.CutSuffix(s, "d"); found {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= 36500 {
			*p = point{distance: time.Duration(n) * day}
			return nil
		}
	}
	if distance, err := time.ParseDuration(s); err == nil && distance > 0 {
		*p = point{distance: distance}
		return nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			*p = point{at: at}
			return nil
		}
	}
	return fmt.Errorf("%q is no time; they look like 90m, 7d, 2026-11-27 or 2026-11-27T09:00:00-03:00", s)
}

// String is the time as it may be given.
func (p point) String() string {
	if p.at.IsZero() {
		return p.distance.String()
	}
	return p.at.Format(time.RFC3339)
}

// before takes a distance backwards, for what has happened.
func (p point) before(now time.Time) time.Time {
	if p.at.IsZero() {
		return now.Add(-p.distance)
	}
	return p.at
}

// after takes a distance forwards, for what will happen.
func (p point) after(now time.Time) time.Time {
	if p.at.IsZero() {
		return now.Add(p.distance)
	}
	return p.at
}

// identity is an order's or a payment's id.
type identity uuid.UUID

// UnmarshalText implements encoding.TextUnmarshaler.
func (i *identity) UnmarshalText(text []byte) error {
	parsed, err := uuid.ParseBytes(text)
	if err != nil {
		return fmt.Errorf("%q is no id; they look like 01a207bf-c5b3-71f0-a39c-4bebbbaf373e", text)
	}
	*i = identity(parsed)
	return nil
}

type (
	orderStatus   ordersapi.OrderStatus
	paymentStatus ordersapi.PaymentStatus
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *orderStatus) UnmarshalText(text []byte) error {
	*s = orderStatus(text)
	return known(ordersapi.OrderStatus(text), ordersapi.OrderStatus("").AllValues())
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *paymentStatus) UnmarshalText(text []byte) error {
	*s = paymentStatus(text)
	return known(ordersapi.PaymentStatus(text), ordersapi.PaymentStatus("").AllValues())
}

func known[T ~string](value T, all []T) error {
	if slices.Contains(all, value) {
		return nil
	}
	names := make([]string, len(all))
	for i, v := range all {
		names[i] = string(v)
	}
	closest, _ := spelling.Closest(string(value), names)
	return fmt.Errorf("%q is no status%s; they are %s", value, didYouMean(closest), strings.Join(names, ", "))
}

func didYouMean(closest string) string {
	if closest == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", closest)
}
