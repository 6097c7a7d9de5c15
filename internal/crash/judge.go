//go:build linux

package crash

import (
	"fmt"
	"slices"
)

// Verdict counts what a run broke. All but Acknowledged must be zero.
type Verdict struct {
	Acknowledged int `json:"acknowledged"`
	// Lost are acknowledged orders that are gone, or are not what was acknowledged.
	Lost int `json:"lost"`
	// Doubled are keys with two orders, and orders that no client was told of.
	Doubled int `json:"doubled"`
	// Stuck are orders without an end, and requests without an answer.
	Stuck int `json:"stuck"`
	// Oversold are SKUs whose stock does not add up with the orders that have it.
	Oversold int `json:"oversold"`
	// Mischarged are orders whose money is not what their status says: charged twice, for nothing, or not at all.
	Mischarged int `json:"mischarged"`
	// Findings tell the ids.
	Findings []string `json:"findings,omitempty"`
}

// Clean tells whether nothing was broken.
func (v *Verdict) Clean() bool {
	return v.Lost+v.Doubled+v.Stuck+v.Oversold+v.Mischarged == 0 && len(v.Findings) == 0
}

func (v *Verdict) find(count *int, format string, args ...any) {
	*count++
	v.Findings = append(v.Findings, fmt.Sprintf(format, args...))
}

// world is what the system says at the end.
type world struct {
	orders   []order
	payments map[string][]payment // by order
	items    []item
}

// claim is what the client's ledger says of one key.
type claim struct {
	orders             []string // that were told
	status             string   // told last
	mayCancel, mayPay  bool
	hasCancel, hasPaid bool
}

func claims(entries []entry) map[string]*claim {
	all := make(map[string]*claim)
	for _, e := range entries {
		c := all[e.Key]
		if c == nil {
			c = &claim{}
			all[e.Key] = c
		}
		switch e.Word {
		case acknowledged:
			if !slices.Contains(c.orders, e.OrderID) {
				c.orders = append(c.orders, e.OrderID)
			}
			c.status = e.Status
		case cancelIntent:
			c.mayCancel = true
		case canceled:
			c.hasCancel = true
		case payIntent:
			c.mayPay = true
		case paid:
			c.hasPaid = true
		case intent:
		}
	}
	return all
}

// ends are the statuses that one told status may have become, by what the client did besides.
func (c *claim) ends() []string {
	switch {
	case c.hasCancel:
		return []string{"canceled"}
	case c.mayCancel:
		return []string{"confirmed", "canceled"}
	case c.hasPaid:
		return []string{"confirmed"}
	case c.status == "awaiting_payment" && c.mayPay:
		return []string{"awaiting_payment", "confirmed"}
	case c.status == "placed" || c.status == "held":
		return []string{"awaiting_payment", "confirmed", "rejected", "canceled"}
	default:
		return []string{c.status}
	}
}

// open tells whether an order has still to be decided. One that waits for its payer is not the product's to decide.
func (o *order) open() bool {
	return o.Status == "placed" || o.Status == "held" || o.PaymentStatus == "unknown"
}

// judge holds what the system says against what the client was told.
func judge(entries []entry, w world) *Verdict {
	v := &Verdict{}
	stored := make(map[string]*order, len(w.orders))
	for i := range w.orders {
		stored[w.orders[i].ID] = &w.orders[i]
	}
	told := make(map[string]bool)
	for key, c := range claims(entries) {
		v.judgeClaim(key, c, stored)
		for _, id := range c.orders {
			told[id] = true
		}
	}
	for i := range w.orders {
		o := &w.orders[i]
		if !told[o.ID] {
			v.find(&v.Doubled, "order %s (%s) exists, and no client was told", o.ID, o.Status)
		}
		if o.open() {
			v.find(&v.Stuck, "order %s is %s, its payment %s", o.ID, o.Status, o.PaymentStatus)
			continue
		}
		v.judgeMoney(o, w.payments[o.ID])
	}
	v.judgeStock(w)
	slices.Sort(v.Findings)
	return v
}

func (v *Verdict) judgeClaim(key string, c *claim, stored map[string]*order) {
	if len(c.orders) == 0 {
		v.find(&v.Stuck, "key %s has no answer", key)
		return
	}
	v.Acknowledged++
	if len(c.orders) > 1 {
		v.find(&v.Doubled, "key %s was answered with the orders %v", key, c.orders)
	}
	o := stored[c.orders[0]]
	switch {
	case o == nil:
		v.find(&v.Lost, "order %s was acknowledged as %s and is gone", c.orders[0], c.status)
	case !o.open() && !slices.Contains(c.ends(), o.Status):
		v.find(&v.Lost, "order %s was acknowledged as %s, may be %v, and is %s", o.ID, c.status, c.ends(), o.Status)
	}
}

func (v *Verdict) judgeMoney(o *order, payments []payment) {
	want, captures, net := int64(0), 0, int64(0)
	if o.Status == "confirmed" {
		want = o.TotalCents
	}
	for _, p := range payments {
		net += p.ReceivedCents - p.RefundedCents
		for _, t := range p.Transfers {
			if t.Kind == "capture" {
				captures++
			}
		}
	}
	if net != want || captures > 1 || len(payments) > 1 {
		v.find(&v.Mischarged, "order %s is %s over %d cents: %d cents taken in %d payments with %d captures", o.ID, o.Status, o.TotalCents, net, len(payments), captures)
	}
}

func (v *Verdict) judgeStock(w world) {
	sold := make(map[string]int64)
	for _, o := range w.orders {
		if o.Status != "confirmed" && o.Status != "awaiting_payment" && !o.open() {
			continue
		}
		for _, i := range o.Items {
			sold[i.SKU] += i.Quantity
		}
	}
	for _, sku := range skus {
		at := slices.IndexFunc(w.items, func(i item) bool { return i.SKU == sku })
		if at < 0 {
			v.find(&v.Oversold, "item %s is gone", sku)
			continue
		}
		i := w.items[at]
		if i.OnHand != stockOf(sku) || i.Held != sold[sku] || i.Held+i.Available != i.OnHand || i.Available < 0 {
			v.find(&v.Oversold, "%s: %d on hand, %d held, %d available; there were %d, and orders have %d", sku, i.OnHand, i.Held, i.Available, stockOf(sku), sold[sku])
		}
	}
}
