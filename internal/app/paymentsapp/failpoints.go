//go:build failpoints

package paymentsapp

import (
	"context"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/failpoint"
)

// mortalStore lets the process die around every write.
type mortalStore struct{ payments.Store }

func underFaults(store payments.Store) payments.Store { return mortalStore{store} }

// Create implements payments.Store.
func (s mortalStore) Create(ctx context.Context, charges []payments.Charge) (created []payments.Created, err error) {
	err = failpoint.PaymentsCreate.Around(func() error { created, err = s.Store.Create(ctx, charges); return err })
	return created, err
}

// Save implements payments.Store.
func (s mortalStore) Save(ctx context.Context, changes []payments.Change) (saved []bool, err error) {
	err = failpoint.PaymentsSave.Around(func() error { saved, err = s.Store.Save(ctx, changes); return err })
	return saved, err
}

// Claim implements payments.Store. A claim of nothing is no place to die at: it comes four times a second.
func (s mortalStore) Claim(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payments.Charge, error) {
	claimed, err := s.Store.Claim(ctx, now, leaseUntil, limit)
	if err != nil || len(claimed) == 0 {
		return claimed, err
	}
	return claimed, failpoint.PaymentsClaim.Around(func() error { return nil })
}

// TakeReceipt implements payments.Store.
func (s mortalStore) TakeReceipt(ctx context.Context, receipt payments.Receipt, now time.Time) (charge payments.Charge, err error) {
	err = failpoint.PaymentsReceipt.Around(func() error { charge, err = s.Store.TakeReceipt(ctx, receipt, now); return err })
	return charge, err
}

// Ack implements payments.Store.
func (s mortalStore) Ack(ctx context.Context, acks []payments.Ack) error {
	return failpoint.PaymentsAck.Around(func() error { return s.Store.Ack(ctx, acks) })
}

// mortalProvider lets the process die around every call that may move money.
type mortalProvider struct{ payments.Provider }

func providerUnderFaults(provider payments.Provider) payments.Provider {
	return mortalProvider{provider}
}

// Charge implements payments.Provider.
func (p mortalProvider) Charge(ctx context.Context, c payments.Charge) (outcome payments.Outcome, err error) {
	err = failpoint.ProviderCharge.Around(func() error { outcome, err = p.Provider.Charge(ctx, c); return err })
	return outcome, err
}

// Query implements payments.Provider.
func (p mortalProvider) Query(ctx context.Context, c payments.Charge) (outcome payments.Outcome, err error) {
	err = failpoint.ProviderQuery.Around(func() error { outcome, err = p.Provider.Query(ctx, c); return err })
	return outcome, err
}

// Refund implements payments.Provider.
func (p mortalProvider) Refund(ctx context.Context, c payments.Charge, refundID string, amount money.Cents) error {
	return failpoint.ProviderRefund.Around(func() error { return p.Provider.Refund(ctx, c, refundID, amount) })
}
