package peers

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

// PaymentsPeer is what this package needs of paymentsapi.Client or of payments' handler.
type PaymentsPeer interface {
	ChargeBatch(ctx context.Context, request *paymentsapi.ChargeBatch) (*paymentsapi.ChargeResults, error)
	CloseBatch(ctx context.Context, request *paymentsapi.CloseBatch) (*paymentsapi.ChargeResults, error)
	ListNotices(ctx context.Context, params paymentsapi.ListNoticesParams) (*paymentsapi.NoticeList, error)
	AckNotices(ctx context.Context, request *paymentsapi.NoticeAcks) error
}

// Payments implements orders.Payments.
type Payments struct{ peer PaymentsPeer }

var _ orders.Payments = (*Payments)(nil)

// NewPayments reaches payments through peer.
func NewPayments(peer PaymentsPeer) *Payments { return &Payments{peer} }

// Charge implements orders.Payments.
func (p *Payments) Charge(ctx context.Context, charges []orders.ChargeRequest) ([]orders.ChargeResult, error) {
	request := &paymentsapi.ChargeBatch{Charges: make([]paymentsapi.Charge, len(charges))}
	for i, c := range charges {
		request.Charges[i] = paymentsapi.Charge{PaymentID: uuid.UUID(c.PaymentID), OrderID: uuid.UUID(c.OrderID),
			Method: paymentsapi.PaymentMethod(c.Method), AmountCents: int64(c.Amount)}
		if c.Token != "" {
			request.Charges[i].Token = paymentsapi.NewOptString(c.Token)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := p.peer.ChargeBatch(ctx, request)
	return chargeResults(answer, err, len(charges))
}

// Close implements orders.Payments.
func (p *Payments) Close(ctx context.Context, closures []orders.CloseRequest) ([]orders.ChargeResult, error) {
	request := &paymentsapi.CloseBatch{Closures: make([]paymentsapi.Closure, len(closures))}
	for i, c := range closures {
		request.Closures[i] = paymentsapi.Closure{PaymentID: uuid.UUID(c.PaymentID), OrderID: uuid.UUID(c.OrderID),
			Method: paymentsapi.PaymentMethod(c.Method), Refund: c.Refund}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := p.peer.CloseBatch(ctx, request)
	return chargeResults(answer, err, len(closures))
}

func chargeResults(answer *paymentsapi.ChargeResults, err error, asked int) ([]orders.ChargeResult, error) {
	if err != nil {
		return nil, classify(err)
	}
	if len(answer.Results) != asked {
		return nil, fmt.Errorf("payments answered %d of %d charges", len(answer.Results), asked)
	}
	results := make([]orders.ChargeResult, asked)
	for i := range answer.Results {
		results[i] = chargeResult(&answer.Results[i])
	}
	return results, nil
}

// chargeResult takes the contract's statuses as they are: both sides spell them alike, and an unknown one is an error
// where it is applied.
func chargeResult(body *paymentsapi.ChargeResult) orders.ChargeResult {
	result := orders.ChargeResult{Status: orders.ChargeStatus(body.Status)}
	if pix, ok := body.Pix.Get(); ok {
		result.Pix = &orders.PixCharge{TxID: pix.Txid, CopyPaste: pix.CopyPaste, QRCodeURL: pix.QrCodeURL, ExpiresAt: pix.ExpiresAt}
	}
	return result
}

// Notices implements orders.Payments.
func (p *Payments) Notices(ctx context.Context, limit int) ([]orders.Notice, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := p.peer.ListNotices(ctx, paymentsapi.ListNoticesParams{Limit: paymentsapi.NewOptInt(limit)})
	if err != nil {
		return nil, classify(err)
	}
	notices := make([]orders.Notice, len(answer.Notices))
	for i := range answer.Notices {
		n := &answer.Notices[i]
		notices[i] = orders.Notice{PaymentID: orders.PaymentID(n.PaymentID), OrderID: orders.ID(n.OrderID), Version: n.Version, Result: chargeResult(&n.Result)}
	}
	return notices, nil
}

// Ack implements orders.Payments.
func (p *Payments) Ack(ctx context.Context, acks []orders.NoticeAck) error {
	request := &paymentsapi.NoticeAcks{Acks: make([]paymentsapi.NoticeAck, len(acks))}
	for i, a := range acks {
		request.Acks[i] = paymentsapi.NoticeAck{PaymentID: uuid.UUID(a.PaymentID), Version: a.Version}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return classify(p.peer.AckNotices(ctx, request))
}
