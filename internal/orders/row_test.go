package orders_test

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

func TestRowKeepsTheOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		order := drawOrder(t)
		row, err := order.Row()
		if err != nil {
			t.Fatal(err)
		}
		if row.Email != orders.SearchableEmail(order.Customer.Email) {
			t.Errorf("e-mail is stored for searching as %q", row.Email)
		}
		state, err := order.StateRow()
		if err != nil {
			t.Fatal(err)
		}
		if state.Request != nil {
			t.Error("a state's row repeats the request")
		}
		state.Request = row.Request
		if !reflect.DeepEqual(state, row) {
			t.Errorf("state's row is\n%+v\nwant\n%+v", state, row)
		}
		back, err := row.Order()
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, order) {
			t.Errorf("order came back as\n%+v\nwant\n%+v", back, order)
		}
	})
}

func drawID[I ~[16]byte](t *rapid.T, name string) I {
	return I(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, name))
}

// drawTime is any time that both engines can store: microseconds from 1970 on.
func drawTime(t *rapid.T, name string) time.Time {
	return time.UnixMicro(rapid.Int64Range(1, 4e15).Draw(t, name)).UTC()
}

func maybe[V any](t *rapid.T, name string, value V) *V {
	if rapid.Bool().Draw(t, name) {
		return &value
	}
	return nil
}

func drawItems(t *rapid.T, name string) []orders.Item {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) orders.Item {
		return orders.Item{SKU: rapid.String().Draw(t, "sku"), Name: rapid.String().Draw(t, "name"),
			Quantity: rapid.Int64().Draw(t, "quantity"), UnitPrice: money.Cents(rapid.Int64().Draw(t, "price"))}
	}), 1, 5).Draw(t, name)
}

func drawOrder(t *rapid.T) orders.Order {
	text := func(name string) string { return rapid.String().Draw(t, name) }
	order := orders.Order{
		ID: drawID[orders.ID](t, "id"), PaymentID: drawID[orders.PaymentID](t, "payment"), Caller: text("caller"),
		Status: orders.Status(text("status")), PaymentStatus: orders.PaymentStatus(text("payment status")),
		FulfillmentStatus: orders.FulfillmentStatus(text("fulfillment")),
		Request: orders.Request{
			Customer:        orders.Customer{Name: text("name"), Email: text("email"), Document: text("document")},
			Items:           drawItems(t, "items"),
			ShippingAddress: maybe(t, "address", orders.Address{Street: text("street"), City: text("city"), PostalCode: text("postal code")}),
			Method:          orders.Method(text("method")), Token: text("token"),
			ExpectedTotal: maybe(t, "expected", money.Cents(rapid.Int64().Draw(t, "expected total"))),
			Metadata:      rapid.MapOfN(rapid.String(), rapid.String(), 1, 4).Draw(t, "metadata"),
		},
		Progress: orders.Progress{
			Lines: drawItems(t, "lines"), Total: money.Cents(rapid.Int64().Draw(t, "total")), Reason: text("reason"),
			Shortages:  []orders.Shortage{{SKU: text("short"), Requested: rapid.Int64().Draw(t, "requested"), Available: rapid.Int64().Draw(t, "available")}},
			Pix:        maybe(t, "pix", orders.PixCharge{TxID: text("txid"), CopyPaste: text("copy"), QRCodeURL: text("qr"), ExpiresAt: drawTime(t, "expires")}),
			HoldRound:  rapid.Int().Draw(t, "round"),
			ReleaseDue: rapid.Bool().Draw(t, "release"), RefundDue: rapid.Bool().Draw(t, "refund"), PaidLate: rapid.Bool().Draw(t, "late"),
		},
		Version: rapid.Int64().Draw(t, "version"), Lease: rapid.Int64().Draw(t, "lease"),
		CreatedAt: drawTime(t, "created"), UpdatedAt: drawTime(t, "updated"),
	}
	if due := maybe(t, "due", drawTime(t, "due at")); due != nil {
		order.NextAttemptAt = *due
	}
	return order
}

func TestRowRefusesBrokenJSON(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]orders.Row{
		"request":  {Request: []byte(`{`), Progress: []byte(`{}`)},
		"progress": {Request: []byte(`{}`), Progress: []byte(`[]`)},
	} {
		if _, err := row.Order(); err == nil {
			t.Errorf("a broken %s was read", name)
		}
	}
}

func TestSKUs(t *testing.T) {
	t.Parallel()
	order := orders.Order{Request: orders.Request{Items: []orders.Item{{SKU: "B"}, {SKU: "A"}, {SKU: "B"}, {SKU: "b"}, {SKU: "A"}}}}
	if got := order.SKUs(); !reflect.DeepEqual(got, []string{"B", "A", "b"}) {
		t.Errorf("got %q", got)
	}
}
