package acceptance_test

import (
	"bytes"
	"fmt"
	"image/png"
	"net/http"
	"strings"
	"time"
)

var pixPromises = []promise{
	{"a Pix order has a BR Code and its picture", pixHasCode},
	{"a Pix of the right amount confirms the order", pixIsPaid},
	{"a Pix of a wrong amount goes back, and the order still waits", pixOfWrongAmount},
	{"a second Pix goes back", pixPaidTwice},
}

// expiryPromises need a short VELOZ_PIX_EXPIRY.
var expiryPromises = []promise{
	{"an order that nobody pays is canceled and its stock released", pixExpires},
	{"a late Pix revives the order while there is stock", latePixIsUsed},
	{"a late Pix goes back when the stock is gone", latePixGoesBack},
}

// pay plays the payer; an amount of 0 is that of the charge.
func (a *api) pay(o order, amount int64) response {
	a.Helper()
	var body any
	if amount > 0 {
		body = object{"amount_cents": amount}
	}
	return a.send(http.MethodPost, "/v1/sandbox/pix/"+o.Payment.Pix.TxID+"/pay", body)
}

func (a *api) placePix(sku string, quantity int64) order {
	a.Helper()
	o := a.place(pix(line{sku, quantity})).want(http.StatusCreated).order()
	if o.Status != "awaiting_payment" || o.PaymentStatus != "pending" || o.Payment.Pix == nil {
		a.Fatalf("the order is %+v", o)
	}
	return o
}

func pixHasCode(a *api) {
	sku := a.stocked(12345, 2)
	r := a.place(pix(line{sku, 1})).want(http.StatusCreated)
	a.wantFields("the payment", r.object()["payment"], "id", "method", "status", "pix")
	o := r.order()
	charge := o.Payment.Pix
	if code := charge.CopyPaste; !strings.HasPrefix(code, "000201") || !strings.Contains(code, "br.gov.bcb.pix") || code[len(code)-4:] != crc16(code[:len(code)-4]) {
		a.Errorf("the BR Code is %q; its CRC should be %s", code, crc16(code[:len(code)-4]))
	}
	if left := time.Until(charge.ExpiresAt); left < 14*time.Minute || left > 15*time.Minute {
		a.Errorf("it expires in %s, want 15 minutes", left)
	}
	picture := a.send(http.MethodGet, charge.QRCodeURL, nil, "Authorization", "").want(http.StatusOK)
	if _, err := png.Decode(bytes.NewReader(picture.body)); err != nil || picture.header.Get("Content-Type") != "image/png" {
		a.Errorf("the picture is %q: %v", picture.header.Get("Content-Type"), err)
	}
	a.wantStock(sku, 2, 1)
}

// crc16 is CRC-16/CCITT-FALSE, which ends a BR Code (Manual do BR Code, ID 63).
func crc16(text string) string {
	crc := uint16(0xffff)
	for i := range len(text) {
		crc ^= uint16(text[i]) << 8
		for range 8 {
			carry := crc&0x8000 != 0
			if crc <<= 1; carry {
				crc ^= 0x1021
			}
		}
	}
	return fmt.Sprintf("%04X", crc)
}

func pixIsPaid(a *api) {
	sku := a.stocked(900, 2)
	o := a.placePix(sku, 2)
	paid := decodeAs[payment](a.pay(o, 0).want(http.StatusOK))
	if paid.Status != "paid" || paid.ReceivedCents != 1800 || paid.OrderID != o.ID {
		a.Errorf("the payment is %+v", paid)
	}
	if o = a.awaitOrder(o.ID, "confirmed"); o.PaymentStatus != "paid" {
		a.Errorf("the payment status is %s", o.PaymentStatus)
	}
	a.wantStock(sku, 2, 2)
}

func pixOfWrongAmount(a *api) {
	o := a.placePix(a.stocked(900, 2), 1)
	for i, amount := range []int64{899, 901} {
		a.pay(o, amount).want(http.StatusOK)
		a.eventually(soon, "the wrong amount goes back", func() bool {
			p := a.onlyPayment(o.ID)
			return len(p.Receipts) == i+1 && p.RefundedCents == p.ReceivedCents
		})
	}
	if o := a.order(o.ID); o.Status != "awaiting_payment" {
		a.Errorf("the order is %s", o.Status)
	}
	a.pay(o, 900).want(http.StatusOK)
	a.awaitOrder(o.ID, "confirmed")
	if p := a.onlyPayment(o.ID); p.Status != "paid" || p.ReceivedCents != 2700 || p.RefundedCents != 1800 {
		a.Errorf("the payment is %+v", p)
	}
}

func pixPaidTwice(a *api) {
	o := a.placePix(a.stocked(900, 2), 1)
	a.pay(o, 0).want(http.StatusOK)
	a.pay(o, 0).want(http.StatusOK)
	a.awaitOrder(o.ID, "confirmed")
	a.eventually(soon, "the surplus goes back", func() bool { return a.onlyPayment(o.ID).RefundedCents == 900 })
	p := a.onlyPayment(o.ID)
	if p.Status != "paid" || p.ReceivedCents != 1800 || len(p.Receipts) != 2 || p.Receipts[0].EndToEndID == p.Receipts[1].EndToEndID {
		a.Errorf("the payment is %+v", p)
	}
	if o := a.order(o.ID); o.Status != "confirmed" || o.PaymentStatus != "paid" {
		a.Errorf("the order is %+v", o)
	}
}

func (a *api) awaitExpiry(o order) {
	a.Helper()
	a.eventually(openLimit, "order "+o.ID+" expires", func() bool {
		o = a.order(o.ID)
		return o.Status == "canceled"
	})
	if o.Reason != "payment_expired" {
		a.Errorf("the order is %+v", o)
	}
}

func pixExpires(a *api) {
	sku := a.stocked(900, 2)
	o := a.placePix(sku, 2)
	a.wantStock(sku, 2, 2)
	a.awaitExpiry(o)
	a.eventually(soon, "the stock is released", func() bool { return a.item(sku).Held == 0 })
	if p := a.onlyPayment(o.ID); p.Status != "voided" || p.ReceivedCents != 0 {
		a.Errorf("the payment is %+v", p)
	}
}

func latePixIsUsed(a *api) {
	sku := a.stocked(900, 2)
	o := a.placePix(sku, 2)
	a.awaitExpiry(o)
	a.pay(o, 0).want(http.StatusOK)
	a.awaitOrder(o.ID, "confirmed")
	a.wantStock(sku, 2, 2)
	if p := a.onlyPayment(o.ID); p.ReceivedCents-p.RefundedCents != 1800 {
		a.Errorf("the payment is %+v", p)
	}
}

func latePixGoesBack(a *api) {
	sku := a.stocked(900, 2)
	o := a.placePix(sku, 2)
	a.awaitExpiry(o)
	a.eventually(soon, "another order gets the stock", func() bool {
		return a.place(card("tok_approved", line{sku, 2})).want(http.StatusCreated, http.StatusConflict).status == http.StatusCreated
	})
	a.pay(o, 0).want(http.StatusOK)
	a.eventually(soon, "the late money goes back", func() bool { return a.onlyPayment(o.ID).RefundedCents == 1800 })
	if o := a.order(o.ID); o.Status != "canceled" {
		a.Errorf("the order is %s", o.Status)
	}
	a.wantStock(sku, 2, 2)
}
