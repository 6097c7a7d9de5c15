// Package httpapi serves the payments contract (api/paymentsapi) over payments.Service.
package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/brcode"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// Config shapes the handler. Log is required; Clock and Rand only with Sandbox.
type Config struct {
	Log *slog.Logger
	// Bodies bounds requests; zero fields stand for httpx's defaults.
	Bodies httpx.BodyLimits
	// Sandbox opens the routes that play the payer of a Pix. Set it when the sandbox is the provider, and never otherwise:
	// whoever may call them makes money out of nothing.
	Sandbox bool
	Clock   clock.Clock
	Rand    io.Reader // never fails, as crypto/rand.Reader
}

func (c Config) validate() error {
	if c.Log == nil || c.Sandbox && (c.Clock == nil || c.Rand == nil) {
		return errors.New("payments API: a log must be set, and with the sandbox a clock and randomness")
	}
	return nil
}

// Handler implements paymentsapi.Handler. In one process it also stands in for the generated client, whose methods have
// the same signatures: its errors are then those of payments.Service, and requests are trusted to follow the contract.
type Handler struct {
	service *payments.Service
	cfg     Config
}

var _ paymentsapi.Handler = (*Handler)(nil)

// NewHandler makes the operations without HTTP around them.
func NewHandler(service *payments.Service, cfg Config) (*Handler, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Handler{service, cfg}, nil
}

// New makes the service's HTTP handler: identity and strict bodies, then the generated server, whose refusals the contract explains.
func New(service *payments.Service, cfg Config) (http.Handler, error) {
	h, err := NewHandler(service, cfg)
	if err != nil {
		return nil, err
	}
	contract := httpx.NewContract(paymentsapi.Spec)
	server, err := paymentsapi.NewServer(h,
		paymentsapi.WithErrorHandler(contract.ErrorHandler),
		paymentsapi.WithMiddleware(httpx.KnownQuery),
		paymentsapi.WithNotFound(httpx.NotFound),
		paymentsapi.WithMethodNotAllowed(httpx.MethodNotAllowed))
	if err != nil {
		return nil, fmt.Errorf("make payments server: %w", err)
	}
	return httpx.Identify(httpx.StrictBody(cfg.Bodies)(h.route(server))), nil
}

// route does what the generated server cannot: it hides the sandbox.
func (h *Handler) route(server http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !h.cfg.Sandbox && strings.HasPrefix(r.URL.Path, "/v1/sandbox/") {
			httpx.NotFound(w, r)
			return
		}
		server.ServeHTTP(w, r)
	})
}

// ChargeBatch implements POST /internal/v1/charges.
func (h *Handler) ChargeBatch(ctx context.Context, req *paymentsapi.ChargeBatch) (*paymentsapi.ChargeResults, error) {
	if invalidFields := checkCharges(req.Charges); len(invalidFields) > 0 {
		return nil, invalid(invalidFields)
	}
	wishes := make([]payments.Charge, len(req.Charges))
	for i, c := range req.Charges {
		wishes[i] = payments.Charge{
			ID: payments.ID(c.PaymentID), OrderID: payments.OrderID(c.OrderID), Method: payments.Method(c.Method), Amount: money.Cents(c.AmountCents),
		}
		if c.Method == paymentsapi.PaymentMethodCard {
			wishes[i].Token = c.Token.Or("")
		}
	}
	charges, err := h.service.Charge(ctx, wishes)
	if err != nil {
		return nil, err
	}
	return results(charges), nil
}

// CloseBatch implements POST /internal/v1/closures.
func (h *Handler) CloseBatch(ctx context.Context, req *paymentsapi.CloseBatch) (*paymentsapi.ChargeResults, error) {
	closures := make([]payments.Closure, len(req.Closures))
	for i, c := range req.Closures {
		closures[i] = payments.Closure{
			ID: payments.ID(c.PaymentID), OrderID: payments.OrderID(c.OrderID), Method: payments.Method(c.Method), Refund: c.Refund,
		}
	}
	charges, err := h.service.Close(ctx, closures)
	if err != nil {
		return nil, err
	}
	return results(charges), nil
}

// defaultNotices is the contract's default, for peers that call without HTTP.
const defaultNotices = 500

// ListNotices implements GET /internal/v1/notices.
func (h *Handler) ListNotices(ctx context.Context, params paymentsapi.ListNoticesParams) (*paymentsapi.NoticeList, error) {
	charges, err := h.service.Notices(ctx, params.Limit.Or(defaultNotices))
	if err != nil {
		return nil, err
	}
	list := &paymentsapi.NoticeList{Notices: make([]paymentsapi.Notice, len(charges))}
	for i := range charges {
		c := &charges[i]
		list.Notices[i] = paymentsapi.Notice{PaymentID: uuidOf(c.ID), OrderID: uuidOf(c.OrderID), Version: c.Version, Result: result(c)}
	}
	return list, nil
}

// AckNotices implements POST /internal/v1/notices/ack.
func (h *Handler) AckNotices(ctx context.Context, req *paymentsapi.NoticeAcks) error {
	acks := make([]payments.Ack, len(req.Acks))
	for i, a := range req.Acks {
		acks[i] = payments.Ack{ID: payments.ID(a.PaymentID), Version: a.Version}
	}
	return h.service.Ack(ctx, acks)
}

// GetPayment implements GET /v1/payments/{payment_id}.
func (h *Handler) GetPayment(ctx context.Context, params paymentsapi.GetPaymentParams) (*paymentsapi.Payment, error) {
	p, err := h.service.Payment(ctx, payments.ID(params.PaymentID))
	if err != nil {
		return nil, err
	}
	return paymentBody(p), nil
}

// ListOrderPayments implements GET /v1/orders/{order_id}/payments.
func (h *Handler) ListOrderPayments(ctx context.Context, params paymentsapi.ListOrderPaymentsParams) (*paymentsapi.PaymentList, error) {
	found, err := h.service.OrderPayments(ctx, payments.OrderID(params.OrderID))
	if err != nil {
		return nil, err
	}
	list := &paymentsapi.PaymentList{Data: make([]paymentsapi.Payment, len(found))}
	for i, p := range found {
		list.Data[i] = *paymentBody(p)
	}
	return list, nil
}

// pictureCaching is five minutes: a charge's code never changes, but a charge that is voided loses its picture.
const pictureCaching = "public, max-age=300"

// GetPixQRCode implements GET /v1/pix/{txid}/qr.png: the picture of what waits for its payer, or was paid.
func (h *Handler) GetPixQRCode(ctx context.Context, params paymentsapi.GetPixQRCodeParams) (*paymentsapi.GetPixQRCodeOKHeaders, error) {
	charge, err := h.pixCharge(ctx, params.Txid)
	if err != nil {
		return nil, err
	}
	if charge.Status != payments.Pending && charge.Status != payments.Paid {
		return nil, payments.ErrNotFound
	}
	picture, err := brcode.QRPNG(charge.Pix.CopyPaste)
	if err != nil {
		return nil, fmt.Errorf("picture of payment %s: %w", charge.ID, err)
	}
	return &paymentsapi.GetPixQRCodeOKHeaders{CacheControl: pictureCaching, Response: paymentsapi.GetPixQRCodeOK{Data: bytes.NewReader(picture)}}, nil
}

// PaySandboxPix implements POST /v1/sandbox/pix/{txid}/pay: each call is a transfer of its own.
func (h *Handler) PaySandboxPix(ctx context.Context, req paymentsapi.OptSandboxPayment, params paymentsapi.PaySandboxPixParams) (*paymentsapi.Payment, error) {
	charge, err := h.pixCharge(ctx, params.Txid)
	if err != nil {
		return nil, err
	}
	endToEndID, err := newEndToEndID(h.cfg.Clock.Now(), h.cfg.Rand)
	if err != nil {
		return nil, err
	}
	amount := req.Value.AmountCents.Or(int64(charge.Amount))
	p, err := h.service.TakeReceipt(ctx, payments.Receipt{EndToEndID: endToEndID, PaymentID: charge.ID, Amount: money.Cents(amount)})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errTransfer, err)
	}
	return paymentBody(p), nil
}

// pixCharge reads the charge that a txid names, or ErrNotFound where a payer could have no code of it. Anybody may ask, so it
// reads one row.
func (h *Handler) pixCharge(ctx context.Context, txid string) (payments.Charge, error) {
	id, ok := payments.ParseTxID(txid)
	if !ok {
		return payments.Charge{}, payments.ErrNotFound
	}
	charge, err := h.service.Get(ctx, id)
	if err == nil && (charge.Method != payments.Pix || charge.Pix == nil) {
		err = payments.ErrNotFound
	}
	return charge, err
}
