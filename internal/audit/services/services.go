// Package services is what an audit reads: the services, by their contracts. Each is the generated client, or, in one process,
// the service's handler itself: both have the same methods.
package services

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/audit"
	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
)

// OrdersService is what an audit needs of the orders service.
type OrdersService interface {
	AuditOrders(ctx context.Context, params ordersapi.AuditOrdersParams) (*ordersapi.AuditOrderPage, error)
}

// InventoryService is what an audit needs of the inventory service.
type InventoryService interface {
	AuditHolds(ctx context.Context, params inventoryapi.AuditHoldsParams) (*inventoryapi.AuditHoldPage, error)
	AuditStock(ctx context.Context) (*inventoryapi.AuditStock, error)
}

// PaymentsService is what an audit needs of the payments service.
type PaymentsService interface {
	AuditCharges(ctx context.Context, params paymentsapi.AuditChargesParams) (*paymentsapi.AuditChargePage, error)
	AuditLedger(ctx context.Context) (*paymentsapi.AuditLedger, error)
}

// Source implements audit.Source.
type Source struct {
	orders    OrdersService
	inventory InventoryService
	payments  PaymentsService
	clock     clock.Clock
}

var _ audit.Source = (*Source)(nil)

// New makes a source.
func New(orders OrdersService, inventory InventoryService, payments PaymentsService, clock clock.Clock) *Source {
	return &Source{orders, inventory, payments, clock}
}

const (
	// attempts: a service that restarts during a long audit shall not cost the whole audit.
	attempts   = 3
	retryAfter = time.Second
)

// ask calls a service, and calls again when that fails: reading twice changes nothing.
func ask[P, T any](ctx context.Context, clock clock.Clock, call func(context.Context, P) (T, error), params P) (answer T, err error) {
	for attempt := range attempts {
		if attempt > 0 {
			over := make(chan struct{})
			clock.AfterFunc(time.Duration(attempt)*retryAfter, func() { close(over) })
			select {
			case <-over:
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			return answer, ctx.Err()
		}
		if answer, err = call(ctx, params); err == nil || refused(err) {
			return answer, err
		}
	}
	return answer, err
}

// refused tells whether a service has answered what it will answer again, such as that the key may not.
func refused(err error) bool {
	var orders *ordersapi.ProblemStatusCodeWithHeaders
	var inventory *inventoryapi.ProblemStatusCodeWithHeaders
	var payments *paymentsapi.ProblemStatusCodeWithHeaders
	status := http.StatusServiceUnavailable
	switch {
	case errors.As(err, &orders):
		status = orders.StatusCode
	case errors.As(err, &inventory):
		status = inventory.StatusCode
	case errors.As(err, &payments):
		status = payments.StatusCode
	}
	return status < http.StatusInternalServerError && status != http.StatusTooManyRequests
}

// Orders implements audit.Source.
func (s *Source) Orders(ctx context.Context, r audit.Range) ([]audit.Order, audit.OrderID, error) {
	page, err := ask(ctx, s.clock, s.orders.AuditOrders, ordersapi.AuditOrdersParams{
		From: optional(r.From, ordersapi.NewOptUUID), Before: optional(r.Before, ordersapi.NewOptUUID)})
	if err != nil {
		return nil, audit.OrderID{}, err
	}
	orders := make([]audit.Order, len(page.Data))
	for i := range page.Data {
		o := &page.Data[i]
		orders[i] = audit.Order{ID: audit.OrderID(o.ID), Status: string(o.Status), PaymentStatus: string(o.PaymentStatus),
			Total: money.Cents(o.TotalCents), Lines: make([]audit.Line, len(o.Lines)), HoldRound: o.HoldRound,
			ReleaseDue: o.ReleaseDue.Or(false), RefundDue: o.RefundDue.Or(false), PaidLate: o.PaidLate.Or(false),
			Resting: o.Resting, NextAttemptAt: o.NextAttemptAt.Or(time.Time{}), PixExpiresAt: o.PixExpiresAt.Or(time.Time{}),
			UpdatedAt: o.UpdatedAt}
		for k, line := range o.Lines {
			orders[i].Lines[k] = audit.Line{SKU: line.Sku, Quantity: line.Quantity}
		}
	}
	return orders, audit.OrderID(page.NextFrom.Or(uuid.Nil)), nil
}

// Holds implements audit.Source.
func (s *Source) Holds(ctx context.Context, r audit.Range) ([]audit.Hold, audit.OrderID, error) {
	page, err := ask(ctx, s.clock, s.inventory.AuditHolds, inventoryapi.AuditHoldsParams{
		From: optional(r.From, inventoryapi.NewOptUUID), Before: optional(r.Before, inventoryapi.NewOptUUID)})
	if err != nil {
		return nil, audit.OrderID{}, err
	}
	holds := make([]audit.Hold, len(page.Data))
	for i := range page.Data {
		h := &page.Data[i]
		holds[i] = audit.Hold{OrderID: audit.OrderID(h.OrderID), Round: h.Round, Released: h.Released,
			Lines: make([]audit.Line, len(h.Lines)), Total: money.Cents(h.TotalCents)}
		for k, line := range h.Lines {
			holds[i].Lines[k] = audit.Line{SKU: line.Sku, Quantity: line.Quantity}
		}
	}
	return holds, audit.OrderID(page.NextFrom.Or(uuid.Nil)), nil
}

// Charges implements audit.Source.
func (s *Source) Charges(ctx context.Context, r audit.Range) ([]audit.Charge, audit.OrderID, error) {
	page, err := ask(ctx, s.clock, s.payments.AuditCharges, paymentsapi.AuditChargesParams{
		From: optional(r.From, paymentsapi.NewOptUUID), Before: optional(r.Before, paymentsapi.NewOptUUID)})
	if err != nil {
		return nil, audit.OrderID{}, err
	}
	charges := make([]audit.Charge, len(page.Data))
	for i, c := range page.Data {
		charges[i] = audit.Charge{ID: audit.PaymentID(c.ID), OrderID: audit.OrderID(c.OrderID), Status: string(c.Status),
			Amount: money.Cents(c.AmountCents), Received: money.Cents(c.ReceivedCents), Refunded: money.Cents(c.RefundedCents),
			EndingSince: c.EndingSince.Or(time.Time{}), Ledger: balances(c.Ledger)}
	}
	return charges, audit.OrderID(page.NextFrom.Or(uuid.Nil)), nil
}

// Stock implements audit.Source.
func (s *Source) Stock(ctx context.Context) ([]audit.Imbalance, error) {
	stock, err := ask(ctx, s.clock, without(s.inventory.AuditStock), struct{}{})
	if err != nil {
		return nil, err
	}
	imbalances := make([]audit.Imbalance, len(stock.Imbalances))
	for i, b := range stock.Imbalances {
		imbalances[i] = audit.Imbalance{SKU: b.Sku, OnHand: b.OnHand, Held: b.Held, MovedOnHand: b.MovedOnHand,
			MovedHeld: b.MovedHeld, OrdersHold: b.OrdersHold}
	}
	return imbalances, nil
}

// Ledger implements audit.Source.
func (s *Source) Ledger(ctx context.Context) (audit.Ledger, error) {
	l, err := ask(ctx, s.clock, without(s.payments.AuditLedger), struct{}{})
	if err != nil {
		return audit.Ledger{}, err
	}
	return audit.Ledger{Balances: balances(l.Accounts), Captured: money.Cents(l.CapturedCents), Refunded: money.Cents(l.RefundedCents),
		SurplusOwed: money.Cents(l.SurplusCents), ChargesReceived: money.Cents(l.ChargesReceivedCents),
		ChargesRefunded: money.Cents(l.ChargesRefundedCents)}, nil
}

func balances(a paymentsapi.AuditAccounts) audit.Balances {
	return audit.Balances{Provider: money.Cents(a.ProviderCents), Sales: money.Cents(a.SalesCents), Surplus: money.Cents(a.SurplusCents)}
}

// optional leaves out the zero id.
func optional[O any](order audit.OrderID, some func(uuid.UUID) O) (none O) {
	if order.IsZero() {
		return none
	}
	return some(uuid.UUID(order))
}

// without gives a call that takes no parameters the form of one that does.
func without[T any](call func(context.Context) (T, error)) func(context.Context, struct{}) (T, error) {
	return func(ctx context.Context, _ struct{}) (T, error) { return call(ctx) }
}
