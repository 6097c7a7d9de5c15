package sim

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
)

// life is what the auditor knows of one stored order: every status by its version, from the writes that were committed.
type life struct {
	key      orders.IdempotencyKey
	statuses []orders.Status // at version i+1
	late     bool            // was paid late
}

func (l *life) status() orders.Status { return l.statuses[len(l.statuses)-1] }

// legal is the auditor's own table of transitions.
var legal = map[orders.Status]string{
	orders.Placed: "held rejected canceled", orders.Held: "awaiting_payment confirmed rejected canceled",
	orders.AwaitingPayment: "confirmed rejected canceled", orders.Confirmed: "completed canceled", orders.Canceled: "held",
}

// placed hears of an order that was written.
func (w *World) placed(p *orders.Placement) {
	if l, known := w.model[p.Order.ID]; known {
		if l.key != p.Key {
			w.violate("order %s is stored under two keys", p.Order.ID)
		}
		return
	}
	l := &life{key: p.Key}
	w.model[p.Order.ID] = l
	w.lived(l, p.Order.ID, p.Order.Events())
	w.note("order", "has payment", p.Order.PaymentID, 0)
	if len(l.statuses) != 1 || l.status() != orders.Placed {
		w.violate("order %s begins as %v", p.Order.ID, l.statuses)
	}
}

// saved hears of an order that was changed.
func (w *World) saved(c *orders.Change) {
	l, known := w.model[c.Order.ID]
	if !known {
		w.violate("order %s is changed, and was never placed", c.Order.ID)
	}
	before := l.status()
	w.lived(l, c.Order.ID, c.Events)
	if int64(len(l.statuses)) != c.Order.Version || l.status() != c.Order.Status {
		w.violate("order %s is %s at version %d, and its events end at %d with %s", c.Order.ID, c.Order.Status, c.Order.Version, len(l.statuses), l.status())
	}
	w.count(before, c)
}

func (w *World) lived(l *life, id orders.ID, events []orders.Event) {
	for _, e := range events {
		w.note("order", string(e.Type)+" "+e.Reason, id, e.Version)
		if e.Version != int64(len(l.statuses)+1) {
			w.violate("order %s: event %d follows %d", id, e.Version, len(l.statuses))
		}
		if len(l.statuses) > 0 && e.Status != l.status() && !hasWord(legal[l.status()], string(e.Status)) {
			w.violate("order %s: %s became %s", id, l.status(), e.Status)
		}
		l.statuses = append(l.statuses, e.Status)
		l.late = l.late || e.Type == orders.EventPaymentLate
	}
}

func hasWord(words, word string) bool {
	for start := 0; start < len(words); {
		end := start
		for end < len(words) && words[end] != ' ' {
			end++
		}
		if words[start:end] == word {
			return true
		}
		start = end + 1
	}
	return false
}

// count notes what kinds of lives were seen.
func (w *World) count(before orders.Status, c *orders.Change) {
	events := &w.coverage.events
	for _, e := range c.Events {
		switch {
		case e.Type == orders.EventCanceled && e.Reason == string(orders.ReasonExpired):
			events[orderExpired]++
		case e.Type == orders.EventCanceled && e.Reason == string(orders.ReasonUnprocessable):
			events[orderUnprocessable]++
		case e.Type == orders.EventCanceled:
			events[map[orders.Status]event{orders.Placed: canceledPlaced, orders.Held: canceledHeld,
				orders.AwaitingPayment: canceledAwaiting, orders.Confirmed: canceledConfirmed}[before]]++
		case e.Type == orders.EventRejected && e.Reason == string(orders.ReasonOutOfStock):
			events[outOfStock]++
		case e.Type == orders.EventPaymentUnknown:
			events[paymentUnknown]++
		case e.Type == orders.EventHeld && before == orders.Canceled:
			events[latePaymentServed]++
		case e.Type == orders.EventPaymentRefunded && w.model[c.Order.ID].late:
			events[latePaymentRefunded]++
		}
	}
}

// promised checks an answer: what a client hears is stored, for good.
func (w *World) promised(o orders.Order) {
	l, known := w.model[o.ID]
	if !known {
		w.violate("order %s was acknowledged and is not stored", o.ID)
	}
	if o.Version > int64(len(l.statuses)) || l.statuses[o.Version-1] != o.Status {
		w.violate("order %s was answered as %s at version %d, which is not stored", o.ID, o.Status, o.Version)
	}
}

func (w *World) price(sku string) money.Cents { return w.item(sku).Price }

func (w *World) item(sku string) inventory.Item {
	items, err := w.inventoryStore.Items(background, []inventory.SKU{inventory.SKU(sku)})
	if err != nil || len(items) != 1 {
		w.violate("item %s: %v", sku, err)
	}
	return items[0]
}

// check holds at any moment.
func (w *World) check() {
	held := make(map[inventory.SKU]int64)
	for _, round := range w.inventoryStore.HeldRounds() {
		for _, line := range round.Lines {
			held[line.SKU] += line.Quantity
		}
	}
	for _, sku := range w.skuNames {
		w.checkItem(w.item(sku), held[inventory.SKU(sku)])
	}
	for _, b := range w.buyers {
		if !b.order.IsZero() && w.model[b.order].key != b.key {
			w.violate("order %s was acknowledged under another key", b.order)
		}
	}
}

func (w *World) checkItem(item inventory.Item, held int64) {
	if item.Held != held || item.Held < 0 || item.Held > item.OnHand {
		w.violate("item %s: %d held of %d on hand, and its rounds hold %d", item.SKU, item.Held, item.OnHand, held)
	}
	movements, err := w.inventoryStore.ListMovements(background, inventory.MovementFilter{SKU: item.SKU, Limit: 1 << 20})
	if err != nil {
		w.violate("movements of %s: %v", item.SKU, err)
	}
	var onHand, sum int64
	for _, m := range slices.Backward(movements) {
		onHand += m.OnHandDelta
		sum += m.HeldDelta
		if m.OnHandAfter != onHand || m.HeldAfter != sum {
			w.violate("item %s: movement %s says %d of %d, the sum is %d of %d", item.SKU, m.ID, m.HeldAfter, m.OnHandAfter, sum, onHand)
		}
	}
	if onHand != item.OnHand || sum != item.Held {
		w.violate("item %s: %d held of %d, its movements sum to %d of %d", item.SKU, item.Held, item.OnHand, sum, onHand)
	}
}

// judge holds when the world has come to rest.
func (w *World) judge() {
	w.check()
	w.judgeStock()
	w.judgeQueues()
	rounds := make(map[orders.ID][]inventory.HoldState)
	for _, round := range w.inventoryStore.HeldRounds() {
		rounds[orders.ID(round.OrderID)] = append(rounds[orders.ID(round.OrderID)], round)
	}
	charges := make(map[payments.ID]payments.Charge)
	for _, c := range w.paymentsStore.Charges() {
		charges[c.ID] = c
		w.judgeCharge(c)
	}
	for _, a := range w.bank.opened {
		if _, known := charges[a.id]; !known {
			w.violate("the bank has payment %s, and the service has not", a.id)
		}
	}
	all, err := w.ordersStore.List(background, orders.Filter{Limit: 1 << 20})
	if err != nil || len(all) != len(w.model) {
		w.violate("%d orders stored of %d: %v", len(all), len(w.model), err)
	}
	for i := range all {
		w.judgeOrder(&all[i], rounds[all[i].ID], charges[payments.ID(all[i].PaymentID)])
		delete(rounds, all[i].ID)
	}
	for id := range rounds {
		w.violate("order %s is not stored and holds stock", id)
	}
	w.judgePromises(all)
}

func (w *World) judgeStock() {
	if w.adjusting != 0 {
		w.violate("%d adjustments were never answered", w.adjusting)
	}
	for sku, units := range w.adjusted {
		if onHand := w.item(string(sku)).OnHand; onHand != units {
			w.violate("item %s: %d on hand, adjustments have added %d", sku, onHand, units)
		}
	}
}

func (w *World) judgeQueues() {
	for _, p := range w.ordersProcesses {
		if n := p.orders.InFlight(); n != 0 {
			w.violate("%s has %d orders in flight", p.name, n)
		}
	}
	if len(w.waiting) > 0 {
		w.violate("%d requests were never answered", len(w.waiting))
	}
	open, err := w.ordersStore.Open(background)
	if err != nil || open != (orders.Open{}) {
		w.violate("orders are not done: %+v (%v)", open, err)
	}
	notices, err := w.paymentsStore.Notices(background, 1)
	if err != nil || len(notices) > 0 {
		w.violate("a notice was never acknowledged: %+v (%v)", notices, err)
	}
}

// judgeCharge compares the service's books with the bank's truth.
func (w *World) judgeCharge(c payments.Charge) {
	truth, known := w.bank.accounts[c.ID]
	if !known {
		truth = &account{}
	}
	if c.Received != truth.received || c.Refunded != truth.repaid {
		w.violate("payment %s (%s): %d received and %d refunded, the bank says %d and %d", c.ID, c.Status, c.Received, c.Refunded, truth.received, truth.repaid)
	}
	if c.Open() || c.Status == payments.Refunding || !c.NextAttemptAt.IsZero() {
		w.violate("payment %s is not done: %s, next attempt %s", c.ID, c.Status, c.NextAttemptAt)
	}
	if err := w.ledger(c); err != nil {
		w.violate("payment %s: %v", c.ID, err)
	}
}

// ledger sums the payment's rows: the provider's account is what it holds, and nobody is owed anything.
func (w *World) ledger(c payments.Charge) error {
	transfers, err := w.paymentsStore.Transfers(background, c.ID, math.MaxInt)
	if err != nil {
		return err
	}
	balance := make(map[payments.Account]money.Cents)
	for _, t := range transfers {
		balance[t.Debit] += t.Amount
		balance[t.Credit] -= t.Amount
	}
	kept := c.Received - c.Refunded
	if balance[payments.AtProvider] != kept || balance[payments.CustomerSurplus] != 0 || balance[payments.Sales] != -kept {
		return fmt.Errorf("the ledger says %v, and %d were kept", balance, kept)
	}
	return nil
}

func (w *World) judgeOrder(o *orders.Order, rounds []inventory.HoldState, c payments.Charge) {
	if !o.Terminal() {
		w.violate("order %s is %s/%s at the end", o.ID, o.Status, o.PaymentStatus)
	}
	if o.Status != w.model[o.ID].status() {
		w.violate("order %s is %s, its last event said %s", o.ID, o.Status, w.model[o.ID].status())
	}
	kept := c.Received - c.Refunded
	if o.Status != orders.Confirmed {
		if len(rounds) != 0 || kept != 0 || o.PaymentStatus == orders.PaymentUnknown || o.PaymentStatus == orders.PaymentPaid {
			w.violate("order %s is %s (%s, payment %s), holds %d rounds and keeps %d", o.ID, o.Status, o.Reason, o.PaymentStatus, len(rounds), kept)
		}
		return
	}
	if kept != o.Total || o.PaymentStatus != orders.PaymentPaid || len(rounds) != 1 {
		w.violate("order %s is confirmed over %d (payment %s, %s), holds %d rounds and keeps %d", o.ID, o.Total, o.PaymentStatus, c.Status, len(rounds), kept)
	}
	if err := fulfillable(o, rounds[0]); err != nil {
		w.violate("order %s: %v", o.ID, err)
	}
}

// fulfillable tells whether a round holds just what a confirmed order sells.
func fulfillable(o *orders.Order, round inventory.HoldState) error {
	if round.Round != o.HoldRound || len(round.Lines) != len(o.Items) || len(o.Lines) != len(o.Items) {
		return errors.New("its round or its lines are not what was asked for")
	}
	var total money.Cents
	for i, item := range o.Items {
		held, sold := round.Lines[i], o.Lines[i]
		if string(held.SKU) != item.SKU || held.Quantity != item.Quantity || sold.SKU != item.SKU || sold.Quantity != item.Quantity {
			return fmt.Errorf("line %d holds %+v, sells %+v, and %+v was asked for", i, held, sold, item)
		}
		total += sold.UnitPrice * money.Cents(sold.Quantity)
	}
	if total != o.Total || o.ExpectedTotal != nil && *o.ExpectedTotal != total {
		return fmt.Errorf("it costs %d, and its lines %d", o.Total, total)
	}
	return nil
}

// judgePromises checks what buyers were told.
func (w *World) judgePromises(all []orders.Order) {
	byID := make(map[orders.ID]*orders.Order, len(all))
	for i := range all {
		byID[all[i].ID] = &all[i]
	}
	owners := w.ordersStore.Keys()
	for _, b := range w.buyers {
		switch o := byID[b.order]; {
		case b.order.IsZero():
		case o == nil, owners[b.key] != b.order:
			w.violate("order %s was acknowledged and is lost", b.order)
		case b.canceled && o.Status != orders.Canceled:
			w.violate("order %s was answered as canceled and is %s", b.order, o.Status)
		}
	}
}
