package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/cardnumber"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// newRequest checks what the contract's schema cannot say, and translates.
func newRequest(body *ordersapi.NewOrder) (orders.Request, error) {
	request := orders.Request{
		Customer: orders.Customer{Name: body.Customer.Name, Email: body.Customer.Email},
		Items:    make([]orders.Item, len(body.Items)),
		Method:   orders.Method(body.Payment.Method),
		Token:    body.Payment.Token.Or(""),
		Metadata: body.Metadata.Or(nil),
	}
	for i, item := range body.Items {
		request.Items[i] = orders.Item{SKU: string(item.Sku), Quantity: int64(item.Quantity)}
	}
	if total, ok := body.ExpectedTotalCents.Get(); ok {
		expected := money.Cents(total)
		request.ExpectedTotal = &expected
	}
	if address, ok := body.ShippingAddress.Get(); ok {
		request.ShippingAddress = newAddress(address)
	}
	var fields []httpx.FieldError
	if document, ok := body.Customer.Document.Get(); ok {
		if request.Customer.Document, ok = orders.NormalizeDocument(document); !ok {
			fields = append(fields, httpx.FieldError{Field: "/customer/document", Message: "must be a CPF or a CNPJ with right check digits"})
		}
	}
	fields = append(fields, checkTexts(body)...)
	if fields = append(fields, checkPayment(body)...); len(fields) > 0 {
		return orders.Request{}, invalid(fields...)
	}
	return request, nil
}

// checkTexts looks at the texts whose shape the contract leaves open.
func checkTexts(body *ordersapi.NewOrder) (fields []httpx.FieldError) {
	check := func(field, text string) {
		if message := httpx.CheckText(text); message != "" {
			fields = append(fields, httpx.FieldError{Field: field, Message: message})
		}
	}
	checkCard := func(field, text string) {
		if check(field, text); cardnumber.In(text) {
			fields = append(fields, looksLikeCard(field))
		}
	}
	checkCard("/customer/name", body.Customer.Name)
	checkCard("/customer/email", body.Customer.Email)
	if a, ok := body.ShippingAddress.Get(); ok {
		checkCard("/shipping_address/recipient", a.Recipient.Value)
		checkCard("/shipping_address/street", a.Street)
		checkCard("/shipping_address/number", a.Number)
		checkCard("/shipping_address/complement", a.Complement.Value)
		checkCard("/shipping_address/district", a.District.Value)
		checkCard("/shipping_address/city", a.City)
	}
	for name, value := range body.Metadata.Value {
		if httpx.CheckText(name) != "" {
			check("/metadata", name)
			continue // such a name is no pointer for people to read
		}
		check(httpx.Pointer("metadata", name), value)
	}
	return fields
}

func checkPayment(body *ordersapi.NewOrder) (fields []httpx.FieldError) {
	token, hasToken := body.Payment.Token.Get()
	switch {
	case body.Payment.Method == ordersapi.PaymentMethodCard && !hasToken:
		fields = append(fields, httpx.FieldError{Field: "/payment/token", Message: "is required with method card"})
	case body.Payment.Method == ordersapi.PaymentMethodPix && hasToken:
		fields = append(fields, httpx.FieldError{Field: "/payment/token", Message: "must be absent with method pix"})
	}
	if cardnumber.InToken(token) {
		fields = append(fields, looksLikeCard("/payment/token"))
	}
	for name, value := range body.Metadata.Or(nil) {
		if cardnumber.In(value) || cardnumber.In(name) {
			fields = append(fields, looksLikeCard("/metadata"))
			break
		}
	}
	return fields
}

func looksLikeCard(field string) httpx.FieldError {
	return httpx.FieldError{Field: field, Message: "must not hold a card number: send the provider's token"}
}

func invalid(fields ...httpx.FieldError) *httpx.Error {
	return &httpx.Error{Status: http.StatusBadRequest, Code: httpx.CodeInvalidRequest, Title: "Invalid request",
		Detail: fields[0].Field + " " + fields[0].Message, Fields: fields}
}

func newAddress(a ordersapi.Address) *orders.Address {
	return &orders.Address{
		Recipient: a.Recipient.Or(""), Street: a.Street, Number: a.Number, Complement: a.Complement.Or(""), District: a.District.Or(""),
		City: a.City, State: a.State, PostalCode: a.PostalCode, Country: a.Country.Or("BR"),
	}
}

// fingerprintOf hashes what was asked for. Two bodies that mean the same, with other white space or another order of
// fields, have the same fingerprint. Lengths and counts stand before the parts, so that no two requests run together.
func fingerprintOf(r orders.Request) orders.Fingerprint {
	var buffer [1024]byte
	b := appendTexts(buffer[:0], r.Customer.Name, r.Customer.Email, r.Customer.Document, string(r.Method), r.Token)
	b = binary.AppendUvarint(b, uint64(len(r.Items)))
	for _, item := range r.Items {
		b = binary.AppendVarint(appendTexts(b, item.SKU), item.Quantity)
	}
	if a := r.ShippingAddress; a != nil {
		b = appendTexts(append(b, 'a'), a.Recipient, a.Street, a.Number, a.Complement, a.District, a.City, a.State, a.PostalCode, a.Country)
	}
	if r.ExpectedTotal != nil {
		b = binary.AppendVarint(append(b, 't'), int64(*r.ExpectedTotal))
	}
	if len(r.Metadata) > 0 {
		for _, name := range slices.Sorted(maps.Keys(r.Metadata)) {
			b = appendTexts(append(b, 'm'), name, r.Metadata[name])
		}
	}
	return sha256.Sum256(b)
}

func appendTexts(b []byte, texts ...string) []byte {
	for _, text := range texts {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	return b
}

// idempotencyKey is unique per caller and route. Lengths stand before the parts, so that no two pairs run together.
func idempotencyKey(caller, key string) orders.IdempotencyKey {
	const route = "POST /v1/orders"
	var buffer [512]byte
	return sha256.Sum256(appendTexts(buffer[:0], caller, route, key))
}

// preference is what RFC 7240's Prefer asks for.
type preference struct {
	async bool
	wait  time.Duration
}

// parsePrefer reads `respond-async` and `wait=SECONDS`. With both, the caller waits that long and then gets 202. What it
// does not know it ignores, as the RFC wants.
func parsePrefer(header string, maxWait time.Duration) preference {
	p := preference{wait: maxWait}
	waits := false
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "respond-async":
			p.async = true
		case "wait":
			if seconds, err := strconv.ParseUint(strings.Trim(value, `" `), 10, 16); err == nil && seconds > 0 {
				p.wait = min(maxWait, time.Duration(seconds)*time.Second)
				waits = true
			}
		}
	}
	p.async = p.async && !waits
	return p
}

func newFilter(params ordersapi.ListOrdersParams) (orders.Filter, error) {
	if message := httpx.CheckText(params.Email.Value); message != "" {
		return orders.Filter{}, invalid(httpx.FieldError{Field: "query.email", Message: message})
	}
	filter := orders.Filter{
		Status:        orders.Status(params.Status.Or("")),
		PaymentStatus: orders.PaymentStatus(params.PaymentStatus.Or("")),
		Email:         orders.SearchableEmail(params.Email.Or("")),
		SKU:           string(params.Sku.Or("")),
		Limit:         params.Limit.Or(20),
	}
	if after, ok := params.CreatedAfter.Get(); ok {
		filter.From = id.Floor[orders.Order](ceilMicrosecond(after))
	}
	if before, ok := params.CreatedBefore.Get(); ok {
		filter.Before = id.Floor[orders.Order](ceilMicrosecond(before))
	}
	cursor, ok := params.Cursor.Get()
	if !ok {
		return filter, nil
	}
	last, err := decodeCursor(cursor)
	if err != nil {
		return orders.Filter{}, invalid(httpx.FieldError{Field: "query.cursor", Message: "must be the next_cursor of a page"})
	}
	if filter.Before.IsZero() || last.String() < filter.Before.String() {
		filter.Before = last
	}
	return filter, nil
}

// ceilMicrosecond rounds up to the microseconds that ids carry, so that a bound never lets in what lies beyond it.
func ceilMicrosecond(t time.Time) time.Time {
	return t.Add(time.Microsecond - time.Nanosecond).Truncate(time.Microsecond)
}

func encodeCursor(last orders.ID) string { return base64.RawURLEncoding.EncodeToString(last[:]) }

func decodeCursor(cursor string) (orders.ID, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return orders.ID{}, fmt.Errorf("decode cursor: %w", err)
	}
	if strings.ContainsAny(cursor, "\r\n") { // which Go's decoder passes over
		return orders.ID{}, errors.New("decode cursor: it has line ends")
	}
	if len(raw) != len(orders.ID{}) {
		return orders.ID{}, fmt.Errorf("decode cursor: %d bytes", len(raw))
	}
	return orders.ID(raw), nil
}
