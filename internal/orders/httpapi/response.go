package httpapi

import (
	"strconv"

	"github.com/google/uuid"

	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

func orderURL(order orders.ID) string { return "/v1/orders/" + order.String() }

func orderBody(o *orders.Order) ordersapi.Order {
	body := ordersapi.Order{
		ID:                uuid.UUID(o.ID),
		Status:            ordersapi.OrderStatus(o.Status),
		PaymentStatus:     ordersapi.PaymentStatus(o.PaymentStatus),
		FulfillmentStatus: ordersapi.FulfillmentStatus(o.FulfillmentStatus),
		Reason:            optString(o.Reason),
		Customer:          ordersapi.Customer{Name: o.Customer.Name, Email: o.Customer.Email, Document: optString(o.Customer.Document)},
		Items:             itemBodies(o.EffectiveItems()),
		TotalCents:        int64(o.Total),
		Currency:          ordersapi.OrderCurrencyBRL,
		Payment: ordersapi.OrderPayment{ID: uuid.UUID(o.PaymentID), Method: ordersapi.PaymentMethod(o.Method),
			Status: ordersapi.PaymentStatus(o.PaymentStatus)},
		Version:   o.Version,
		CreatedAt: o.CreatedAt,
		UpdatedAt: o.UpdatedAt,
	}
	if o.Pix != nil {
		body.Payment.Pix = ordersapi.NewOptPixCharge(ordersapi.PixCharge{Txid: o.Pix.TxID, CopyPaste: o.Pix.CopyPaste,
			QrCodeURL: o.Pix.QRCodeURL, ExpiresAt: o.Pix.ExpiresAt})
	}
	if o.ShippingAddress != nil {
		body.ShippingAddress = ordersapi.NewOptAddress(addressBody(*o.ShippingAddress))
	}
	if len(o.Metadata) > 0 {
		body.Metadata = ordersapi.NewOptMetadata(o.Metadata)
	}
	return body
}

func itemBodies(items []orders.Item) []ordersapi.OrderItem {
	bodies := make([]ordersapi.OrderItem, len(items))
	for i, item := range items {
		bodies[i] = ordersapi.OrderItem{Sku: item.SKU, Name: item.Name, Quantity: int(item.Quantity),
			UnitPriceCents: int64(item.UnitPrice), TotalCents: int64(item.UnitPrice) * item.Quantity}
	}
	return bodies
}

func addressBody(a orders.Address) ordersapi.Address {
	return ordersapi.Address{
		Recipient: optString(a.Recipient), Street: a.Street, Number: a.Number, Complement: optString(a.Complement),
		District: optString(a.District), City: a.City, State: a.State, PostalCode: a.PostalCode, Country: ordersapi.NewOptString(a.Country),
	}
}

func eventBody(e orders.Event) ordersapi.OrderEvent {
	return ordersapi.OrderEvent{
		ID: e.OrderID.String() + "-" + strconv.FormatInt(e.Version, 10), Type: string(e.Type), Status: ordersapi.OrderStatus(e.Status),
		PaymentStatus: ordersapi.PaymentStatus(e.PaymentStatus), Reason: optString(e.Reason), Version: e.Version, At: e.At,
	}
}

func optString(s string) ordersapi.OptString {
	if s == "" {
		return ordersapi.OptString{}
	}
	return ordersapi.NewOptString(s)
}
