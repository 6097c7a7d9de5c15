package veloz

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
)

type paymentsCommand struct {
	Get paymentsGet `cmd:"" help:"Show a payment and every cent it moved."`
	Of  paymentsOf  `cmd:"" help:"Show the payments of an order."`
}

type paymentsGet struct {
	ID         identity `arg:"" help:"The payment's id."`
	connection `embed:""`
}

// Help is shown by --help.
func (paymentsGet) Help() string {
	return `Examples:

  veloz payments get 01a207bf-c5b3-71f8-8f2a-a9e63246edd8
  veloz payments get 01a207bf-c5b3-71f8-8f2a-a9e63246edd8 --json | jq .transfers`
}

// Run is called by the command line.
func (c *paymentsGet) Run(ctx context.Context, t *terminal) error {
	return ask(t, c.connection, func(s *session) (*paymentsapi.Payment, error) {
		return s.payments.GetPayment(ctx, paymentsapi.GetPaymentParams{PaymentID: uuid.UUID(c.ID)})
	}, t.payment)
}

type paymentsOf struct {
	Order      identity `arg:"" help:"The order's id."`
	connection `embed:""`
}

// Help is shown by --help.
func (paymentsOf) Help() string {
	return `Examples:

  veloz payments of 01a207bf-c5b3-71f0-a39c-4bebbbaf373e
  veloz payments of 01a207bf-c5b3-71f0-a39c-4bebbbaf373e --json | jq '.data[].status'`
}

// Run is called by the command line.
func (c *paymentsOf) Run(ctx context.Context, t *terminal) error {
	return ask(t, c.connection, func(s *session) (*paymentsapi.PaymentList, error) {
		return s.payments.ListOrderPayments(ctx, paymentsapi.ListOrderPaymentsParams{OrderID: uuid.UUID(c.Order)})
	}, func(list *paymentsapi.PaymentList) {
		for i := range list.Data {
			if i > 0 {
				fmt.Fprintln(t.out)
			}
			t.payment(&list.Data[i])
		}
		t.pageEnd(len(list.Data), "", "The order never came to be charged.")
	})
}

type pixCommand struct {
	Pay pixPay `cmd:"" help:"Play the payer of a Pix charge, in the sandbox."`
}

type pixPay struct {
	TxID       string `arg:"" name:"txid" help:"The charge's txid, which the order shows."`
	Amount     *reais `name:"amount" placeholder:"AMOUNT" help:"Pay this much instead of what the charge asks for."`
	connection `embed:""`
}

// Help is shown by --help.
func (pixPay) Help() string {
	return `Each call is one transfer of money. The right amount pays the charge; a wrong one, a second one, or one that comes too late
goes back by itself.

Examples:

  veloz pix pay TXID
  veloz pix pay TXID --amount 0,01`
}

// Run is called by the command line.
func (c *pixPay) Run(ctx context.Context, t *terminal) error {
	var body paymentsapi.OptSandboxPayment
	if c.Amount != nil {
		body.SetTo(paymentsapi.SandboxPayment{AmountCents: paymentsapi.NewOptInt64(int64(*c.Amount))})
	}
	return ask(t, c.connection, func(s *session) (*paymentsapi.Payment, error) {
		return s.payments.PaySandboxPix(ctx, body, paymentsapi.PaySandboxPixParams{Txid: c.TxID})
	}, func(p *paymentsapi.Payment) {
		t.payment(p)
		t.note("\nNext: veloz orders get %s", p.OrderID)
	})
}

// payment writes one payment with its ledger.
func (t *terminal) payment(p *paymentsapi.Payment) {
	fmt.Fprintf(t.out, "%s  %s\n\n", bold.Render("Payment "+p.ID.String()), colored(string(p.Status)))
	t.fields(field{"Order", p.OrderID.String()}, field{"Method", string(p.Method) + ", by " + p.Provider}, field{"Declined", p.DeclineReason.Or("")},
		field{"Amount", money.Cents(p.AmountCents).BRL()}, field{"Received", some(p.ReceivedCents)}, field{"Refunded", some(p.RefundedCents)})
	rows := make([][]string, 0, len(p.Transfers))
	for _, transfer := range p.Transfers {
		rows = append(rows, []string{t.moment(transfer.At), string(transfer.Kind), transfer.DebitAccount, transfer.CreditAccount, money.Cents(transfer.AmountCents).BRL()})
	}
	if len(rows) > 0 {
		fmt.Fprintln(t.out)
		t.table([]column{{title: "AT"}, {title: "TRANSFER"}, {title: "DEBIT"}, {title: "CREDIT"}, {title: "AMOUNT", right: true}}, rows)
	}
}

func some(cents int64) string {
	if cents == 0 {
		return ""
	}
	return money.Cents(cents).BRL()
}
