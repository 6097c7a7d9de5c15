package acceptance_test

import (
	"crypto/rand"
	"net/http"
	"time"
)

// The API's resources, field by field: an answer with a field that is not here fails the test.

type order struct {
	ID                string            `json:"id"`
	Status            string            `json:"status"`
	PaymentStatus     string            `json:"payment_status"`
	FulfillmentStatus string            `json:"fulfillment_status"`
	Reason            string            `json:"reason"`
	Customer          map[string]string `json:"customer"`
	Items             []orderItem       `json:"items"`
	ShippingAddress   map[string]string `json:"shipping_address"`
	TotalCents        int64             `json:"total_cents"`
	Currency          string            `json:"currency"`
	Payment           orderPayment      `json:"payment"`
	Metadata          map[string]string `json:"metadata"`
	Version           int64             `json:"version"`
	CreatedAt         time.Time         `json:"created_at"`
	UpdatedAt         time.Time         `json:"updated_at"`
}

type orderItem struct {
	SKU            string `json:"sku"`
	Name           string `json:"name"`
	Quantity       int64  `json:"quantity"`
	UnitPriceCents int64  `json:"unit_price_cents"`
	TotalCents     int64  `json:"total_cents"`
}

type orderPayment struct {
	ID     string `json:"id"`
	Method string `json:"method"`
	Status string `json:"status"`
	Pix    *struct {
		TxID      string    `json:"txid"`
		CopyPaste string    `json:"copy_paste"`
		QRCodeURL string    `json:"qr_code_url"`
		ExpiresAt time.Time `json:"expires_at"`
	} `json:"pix"`
}

type orderPage struct {
	Data       []order `json:"data"`
	NextCursor string  `json:"next_cursor"`
}

type timeline struct {
	Data []struct {
		ID            string    `json:"id"`
		Type          string    `json:"type"`
		Status        string    `json:"status"`
		PaymentStatus string    `json:"payment_status"`
		Reason        string    `json:"reason"`
		Version       int64     `json:"version"`
		At            time.Time `json:"at"`
	} `json:"data"`
}

type item struct {
	SKU               string    `json:"sku"`
	Name              string    `json:"name"`
	PriceCents        int64     `json:"price_cents"`
	LowStockThreshold int64     `json:"low_stock_threshold"`
	OnHand            int64     `json:"on_hand"`
	Held              int64     `json:"held"`
	Available         int64     `json:"available"`
	CreatedAt         time.Time `json:"created_at"`
	UpdatedAt         time.Time `json:"updated_at"`
}

type itemPage struct {
	Data       []item `json:"data"`
	NextCursor string `json:"next_cursor"`
}

type adjustment struct {
	ID        string    `json:"id"`
	SKU       string    `json:"sku"`
	Delta     int64     `json:"delta"`
	Reason    string    `json:"reason"`
	OnHand    int64     `json:"on_hand"`
	CreatedAt time.Time `json:"created_at"`
}

type movement struct {
	ID          string    `json:"id"`
	Kind        string    `json:"kind"`
	OnHandDelta int64     `json:"on_hand_delta"`
	HeldDelta   int64     `json:"held_delta"`
	OnHandAfter int64     `json:"on_hand_after"`
	HeldAfter   int64     `json:"held_after"`
	OrderID     string    `json:"order_id"`
	Reason      string    `json:"reason"`
	At          time.Time `json:"at"`
}

type movementPage struct {
	Data       []movement `json:"data"`
	NextCursor string     `json:"next_cursor"`
}

type payment struct {
	ID            string     `json:"id"`
	OrderID       string     `json:"order_id"`
	Method        string     `json:"method"`
	Status        string     `json:"status"`
	DeclineReason string     `json:"decline_reason"`
	AmountCents   int64      `json:"amount_cents"`
	ReceivedCents int64      `json:"received_cents"`
	RefundedCents int64      `json:"refunded_cents"`
	Currency      string     `json:"currency"`
	Provider      string     `json:"provider"`
	Pix           any        `json:"pix"`
	Receipts      []receipt  `json:"receipts"`
	Transfers     []transfer `json:"transfers"`
	CreatedAt     time.Time  `json:"created_at"`
	UpdatedAt     time.Time  `json:"updated_at"`
}

type receipt struct {
	EndToEndID  string    `json:"end_to_end_id"`
	AmountCents int64     `json:"amount_cents"`
	Status      string    `json:"status"`
	ReceivedAt  time.Time `json:"received_at"`
}

type transfer struct {
	Kind          string    `json:"kind"`
	DebitAccount  string    `json:"debit_account"`
	CreditAccount string    `json:"credit_account"`
	AmountCents   int64     `json:"amount_cents"`
	At            time.Time `json:"at"`
}

type problem struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Code      string       `json:"code"`
	Detail    string       `json:"detail"`
	Errors    []fieldError `json:"errors"`
	OrderID   string       `json:"order_id"`
	OrderURL  string       `json:"order_url"`
	Shortages []shortage   `json:"shortages"`
}

type fieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

type shortage struct {
	SKU       string `json:"sku"`
	Requested int64  `json:"requested"`
	Available int64  `json:"available"`
}

// object is a body to be sent.
type object = map[string]any

// line is what a customer wants of one SKU.
type line struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// card is an order that is paid by a token of the sandbox.
func card(token string, lines ...line) object {
	return newOrder(object{"method": "card", "token": token}, lines)
}

// pix is an order that waits for its payer.
func pix(lines ...line) object { return newOrder(object{"method": "pix"}, lines) }

func newOrder(payment object, lines []line) object {
	return object{"customer": object{"name": "Ana Souza", "email": "ana@example.com"}, "items": lines, "payment": payment}
}

// with is an order with one more field, or another value of it.
func with(body object, name string, value any) object {
	body[name] = value
	return body
}

// stocked makes an item with stock and returns its SKU, which no other test knows.
func (a *api) stocked(priceCents, units int64) string {
	a.Helper()
	sku := "T-" + rand.Text()
	a.send(http.MethodPut, "/v1/items/"+sku, object{"name": "Item of " + sku, "price_cents": priceCents}).want(http.StatusOK)
	if units != 0 {
		a.adjust(sku, units).want(http.StatusCreated)
	}
	return sku
}

func (a *api) adjust(sku string, delta int64) response {
	a.Helper()
	return a.send(http.MethodPost, "/v1/stock-adjustments", object{"sku": sku, "delta": delta, "reason": "count"}, "Idempotency-Key", rand.Text())
}

func (a *api) item(sku string) item {
	a.Helper()
	return a.get("/v1/items/" + sku).want(http.StatusOK).item()
}

// wantStock checks an item's three numbers.
func (a *api) wantStock(sku string, onHand, held int64) {
	a.Helper()
	if i := a.item(sku); i.OnHand != onHand || i.Held != held || i.Available != onHand-held {
		a.Errorf("%s: on hand %d, held %d, available %d; want %d, %d, %d", sku, i.OnHand, i.Held, i.Available, onHand, held, onHand-held)
	}
}

func (a *api) order(id string) order {
	a.Helper()
	return a.get("/v1/orders/" + id).want(http.StatusOK).order()
}

// payments are an order's payments.
func (a *api) payments(orderID string) []payment {
	a.Helper()
	return decodeAs[struct {
		Data []payment `json:"data"`
	}](a.get("/v1/orders/" + orderID + "/payments").want(http.StatusOK)).Data
}

// onlyPayment is the payment of an order that must have one.
func (a *api) onlyPayment(orderID string) payment {
	a.Helper()
	all := a.payments(orderID)
	if len(all) != 1 {
		a.Fatalf("order %s has %d payments, want one", orderID, len(all))
	}
	return all[0]
}
