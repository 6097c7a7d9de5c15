package acceptance_test

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

var listPromises = []promise{
	{"orders are listed newest first, page by page", listIsPaged},
	{"orders are found by each filter", listIsFiltered},
}

// placeFor places orders of one customer, each for one unit, and returns their ids, newest first.
func (a *api) placeFor(email, sku string, tokens ...string) (ids []string) {
	a.Helper()
	for _, token := range tokens {
		body := with(card(token, line{sku, 1}), "customer", object{"name": "Ana", "email": email})
		r := a.place(body).want(http.StatusCreated, http.StatusPaymentRequired)
		id := strings.TrimPrefix(r.header.Get("Location"), "/v1/orders/")
		if r.status == http.StatusPaymentRequired {
			id = r.problem().OrderID
		}
		ids = append(ids, id)
	}
	slices.Reverse(ids)
	return ids
}

// list reads all pages of a list of orders.
func (a *api) list(query url.Values) (ids []string) {
	a.Helper()
	for {
		page := decodeAs[orderPage](a.get("/v1/orders?" + query.Encode()).want(http.StatusOK))
		for _, o := range page.Data {
			ids = append(ids, o.ID)
		}
		if page.NextCursor == "" {
			return ids
		}
		query.Set("cursor", page.NextCursor)
	}
}

func listIsPaged(a *api) {
	sku, email := a.stocked(100, 50), strings.ToLower(rand.Text())+"@example.com"
	placed := a.placeFor(email, sku, slices.Repeat([]string{"tok_approved"}, 5)...)
	first := decodeAs[orderPage](a.get("/v1/orders?limit=2&sku=" + sku).want(http.StatusOK))
	if len(first.Data) != 2 || first.NextCursor == "" {
		a.Fatalf("the first page is %+v", first)
	}
	a.placeFor(email, sku, "tok_approved") // what comes later does not move what is still to be read
	rest := a.list(url.Values{"limit": {"2"}, "sku": {sku}, "cursor": {first.NextCursor}})
	if got := append([]string{first.Data[0].ID, first.Data[1].ID}, rest...); !slices.Equal(got, placed) {
		a.Errorf("listed %v, want %v", got, placed)
	}
}

func listIsFiltered(a *api) {
	sku, email := a.stocked(100, 50), strings.ToLower(rand.Text())+"@example.com"
	placed := a.placeFor(email, sku, "tok_approved", "tok_declined", "tok_approved")
	newest, declined, oldest := placed[0], placed[1], placed[2]
	other := a.placeFor("other@example.com", sku, "tok_approved")[0]
	at := a.order(declined).CreatedAt.Format(time.RFC3339Nano)
	for _, c := range []struct {
		query url.Values
		want  []string
	}{
		{url.Values{"email": {email}}, placed},
		{url.Values{"email": {strings.ToUpper(email)}}, placed},
		{url.Values{"sku": {sku}}, append([]string{other}, placed...)},
		{url.Values{"sku": {sku}, "email": {email}, "status": {"confirmed"}}, []string{newest, oldest}},
		{url.Values{"sku": {sku}, "status": {"rejected"}}, []string{declined}},
		{url.Values{"email": {email}, "payment_status": {"none"}}, []string{declined}},
		{url.Values{"email": {email}, "created_after": {at}}, []string{newest, declined}},
		{url.Values{"email": {email}, "created_before": {at}}, []string{oldest}},
		{url.Values{"email": {email}, "created_after": {at}, "status": {"confirmed"}}, []string{newest}},
		{url.Values{"email": {"nobody@example.com"}, "sku": {sku}}, nil},
	} {
		for _, limit := range []string{"1", "100"} {
			c.query.Del("cursor")
			c.query.Set("limit", limit)
			if got := a.list(c.query); !slices.Equal(got, c.want) {
				a.Errorf("%s lists %v, want %v", c.query.Encode(), got, c.want)
			}
		}
	}
}
