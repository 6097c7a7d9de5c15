package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

var errLost = fault.Transient(errors.New("connection reset"))

// TakeReceipt takes the receipt in; what was lost is only the answer.
func (s *readStore) TakeReceipt(ctx context.Context, receipt payments.Receipt, now time.Time) (payments.Charge, error) {
	charge, err := s.Store.TakeReceipt(ctx, receipt, now)
	if err == nil && s.lossy.Load() {
		err = errLost
	}
	return charge, err
}

// TestALostAnswerToAPayerIsNoLeaveToRepeat: what is promised of every other request, that it is not done twice, is not true of this
// one.
func TestALostAnswerToAPayerIsNoLeaveToRepeat(t *testing.T) {
	t.Parallel()
	a := serve(t, true)
	c := wish("pix", "", 500)
	a.charge(c)
	path := "/v1/sandbox/pix/" + payments.TxID(payments.ID(c.PaymentID)) + "/pay"
	a.store.lossy.Store(true)
	status, header, p := a.send("POST", path, "")
	if status != http.StatusServiceUnavailable || p.Code != "unavailable" || strings.Contains(p.Detail, "not done twice") ||
		!strings.Contains(p.Detail, "a transfer of its own") || header.Get("Retry-After") != "" {
		t.Errorf("%d %+v, Retry-After %q", status, p, header.Get("Retry-After"))
	}
	a.store.lossy.Store(false)
	if status, _, _ := a.send("POST", path, ""); status != http.StatusOK {
		t.Errorf("repeated: %d", status)
	}
	if got := a.get(c); len(got.Receipts) != 2 || got.Receipts[1].Status != "surplus" {
		t.Errorf("after a repetition: %+v", got)
	}
}
