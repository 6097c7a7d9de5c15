package acceptance_test

import (
	"crypto/rand"
	"maps"
	"net/http"
	"slices"
)

var stockPromises = []promise{
	{"an item is created, read and changed", itemIsChanged},
	{"items are listed page by page", itemsAreListed},
	{"every movement has its cause, and the sums agree", movementsAgree},
	{"an adjustment cannot take what orders hold", heldIsKept},
	{"an adjustment is made once", adjustedOnce},
}

var paymentPromises = []promise{{"a payment is readable and its transfers balance", paymentIsRead}}

func itemIsChanged(a *api) {
	sku := "T-" + rand.Text()
	a.get("/v1/items/" + sku).want(http.StatusNotFound)
	r := a.send(http.MethodPut, "/v1/items/"+sku, object{"name": "Caneca azul", "price_cents": 2990, "low_stock_threshold": 3}).want(http.StatusOK)
	a.wantFields("the item", r.object(), "sku", "name", "price_cents", "low_stock_threshold", "on_hand", "held", "available", "created_at", "updated_at")
	if i := r.item(); i.SKU != sku || i.Name != "Caneca azul" || i.PriceCents != 2990 || i.LowStockThreshold != 3 || i.OnHand != 0 {
		a.Errorf("the item is %+v", i)
	}
	r = a.adjust(sku, 10).want(http.StatusCreated)
	a.wantFields("the adjustment", r.object(), "id", "sku", "delta", "reason", "on_hand", "created_at")
	if made := decodeAs[adjustment](r); made.OnHand != 10 || made.Delta != 10 || made.SKU != sku || made.Reason != "count" {
		a.Errorf("the adjustment is %+v", made)
	}
	if i := a.send(http.MethodPut, "/v1/items/"+sku, object{"name": "Caneca verde", "price_cents": 3190}).want(http.StatusOK).item(); i.Name != "Caneca verde" || i.PriceCents != 3190 || i.OnHand != 10 {
		a.Errorf("the changed item is %+v", i)
	}
	if p := a.adjust("T-"+rand.Text(), 1).want(http.StatusNotFound).problem(); p.Code != "item_not_found" {
		a.Errorf("the code is %s", p.Code)
	}
}

func itemsAreListed(a *api) {
	mine := []string{a.stocked(100, 1), a.stocked(100, 1), a.stocked(100, 1)}
	slices.Sort(mine)
	var found []string
	for query := "limit=7"; ; {
		page := decodeAs[itemPage](a.get("/v1/items?" + query).want(http.StatusOK))
		for _, i := range page.Data {
			if slices.Contains(mine, i.SKU) {
				found = append(found, i.SKU)
			}
		}
		if page.NextCursor == "" {
			break
		}
		query = "limit=7&cursor=" + page.NextCursor
	}
	if !slices.Equal(found, mine) {
		a.Errorf("found %v, want %v", found, mine)
	}
}

// movements are all of an item's, newest first.
func (a *api) movements(sku string) (all []movement) {
	a.Helper()
	for query := "limit=100"; ; {
		page := decodeAs[movementPage](a.get("/v1/items/" + sku + "/movements?" + query).want(http.StatusOK))
		all = append(all, page.Data...)
		if page.NextCursor == "" {
			return all
		}
		query = "limit=100&cursor=" + page.NextCursor
	}
}

// wantMovementsAgree checks that each movement goes on where the one before ended, up to what the item shows.
func (a *api) wantMovementsAgree(sku string) []movement {
	a.Helper()
	var onHand, held int64
	all := a.movements(sku)
	for _, m := range slices.Backward(all) {
		onHand, held = onHand+m.OnHandDelta, held+m.HeldDelta
		if m.OnHandAfter != onHand || m.HeldAfter != held || held < 0 || held > onHand {
			a.Errorf("movement %+v: the sums are %d and %d", m, onHand, held)
		}
		if (m.Kind == "adjustment") != (m.OrderID == "") {
			a.Errorf("movement %+v: an order is the cause of holds and releases alone", m)
		}
	}
	a.wantStock(sku, onHand, held)
	return all
}

func movementsAgree(a *api) {
	sku := a.stocked(100, 10)
	kept := a.place(card("tok_approved", line{sku, 2})).want(http.StatusCreated).order().ID
	canceled := a.place(card("tok_approved", line{sku, 3})).want(http.StatusCreated).order().ID
	a.cancel(canceled).want(http.StatusOK)
	a.adjust(sku, -4).want(http.StatusCreated)
	all := a.wantMovementsAgree(sku)
	type cause struct{ kind, order string }
	var got []cause
	for _, m := range all {
		got = append(got, cause{m.Kind, m.OrderID})
	}
	if want := []cause{{"adjustment", ""}, {"release", canceled}, {"hold", canceled}, {"hold", kept}, {"adjustment", ""}}; !slices.Equal(got, want) {
		a.Errorf("the movements are %v, want %v", got, want)
	}
	a.wantStock(sku, 6, 2)
}

func heldIsKept(a *api) {
	sku := a.stocked(100, 5)
	a.place(card("tok_approved", line{sku, 3})).want(http.StatusCreated)
	if p := a.adjust(sku, -3).want(http.StatusConflict).problem(); p.Code != "insufficient_stock" {
		a.Errorf("the code is %s", p.Code)
	}
	a.wantStock(sku, 5, 3)
	a.adjust(sku, -2).want(http.StatusCreated)
	a.wantStock(sku, 3, 3)
}

func adjustedOnce(a *api) {
	sku, key := a.stocked(100, 0), rand.Text()
	body := object{"sku": sku, "delta": 7, "reason": "delivery"}
	answers := a.together(50, request{http.MethodPost, "/v1/stock-adjustments", body, []string{"Idempotency-Key", key}})
	for _, r := range answers {
		if r.want(http.StatusCreated); string(r.body) != string(answers[0].body) {
			a.Errorf("two answers differ: %s and %s", r.body, answers[0].body)
		}
	}
	a.wantStock(sku, 7, 0)
	p := a.send(http.MethodPost, "/v1/stock-adjustments", with(body, "delta", 8), "Idempotency-Key", key).want(http.StatusUnprocessableEntity).problem()
	if p.Code != "idempotency_key_reused" {
		a.Errorf("the code is %s", p.Code)
	}
	if p := a.send(http.MethodPost, "/v1/stock-adjustments", body).want(http.StatusBadRequest).problem(); p.Code != "idempotency_key_required" {
		a.Errorf("the code is %s", p.Code)
	}
	a.wantStock(sku, 7, 0)
}

// balances are what a payment's transfers left on each account.
func balances(p payment) map[string]int64 {
	sums := map[string]int64{}
	for _, t := range p.Transfers {
		sums[t.DebitAccount] += t.AmountCents
		sums[t.CreditAccount] -= t.AmountCents
	}
	return sums
}

func paymentIsRead(a *api) {
	sku := a.stocked(1500, 3)
	o := a.place(card("tok_approved", line{sku, 2})).want(http.StatusCreated).order()
	r := a.get("/v1/payments/" + o.Payment.ID).want(http.StatusOK)
	a.wantFields("the payment", r.object(), "id", "order_id", "method", "status", "amount_cents", "received_cents", "refunded_cents", "currency",
		"provider", "receipts", "transfers", "created_at", "updated_at")
	p := decodeAs[payment](r)
	if p.ID != o.Payment.ID || p.OrderID != o.ID || p.Method != "card" || p.Status != "paid" || p.AmountCents != 3000 || p.Currency != "BRL" || p.Provider != "sandbox" {
		a.Errorf("the payment is %+v", p)
	}
	if len(p.Transfers) != 1 || p.Transfers[0].Kind != "capture" || p.Transfers[0].AmountCents != 3000 {
		a.Errorf("the transfers are %+v", p.Transfers)
	}
	if got := slices.Sorted(maps.Values(balances(p))); !slices.Equal(got, []int64{-3000, 3000}) {
		a.Errorf("the balances are %v", got)
	}
	a.get("/v1/payments/" + o.ID).want(http.StatusNotFound)
}
