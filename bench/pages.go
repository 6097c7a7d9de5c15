package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// sample is an order that is there, to ask for.
type sample struct{ ID, Email, SKU, CreatedAt string }

// page is a question about orders.
type page struct {
	name string
	path func(s sample) string
}

func listed(name, query string) page {
	return page{name, func(sample) string { return "/v1/orders?" + query }}
}

// pages are each filter of the list, those that meet in a shop's daily work, and an order by itself.
var pages = []page{
	listed("newest", "limit=20"),
	listed("confirmed", "status=confirmed"),
	listed("rejected", "status=rejected"),
	listed("canceled", "status=canceled"),
	listed("placed", "status=placed"),
	listed("awaiting payment", "status=awaiting_payment"),
	listed("paid", "payment_status=paid"),
	listed("no payment", "payment_status=none"),
	listed("refunded", "payment_status=refunded"),
	{"before a time", func(s sample) string { return "/v1/orders?created_before=" + url.QueryEscape(s.CreatedAt) }},
	{"buyer", func(s sample) string { return "/v1/orders?email=" + url.QueryEscape(s.Email) }},
	{"buyer, rejected", func(s sample) string { return "/v1/orders?status=rejected&email=" + url.QueryEscape(s.Email) }},
	{"SKU", func(s sample) string { return "/v1/orders?sku=" + s.SKU }},
	{"SKU, rejected", func(s sample) string { return "/v1/orders?status=rejected&sku=" + s.SKU }},
	{"SKU, confirmed", func(s sample) string { return "/v1/orders?status=confirmed&sku=" + s.SKU }},
	listed("SKU of half of all", "sku="+skuName(0)),
	listed("the same, rejected", "status=rejected&sku="+skuName(0)),
	listed("the same, canceled", "status=canceled&sku="+skuName(0)),
	listed("the same, refunded", "payment_status=refunded&sku="+skuName(0)),
	{"order", func(s sample) string { return "/v1/orders/" + s.ID }},
	{"timeline", func(s sample) string { return "/v1/orders/" + s.ID + "/events" }},
}

// The samples are spread over all ages.
const samplesSQL = `SELECT o.id::text, o.email, (SELECT sku FROM orders.order_skus k WHERE k.order_id = o.id ORDER BY sku LIMIT 1),
	to_char(to_timestamp(o.created_at / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM (SELECT id FROM orders.orders ORDER BY random() LIMIT $1) picked JOIN orders.orders o USING (id)`

// askings is how often each page is asked for, each time of another order.
const askings = 50

// measurePages asks for each page, one after another, and answers the slowest of its askings but one, in milliseconds.
func measurePages(ctx context.Context, at *instance, conn *pgx.Conn) (map[string]float64, error) {
	// order_skus has its SKU first: without an index by order, the samples' SKUs are read in one scan.
	rows, err := conn.Query(ctx, samplesSQL, askings)
	if err != nil {
		return nil, err
	}
	samples, err := pgx.CollectRows(rows, pgx.RowToStructByPos[sample])
	if err != nil {
		return nil, fmt.Errorf("sample orders: %w", err)
	}
	slowest := map[string]float64{}
	for _, p := range pages {
		var took []time.Duration
		for _, s := range samples {
			began := time.Now()
			if err := ask(ctx, at, p.path(s)); err != nil {
				return nil, fmt.Errorf("page %s: %w", p.name, err)
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		slowest[p.name] = took[max(0, len(took)-2)].Seconds() * 1000
		say("  %-20s p50 %s, 98 %% %.1f ms", p.name, took[len(took)/2].Round(10*time.Microsecond), slowest[p.name])
	}
	return slowest, nil
}

func ask(ctx context.Context, at *instance, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.url+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+at.key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close() // it was read to its end
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return err
}
