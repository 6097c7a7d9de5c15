package httpapi

import (
	"github.com/google/uuid"

	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
)

func uuidOf[T ~[16]byte](id T) uuid.UUID { return uuid.UUID(id) }

func results(charges []payments.Charge) *paymentsapi.ChargeResults {
	list := &paymentsapi.ChargeResults{Results: make([]paymentsapi.ChargeResult, len(charges))}
	for i := range charges {
		list.Results[i] = result(&charges[i])
	}
	return list
}

func result(c *payments.Charge) paymentsapi.ChargeResult {
	return paymentsapi.ChargeResult{Status: paymentsapi.ChargeStatus(c.Status), DeclineReason: optional(c.DeclineReason), Pix: pixBody(c.Pix)}
}

func optional(s string) paymentsapi.OptString {
	return paymentsapi.OptString{Value: s, Set: s != ""}
}

func pixBody(pix *payments.PixCharge) paymentsapi.OptPixCharge {
	if pix == nil {
		return paymentsapi.OptPixCharge{}
	}
	return paymentsapi.NewOptPixCharge(paymentsapi.PixCharge{
		Txid: pix.TxID, CopyPaste: pix.CopyPaste, QrCodeURL: "/v1/pix/" + pix.TxID + "/qr.png", ExpiresAt: pix.ExpiresAt,
	})
}

func paymentBody(p payments.Payment) *paymentsapi.Payment {
	c := &p.Charge
	body := &paymentsapi.Payment{
		ID: uuidOf(c.ID), OrderID: uuidOf(c.OrderID), Method: paymentsapi.PaymentMethod(c.Method), Status: paymentsapi.ChargeStatus(c.Status),
		DeclineReason: optional(c.DeclineReason), AmountCents: int64(c.Amount), ReceivedCents: int64(c.Received), RefundedCents: int64(c.Refunded),
		Currency: paymentsapi.PaymentCurrencyBRL, Provider: c.Provider, Pix: pixBody(c.Pix), CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
		Receipts: make([]paymentsapi.Receipt, len(p.Receipts)), Transfers: make([]paymentsapi.Transfer, len(p.Transfers)),
	}
	for i, r := range p.Receipts {
		body.Receipts[i] = paymentsapi.Receipt{
			EndToEndID: r.EndToEndID, AmountCents: int64(r.Amount), Status: paymentsapi.ReceiptStatus(r.Status), ReceivedAt: r.ReceivedAt,
		}
	}
	for i, t := range p.Transfers {
		body.Transfers[i] = paymentsapi.Transfer{
			Kind: paymentsapi.TransferKind(t.Kind), DebitAccount: string(t.Debit), CreditAccount: string(t.Credit), AmountCents: int64(t.Amount), At: t.At,
		}
	}
	return body
}
