package acceptance_test

import (
	"bytes"
	"net/http"
)

var cancelPromises = []promise{
	{"canceling gives stock and money back", cancelGivesBack},
	{"a rejected order cannot be canceled", rejectedIsNotCanceled},
	{"canceling an unpaid Pix order closes its charge", cancelUnpaidPix},
}

func (a *api) cancel(id string) response {
	a.Helper()
	return a.send(http.MethodPost, "/v1/orders/"+id+"/cancel", object{"reason": "changed my mind"})
}

func cancelGivesBack(a *api) {
	sku := a.stocked(700, 4)
	id := a.place(card("tok_approved", line{sku, 3})).want(http.StatusCreated).order().ID
	r := a.cancel(id).want(http.StatusOK)
	if o := r.order(); o.Status != "canceled" || o.PaymentStatus != "refunded" || o.Reason != "changed my mind" {
		a.Errorf("the order is %s", r.body)
	}
	a.wantStock(sku, 4, 0)
	p := a.onlyPayment(id)
	if p.Status != "refunded" || p.ReceivedCents != 2100 || p.RefundedCents != 2100 {
		a.Errorf("the payment is %+v", p)
	}
	for account, balance := range balances(p) {
		if balance != 0 {
			a.Errorf("account %s keeps %d", account, balance)
		}
	}
	if again := a.cancel(id).want(http.StatusOK); !bytes.Equal(again.body, r.body) {
		a.Errorf("canceled twice it is %s, was %s", again.body, r.body)
	}
	a.wantStock(sku, 4, 0)
	if p := a.onlyPayment(id); p.RefundedCents != 2100 {
		a.Errorf("refunded twice: %+v", p)
	}
}

func rejectedIsNotCanceled(a *api) {
	sku := a.stocked(700, 1)
	id := a.place(card("tok_declined", line{sku, 1})).want(http.StatusPaymentRequired).problem().OrderID
	if p := a.cancel(id).want(http.StatusConflict).problem(); p.Code != "not_cancelable" {
		a.Errorf("the code is %s", p.Code)
	}
	if o := a.order(id); o.Status != "rejected" {
		a.Errorf("the order is %s", o.Status)
	}
}

func cancelUnpaidPix(a *api) {
	sku := a.stocked(700, 2)
	o := a.place(pix(line{sku, 2})).want(http.StatusCreated).order()
	a.wantStock(sku, 2, 2)
	if o := a.cancel(o.ID).want(http.StatusOK).order(); o.Status != "canceled" || o.PaymentStatus != "none" {
		a.Errorf("the order is %+v", o)
	}
	a.wantStock(sku, 2, 0)
	if p := a.onlyPayment(o.ID); p.Status != "voided" {
		a.Errorf("the payment is %+v", p)
	}
	// Some banks pay a code that was closed: the money must go back by itself.
	a.pay(o, 1400).want(http.StatusOK)
	a.eventually(soon, "the late money goes back", func() bool { return a.onlyPayment(o.ID).RefundedCents == 1400 })
	if o := a.order(o.ID); o.Status != "canceled" {
		a.Errorf("the order is %s", o.Status)
	}
	a.wantStock(sku, 2, 0)
}
