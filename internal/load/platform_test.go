package load

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// fault is a lie that a platform can tell.
type fault string

const (
	honest      fault = ""
	losesOrder  fault = "acknowledges an order and forgets it"
	doublesIt   fault = "makes two orders of one placement"
	otherItems  fault = "stores other items than were ordered"
	forgetsHold fault = "confirms an order without holding its stock"
	oversells   fault = "sells more than there is"
	losesAnswer fault = "breaks the connection after the effect"
	gateway     fault = "has a proxy in front that answers 502 after the effect"
	revokes     fault = "cancels an order that it confirmed"
)

// platform is a small shop behind the contract's paths; every seventh order meets its fault.
type platform struct {
	mu     sync.Mutex
	fault  fault
	items  map[string]*item
	orders []map[string]any
	keys   map[string]map[string]any
	placed func(orders int)
}

func newPlatform(t *testing.T, f fault) string {
	return newPlatformThatTells(t, f, func(int) {})
}

// newPlatformThatTells calls placed with the number of orders after each one.
func newPlatformThatTells(t *testing.T, f fault, placed func(orders int)) string {
	p := &platform{fault: f, items: map[string]*item{}, keys: map[string]map[string]any{}, placed: placed}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /v1/items/{sku}", p.putItem)
	mux.HandleFunc("GET /v1/items/{sku}", p.getItem)
	mux.HandleFunc("POST /v1/stock-adjustments", p.adjust)
	mux.HandleFunc("POST /v1/orders", p.place)
	mux.HandleFunc("GET /v1/orders", p.list)
	mux.HandleFunc("GET /v1/orders/{id}", p.getOrder)
	mux.HandleFunc("POST /v1/orders/{id}/cancel", p.cancelOrder)
	mux.HandleFunc("POST /v1/sandbox/pix/{txid}/pay", p.pay)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer key" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func answerJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

func (p *platform) putItem(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Price int64 `json:"price_cents"`
	}
	_ = json.NewDecoder(r.Body).Decode(&body)
	it := p.items[r.PathValue("sku")]
	if it == nil {
		it = &item{}
		p.items[r.PathValue("sku")] = it
	}
	it.Price, it.UpdatedAt = body.Price, time.Now()
	answerJSON(w, 200, it)
}

func (p *platform) getItem(w http.ResponseWriter, r *http.Request) {
	answerJSON(w, 200, p.items[r.PathValue("sku")])
}

func (p *platform) adjust(w http.ResponseWriter, r *http.Request) {
	var body struct {
		SKU   string `json:"sku"`
		Delta int64  `json:"delta"`
	}
	_ = json.NewDecoder(r.Body).Decode(&body)
	it := p.items[body.SKU]
	it.OnHand += body.Delta
	answerJSON(w, 201, map[string]any{"on_hand": it.OnHand, "created_at": time.Now()})
}

type wish struct {
	Customer json.RawMessage `json:"customer"`
	Payment  struct {
		Method string `json:"method"`
	} `json:"payment"`
	Items []struct {
		SKU      string `json:"sku"`
		Quantity int64  `json:"quantity"`
	} `json:"items"`
}

func (p *platform) place(w http.ResponseWriter, r *http.Request) {
	var body wish
	_ = json.NewDecoder(r.Body).Decode(&body)
	faulty := len(p.keys)%7 == 6
	if p.keys[r.Header.Get("Idempotency-Key")] != nil {
		panic("one key came twice")
	}
	total := int64(0)
	for _, line := range body.Items {
		it := p.items[line.SKU]
		if it.OnHand-it.Held < line.Quantity && p.fault != oversells {
			p.keys[r.Header.Get("Idempotency-Key")] = map[string]any{}
			answerJSON(w, 409, map[string]any{"code": "out_of_stock"})
			return
		}
		total += it.Price
	}
	if !faulty || p.fault != forgetsHold {
		for _, line := range body.Items {
			p.items[line.SKU].Held += line.Quantity
		}
	}
	if faulty && p.fault == otherItems {
		body.Items[0].Quantity++
	}
	order := map[string]any{"id": fmt.Sprintf("00000000-0000-7000-8000-%012d", len(p.orders)), "status": "confirmed", "customer": body.Customer,
		"items": body.Items, "total_cents": total}
	if body.Payment.Method == "pix" {
		order["status"] = "awaiting_payment"
		order["payment"] = map[string]any{"pix": map[string]any{"txid": order["id"]}}
	}
	p.keys[r.Header.Get("Idempotency-Key")] = order
	p.store(w, order, faulty)
}

func (p *platform) store(w http.ResponseWriter, order map[string]any, faulty bool) {
	if !faulty || p.fault != losesOrder {
		p.orders = append(p.orders, order)
	}
	p.placed(len(p.orders))
	switch {
	case faulty && p.fault == gateway:
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<h1>502 Bad Gateway</h1>"))
		return
	case faulty && p.fault == doublesIt:
		double := map[string]any{}
		for name, value := range order {
			double[name] = value
		}
		double["id"] = fmt.Sprintf("00000000-0000-7000-9000-%012d", len(p.orders))
		p.orders = append(p.orders, double)
	case faulty && p.fault == losesAnswer:
		panic(http.ErrAbortHandler)
	case faulty && p.fault == revokes:
		defer func() { order["status"] = "canceled" }()
	}
	answerJSON(w, 201, order)
}

// list has pages of three, newest first, so that cursors matter.
func (p *platform) list(w http.ResponseWriter, r *http.Request) {
	from := len(p.orders)
	if cursor := r.URL.Query().Get("cursor"); cursor != "" {
		_, _ = fmt.Sscan(cursor, &from)
	}
	page := map[string]any{}
	var data []map[string]any
	for from > 0 && len(data) < 3 {
		from--
		if status := r.URL.Query().Get("status"); status == "" || p.orders[from]["status"] == status {
			data = append(data, p.orders[from])
		}
	}
	if page["data"] = data; from > 0 {
		page["next_cursor"] = fmt.Sprint(from)
	}
	answerJSON(w, 200, page)
}

func (p *platform) find(id string) map[string]any {
	for _, order := range p.orders {
		if order["id"] == id {
			return order
		}
	}
	return nil
}

func (p *platform) getOrder(w http.ResponseWriter, r *http.Request) {
	order := p.find(r.PathValue("id"))
	if order == nil {
		answerJSON(w, 404, map[string]any{"code": "order_not_found"})
		return
	}
	answerJSON(w, 200, order)
}

func (p *platform) cancelOrder(w http.ResponseWriter, r *http.Request) {
	order := p.find(r.PathValue("id"))
	if order["status"] != "canceled" {
		raw, _ := json.Marshal(order)
		var body wish
		_ = json.Unmarshal(raw, &body)
		for _, line := range body.Items {
			p.items[line.SKU].Held -= line.Quantity
		}
	}
	order["status"] = "canceled"
	answerJSON(w, 200, order)
}

func (p *platform) pay(w http.ResponseWriter, r *http.Request) {
	p.find(strings.TrimSpace(r.PathValue("txid")))["status"] = "confirmed"
	answerJSON(w, 200, map[string]any{})
}
