package acceptance_test

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

var orderPromises = []promise{
	{"the first order is confirmed", orderIsConfirmed},
	{"an order keeps what it came with", orderKeepsAll},
	{"token approved", func(a *api) { tokenIsApproved(a, "tok_approved") }},
	{"token timeout_approved", func(a *api) { tokenIsApproved(a, "tok_timeout_approved") }},
	{"token slow", func(a *api) { tokenIsApproved(a, "tok_slow") }},
	{"token declined", func(a *api) { tokenIsDeclined(a, "tok_declined") }},
	{"token timeout_declined", func(a *api) { tokenIsDeclined(a, "tok_timeout_declined") }},
	{"a token that the sandbox does not know is declined", func(a *api) { tokenIsDeclined(a, "tok_nobody_knows") }},
	{"who does not want to wait so long gets 202", shortWait},
	{"respond-async gets 202", respondAsync},
	{"out of stock names the SKU and what is left", outOfStock},
	{"a changed price is refused", priceChanged},
	{"an order above the limit is rejected", limitExceeded},
	{"the timeline tells every transition", timelineIsTold},
}

func orderIsConfirmed(a *api) {
	sku := a.stocked(3990, 10)
	r := a.place(card("tok_approved", line{sku, 2})).want(http.StatusCreated)
	body := r.object()
	a.wantFields("the order", body, "id", "status", "payment_status", "fulfillment_status", "customer", "items", "total_cents",
		"currency", "payment", "version", "created_at", "updated_at")
	a.wantFields("its customer", body["customer"], "name", "email")
	a.wantFields("its item", body["items"].([]any)[0], "sku", "name", "quantity", "unit_price_cents", "total_cents")
	a.wantFields("its payment", body["payment"], "id", "method", "status")
	o := r.order()
	if o.Status != "confirmed" || o.PaymentStatus != "paid" || o.FulfillmentStatus != "unfulfilled" || o.Payment.Status != "paid" || o.Payment.Method != "card" {
		a.Errorf("the order is %s", r.body)
	}
	if want := (orderItem{sku, "Item of " + sku, 2, 3990, 7980}); len(o.Items) != 1 || o.Items[0] != want || o.TotalCents != 7980 || o.Currency != "BRL" {
		a.Errorf("items %v and total %d, want %v and 7980", o.Items, o.TotalCents, want)
	}
	if r.header.Get("Location") != "/v1/orders/"+o.ID {
		a.Errorf("Location is %q", r.header.Get("Location"))
	}
	if again := a.get("/v1/orders/" + o.ID).want(http.StatusOK); string(again.body) != string(r.body) {
		a.Errorf("read again it is %s, was %s", again.body, r.body)
	}
	a.wantStock(sku, 10, 2)
}

func orderKeepsAll(a *api) {
	first, second := a.stocked(100, 10), a.stocked(250, 10)
	body := card("tok_approved", line{first, 1}, line{second, 3})
	body["customer"] = object{"name": "Zé das Couves & Cia", "email": "Ze@Example.com", "document": "12.ABC.345/01DE-35"}
	body["shipping_address"] = object{"recipient": "Zé", "street": "Rua da Conceição", "number": "12-A", "complement": "fundos", "district": "Centro",
		"city": "São Paulo", "state": "SP", "postal_code": "01310-100"}
	body["metadata"] = object{"campaign": "black-friday", "emoji": "🚀"}
	body["expected_total_cents"] = 850
	o := a.place(body).want(http.StatusCreated).order()
	if o.Customer["name"] != "Zé das Couves & Cia" || o.Customer["email"] != "Ze@Example.com" || o.Customer["document"] != "12ABC34501DE35" {
		a.Errorf("the customer is %v", o.Customer)
	}
	if o.ShippingAddress["street"] != "Rua da Conceição" || o.ShippingAddress["country"] != "BR" || o.ShippingAddress["complement"] != "fundos" {
		a.Errorf("the address is %v", o.ShippingAddress)
	}
	if o.Metadata["emoji"] != "🚀" || o.Metadata["campaign"] != "black-friday" || o.TotalCents != 850 || o.Items[1].SKU != second {
		a.Errorf("the order is %v", o)
	}
}

func tokenIsApproved(a *api, token string) {
	sku := a.stocked(500, 1)
	o := a.place(card(token, line{sku, 1})).want(http.StatusCreated).order()
	if o.Status != "confirmed" || o.PaymentStatus != "paid" {
		a.Errorf("the order is %s, its payment %s", o.Status, o.PaymentStatus)
	}
	if p := a.onlyPayment(o.ID); p.Status != "paid" || p.AmountCents != 500 || p.ReceivedCents != 500 || p.RefundedCents != 0 {
		a.Errorf("the payment is %+v", p)
	}
	a.wantStock(sku, 1, 1)
}

func tokenIsDeclined(a *api, token string) {
	sku := a.stocked(500, 3)
	p := a.place(card(token, line{sku, 2})).want(http.StatusPaymentRequired).problem()
	if p.Code != "payment_declined" || p.OrderURL != "/v1/orders/"+p.OrderID {
		a.Errorf("the problem is %+v", p)
	}
	if o := a.order(p.OrderID); o.Status != "rejected" || o.Reason != "payment_declined" || o.PaymentStatus != "none" || o.TotalCents != 1000 {
		a.Errorf("the rejected order is %+v", o)
	}
	if p := a.onlyPayment(p.OrderID); p.Status != "declined" || p.DeclineReason == "" || p.ReceivedCents != 0 || len(p.Transfers) != 0 {
		a.Errorf("the payment is %+v", p)
	}
	// The answer does not wait for the release, which cannot fail any more.
	a.eventually(soon, "the stock is back", func() bool { return a.item(sku).Held == 0 })
	a.wantStock(sku, 3, 0)
}

func shortWait(a *api) {
	sku := a.stocked(500, 1)
	began := time.Now()
	r := a.place(card("tok_slow", line{sku, 1}), "Prefer", "wait=1").want(http.StatusAccepted)
	if took := time.Since(began); took < 900*time.Millisecond {
		a.Errorf("202 came after %s, before the second was over", took)
	}
	o := r.order()
	if o.Status != "placed" && o.Status != "held" || r.header.Get("Location") != "/v1/orders/"+o.ID {
		a.Errorf("the order is %s at %q", o.Status, r.header.Get("Location"))
	}
	if o = a.awaitOrder(o.ID, "confirmed"); o.PaymentStatus != "paid" {
		a.Errorf("the payment is %s", o.PaymentStatus)
	}
}

// respondAsync is a preference (RFC 7240, section 4.1): an order that is decided by the time of its answer is answered so.
func respondAsync(a *api) {
	sku := a.stocked(500, 1)
	r := a.place(card("tok_approved", line{sku, 1}), "Prefer", "respond-async").want(http.StatusAccepted, http.StatusCreated)
	id := r.order().ID
	if r.header.Get("Location") != "/v1/orders/"+id {
		a.Errorf("Location is %q", r.header.Get("Location"))
	}
	a.awaitOrder(id, "confirmed")
	r = a.place(card("tok_approved", line{sku, 1}), "Prefer", "respond-async").want(http.StatusAccepted, http.StatusConflict)
	rejected := strings.TrimPrefix(r.header.Get("Location"), "/v1/orders/")
	if r.status == http.StatusConflict {
		rejected = r.problem().OrderID
	}
	if o := a.awaitOrder(rejected, "rejected"); o.Reason != "out_of_stock" {
		a.Errorf("the reason is %q", o.Reason)
	}
	slow := a.place(card("tok_slow", line{a.stocked(500, 1), 1}), "Prefer", "respond-async").want(http.StatusAccepted).order()
	a.awaitOrder(slow.ID, "confirmed")
	a.wantStock(sku, 1, 1)
}

func outOfStock(a *api) {
	plenty, scarce := a.stocked(100, 50), a.stocked(100, 2)
	p := a.place(card("tok_approved", line{plenty, 5}, line{scarce, 3})).want(http.StatusConflict).problem()
	if want := []shortage{{scarce, 3, 2}}; p.Code != "out_of_stock" || !slices.Equal(p.Shortages, want) {
		a.Errorf("%s with shortages %v, want %v", p.Code, p.Shortages, want)
	}
	if o := a.order(p.OrderID); p.OrderURL != "/v1/orders/"+o.ID || o.Status != "rejected" || o.Reason != "out_of_stock" || o.PaymentStatus != "none" {
		a.Errorf("the rejected order is %+v", o)
	}
	if all := a.payments(p.OrderID); len(all) != 0 {
		a.Errorf("it has payments: %v", all)
	}
	a.wantStock(plenty, 50, 0)
	a.wantStock(scarce, 2, 0)
}

func priceChanged(a *api) {
	sku := a.stocked(100, 5)
	p := a.place(with(card("tok_approved", line{sku, 2}), "expected_total_cents", 199)).want(http.StatusConflict).problem()
	o := a.order(p.OrderID)
	if p.Code != "price_changed" || o.Status != "rejected" || o.Reason != "price_changed" || o.TotalCents != 200 {
		a.Errorf("%s, and the order is %+v", p.Code, o)
	}
	a.wantStock(sku, 5, 0)
	a.place(with(card("tok_approved", line{sku, 2}), "expected_total_cents", 200)).want(http.StatusCreated)
	a.send(http.MethodPut, "/v1/items/"+sku, object{"name": "dearer", "price_cents": 101}).want(http.StatusOK)
	a.place(with(card("tok_approved", line{sku, 2}), "expected_total_cents", 200)).want(http.StatusConflict)
	if o := a.place(card("tok_approved", line{sku, 2})).want(http.StatusCreated).order(); o.TotalCents != 202 {
		a.Errorf("the total is %d, want inventory's 202", o.TotalCents)
	}
}

func limitExceeded(a *api) {
	sku := a.stocked(100_000_000, 100_000)
	p := a.place(card("tok_approved", line{sku, 100_000})).want(http.StatusUnprocessableEntity).problem()
	if o := a.order(p.OrderID); p.Code != "limit_exceeded" || o.Status != "rejected" || o.Reason != "limit_exceeded" {
		a.Errorf("%s, and the order is %+v", p.Code, o)
	}
	a.eventually(soon, "the stock is back", func() bool { return a.item(sku).Held == 0 })
}

func timelineIsTold(a *api) {
	sku := a.stocked(100, 5)
	o := a.place(card("tok_approved", line{sku, 1})).want(http.StatusCreated).order()
	a.send(http.MethodPost, "/v1/orders/"+o.ID+"/cancel", object{"reason": "changed my mind"}).want(http.StatusOK, http.StatusAccepted)
	o = a.awaitOrder(o.ID, "canceled")
	a.eventually(soon, "the timeline ends with the refund", func() bool {
		events := decodeAs[timeline](a.get("/v1/orders/" + o.ID + "/events").want(http.StatusOK)).Data
		return events[len(events)-1].PaymentStatus == "refunded"
	})
	events := decodeAs[timeline](a.get("/v1/orders/" + o.ID + "/events").want(http.StatusOK)).Data
	var types []string
	for i, e := range events {
		types = append(types, e.Type)
		if i > 0 && (e.Version < events[i-1].Version || e.At.Before(events[i-1].At) || e.ID == events[i-1].ID) {
			a.Errorf("event %v follows %v", e, events[i-1])
		}
	}
	told := strings.Join(types, " ")
	for _, want := range []string{"order.placed order.held order.confirmed", "order.canceled"} {
		if !strings.Contains(told, want) {
			a.Errorf("the timeline %q lacks %q", told, want)
		}
	}
	if last := events[len(events)-1]; last.Version != a.order(o.ID).Version {
		a.Errorf("the last event has version %d, the order %d", last.Version, a.order(o.ID).Version)
	}
}
