//go:build linux

package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// The parts of the public API's resources that a client counts on.
type (
	order struct {
		ID            string      `json:"id"`
		Status        string      `json:"status"`
		PaymentStatus string      `json:"payment_status"`
		Items         []orderItem `json:"items"`
		TotalCents    int64       `json:"total_cents"`
		Payment       struct {
			Pix *struct {
				TxID string `json:"txid"`
			} `json:"pix"`
		} `json:"payment"`
		CreatedAt time.Time `json:"created_at"`
		UpdatedAt time.Time `json:"updated_at"`
	}
	orderItem struct {
		SKU      string `json:"sku"`
		Quantity int64  `json:"quantity"`
	}
	payment struct {
		Method        string `json:"method"`
		ReceivedCents int64  `json:"received_cents"`
		RefundedCents int64  `json:"refunded_cents"`
		Transfers     []struct {
			Kind string `json:"kind"`
		} `json:"transfers"`
	}
	item struct {
		SKU       string `json:"sku"`
		OnHand    int64  `json:"on_hand"`
		Held      int64  `json:"held"`
		Available int64  `json:"available"`
	}
	problem struct {
		Code    string `json:"code"`
		OrderID string `json:"order_id"`
	}
	page[T any] struct {
		Data       []T    `json:"data"`
		NextCursor string `json:"next_cursor"`
	}
)

// api is the public API as one key's holder sees it.
type api struct {
	base, token string
	client      *http.Client
}

func newAPI(base, token string) *api {
	return &api{base, token, &http.Client{Timeout: 15 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: buyerCount, IdleConnTimeout: 10 * time.Second}}}
}

// response is an answer that was read to its end.
type response struct {
	status     int
	retryAfter string
	body       []byte
}

// send sends a request once. A key and preference that are empty are not sent.
func (a *api) send(ctx context.Context, method, path, key, prefer string, body any) (response, error) {
	var reader io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return response{}, err
		}
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, a.base+path, reader)
	if err != nil {
		return response{}, err
	}
	for name, value := range map[string]string{"Authorization": "Bearer " + a.token, "Idempotency-Key": key, "Prefer": prefer} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	in, err := a.client.Do(r)
	if err != nil {
		return response{}, err
	}
	text, err := io.ReadAll(in.Body)
	_ = in.Body.Close() // it was read, or its error is known
	return response{in.StatusCode, in.Header.Get("Retry-After"), text}, err
}

// quiet is how long a request is repeated that fails in quiet times: the machine may be busy with other systems' faults.
const quiet = time.Minute

// get reads a resource in quiet times; only 200 is an answer, if need be after a while.
func get[T any](ctx context.Context, a *api, path string) (v T, err error) {
	var r response
	for until := time.Now().Add(quiet); ; {
		r, err = a.send(ctx, http.MethodGet, path, "", "", nil)
		if unwell := err != nil || r.status == http.StatusTooManyRequests || r.status >= 500; !unwell || time.Now().After(until) {
			break
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return v, ctx.Err()
		}
	}
	if err != nil {
		return v, fmt.Errorf("get %s: %w", path, err)
	}
	if r.status != http.StatusOK {
		return v, fmt.Errorf("get %s: status %d: %s", path, r.status, r.body)
	}
	if err := json.Unmarshal(r.body, &v); err != nil {
		return v, fmt.Errorf("get %s: %w", path, err)
	}
	return v, nil
}

// all reads every page of a list.
func all[T any](ctx context.Context, a *api, path string) (list []T, err error) {
	for query := (url.Values{"limit": {"100"}}); ; {
		p, err := get[page[T]](ctx, a, path+"?"+query.Encode())
		if err != nil {
			return nil, err
		}
		list = append(list, p.Data...)
		if p.NextCursor == "" {
			return list, nil
		}
		query.Set("cursor", p.NextCursor)
	}
}
