package payments_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func outcome(status payments.OutcomeStatus) payments.Outcome {
	return payments.Outcome{Status: status, Reason: "why", Pix: &payments.PixCharge{TxID: "t"}}
}

type appliedCase struct {
	charge  payments.Charge
	outcome payments.OutcomeStatus
	want    payments.Status // or nothing, when the charge stays as it is
	due     bool            // the reconciler has work
	rows    int
}

const nothing = payments.Status("")

var appliedCases = map[string]appliedCase{
	"paid":                         {payments.Charge{Status: payments.Processing}, payments.OutcomePaid, payments.Paid, false, 1},
	"paid over nothing":            {payments.Charge{Status: payments.Processing, Amount: -1}, payments.OutcomePaid, payments.Paid, false, 0},
	"paid after all":               {payments.Charge{Status: payments.Unknown}, payments.OutcomePaid, payments.Paid, false, 1},
	"paid, order over":             {payments.Charge{Status: payments.Unknown, CloseWanted: true}, payments.OutcomePaid, payments.Paid, false, 1},
	"paid, refund wanted":          {payments.Charge{Status: payments.Processing, CloseWanted: true, RefundWanted: true}, payments.OutcomePaid, payments.Refunding, true, 1},
	"paid twice":                   {payments.Charge{Status: payments.Paid}, payments.OutcomePaid, nothing, false, 0},
	"paid after void":              {payments.Charge{Status: payments.Voided}, payments.OutcomePaid, payments.Refunding, true, 1},
	"paid after it was declined":   {payments.Charge{Status: payments.Declined}, payments.OutcomePaid, payments.Refunding, true, 1},
	"lost after void":              {payments.Charge{Status: payments.Voided, CloseWanted: true}, payments.OutcomeUnknown, payments.Voided, true, 0},
	"lost after it was declined":   {payments.Charge{Status: payments.Declined}, payments.OutcomeUnknown, nothing, false, 0},
	"looked for, not there":        {payments.Charge{Status: payments.Voided, CloseWanted: true, NextAttemptAt: noon}, payments.OutcomeNotFound, payments.Voided, false, 0},
	"looked for, was declined":     {payments.Charge{Status: payments.Voided, CloseWanted: true, NextAttemptAt: noon}, payments.OutcomeDeclined, payments.Voided, false, 0},
	"not looked for, not there":    {payments.Charge{Status: payments.Voided, CloseWanted: true}, payments.OutcomeNotFound, nothing, false, 0},
	"voided by the provider":       {payments.Charge{Status: payments.Unknown}, payments.OutcomeVoided, payments.Declined, false, 0},
	"Pix voided by the provider":   {payments.Charge{Status: payments.Pending, Method: payments.Pix}, payments.OutcomeVoided, payments.Declined, false, 0},
	"Pix paid, no receipt yet":     {payments.Charge{Status: payments.Pending, Method: payments.Pix, CloseWanted: true}, payments.OutcomePaid, payments.Pending, true, 0},
	"Pix paid after void":          {payments.Charge{Status: payments.Voided, Method: payments.Pix}, payments.OutcomePaid, nothing, false, 0},
	"declined":                     {payments.Charge{Status: payments.Processing}, payments.OutcomeDeclined, payments.Declined, false, 0},
	"declined twice":               {payments.Charge{Status: payments.Declined}, payments.OutcomeDeclined, nothing, false, 0},
	"pending":                      {payments.Charge{Status: payments.Processing, Method: payments.Pix}, payments.OutcomePending, payments.Pending, false, 0},
	"pending, order over":          {payments.Charge{Status: payments.Processing, Method: payments.Pix, CloseWanted: true}, payments.OutcomePending, payments.Pending, true, 0},
	"pending twice":                {payments.Charge{Status: payments.Pending, Method: payments.Pix}, payments.OutcomePending, nothing, false, 0},
	"still pending, void wanted":   {payments.Charge{Status: payments.Pending, Method: payments.Pix, CloseWanted: true}, payments.OutcomePending, payments.Pending, true, 0},
	"voided":                       {payments.Charge{Status: payments.Pending, CloseWanted: true}, payments.OutcomeVoided, payments.Voided, false, 0},
	"not heard of yet, order over": {payments.Charge{Status: payments.Unknown, CloseWanted: true, Attempts: 6}, payments.OutcomeNotFound, payments.Unknown, true, 0},
	"never heard of, order over":   {payments.Charge{Status: payments.Unknown, CloseWanted: true, Attempts: 7}, payments.OutcomeNotFound, payments.Voided, true, 0},
	"no Pix heard of, order over":  {payments.Charge{Status: payments.Unknown, Method: payments.Pix, CloseWanted: true, Attempts: 7}, payments.OutcomeNotFound, payments.Voided, false, 0},
	"never heard of, order waits":  {payments.Charge{Status: payments.Unknown}, payments.OutcomeNotFound, payments.Unknown, true, 0},
	"a lost answer is no decline":  {payments.Charge{Status: payments.Processing}, payments.OutcomeUnknown, payments.Unknown, true, 0},
	"lost, still pending":          {payments.Charge{Status: payments.Pending, CloseWanted: true}, payments.OutcomeUnknown, payments.Pending, true, 0},
	"refunded":                     {payments.Charge{Status: payments.Refunding}, payments.OutcomeRefunded, payments.Refunded, false, 1},
	"refund lost":                  {payments.Charge{Status: payments.Refunding}, payments.OutcomeUnknown, payments.Refunding, true, 0},
	"refunding, late word of paid": {payments.Charge{Status: payments.Refunding}, payments.OutcomePaid, nothing, false, 0},
	"refunded twice":               {payments.Charge{Status: payments.Refunded}, payments.OutcomeRefunded, nothing, false, 0},
	"no answer":                    {payments.Charge{Status: payments.Processing}, 0, nothing, false, 0},
}

func TestApply(t *testing.T) {
	t.Parallel()
	for name, c := range appliedCases {
		charge := c.charge
		charge.Version = 7
		if charge.Method == "" {
			charge.Method = payments.Card
		}
		if charge.Amount++; charge.Amount != 0 {
			charge.Amount = 100
		}
		change, ok := charge.Apply(outcome(c.outcome), noon)
		got := change.Charge
		switch {
		case ok != (c.want != nothing):
			t.Errorf("%s: ok = %t", name, ok)
		case ok && (got.Status != c.want || got.NextAttemptAt.IsZero() == c.due || len(change.Transfers) != c.rows || got.Version != 8):
			t.Errorf("%s: %+v", name, change)
		case ok && got.Attempts > 0 && !got.NextAttemptAt.After(noon):
			t.Errorf("%s: tried again at once, without end", name)
		}
	}
}

func TestStillPendingKeepsItsCode(t *testing.T) {
	t.Parallel()
	code := &payments.PixCharge{TxID: "first"}
	c := payments.Charge{Method: payments.Pix, Status: payments.Pending, CloseWanted: true, Pix: code}
	if change, _ := c.Apply(payments.Outcome{Status: payments.OutcomePending}, noon); change.Charge.Pix != code {
		t.Errorf("the code is %+v", change.Charge.Pix)
	}
}

func TestRetriesBackOff(t *testing.T) {
	t.Parallel()
	c := payments.NewCharge(payments.Charge{Method: payments.Card, Amount: 1}, noon)
	var waits []time.Duration
	for range 12 {
		change, _ := c.Apply(outcome(payments.OutcomeUnknown), noon)
		c = change.Charge
		waits = append(waits, c.NextAttemptAt.Sub(noon))
	}
	if waits[0] != 500*time.Millisecond || waits[1] != time.Second || waits[11] != time.Minute {
		t.Errorf("waits %v", waits)
	}
}

func TestTake(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		charge payments.Charge
		amount money.Cents
		want   payments.Status
		status payments.ReceiptStatus
	}{
		"right":                   {payments.Charge{Status: payments.Pending}, 100, payments.Paid, payments.Accepted},
		"right, answer was lost":  {payments.Charge{Status: payments.Unknown}, 100, payments.Paid, payments.Accepted},
		"too little":              {payments.Charge{Status: payments.Pending}, 99, payments.Pending, payments.Surplus},
		"too much":                {payments.Charge{Status: payments.Pending}, 101, payments.Pending, payments.Surplus},
		"twice":                   {payments.Charge{Status: payments.Paid}, 100, payments.Paid, payments.Surplus},
		"too late, still wanted":  {payments.Charge{Status: payments.Voided, CloseWanted: true}, 100, payments.Paid, payments.Accepted},
		"too late, refund wanted": {payments.Charge{Status: payments.Voided, CloseWanted: true, RefundWanted: true}, 100, payments.Refunding, payments.Accepted},
		"refund wanted, not void": {payments.Charge{Status: payments.Pending, CloseWanted: true, RefundWanted: true}, 100, payments.Refunding, payments.Accepted},
		"after a refund":          {payments.Charge{Status: payments.Refunded}, 100, payments.Refunded, payments.Surplus},
		"for a card":              {payments.Charge{Status: payments.Voided, Method: payments.Card}, 100, payments.Voided, payments.Surplus},
	} {
		charge := c.charge
		charge.Amount = 100
		if charge.Method == "" {
			charge.Method = payments.Pix
		}
		change, receipt := charge.Take(payments.Receipt{EndToEndID: "E", Amount: c.amount}, noon)
		got := change.Charge
		if got.Status != c.want || receipt.Status != c.status || got.Received != c.amount || len(change.Transfers) != 1 {
			t.Errorf("%s: %+v, %+v", name, change, receipt)
		}
		if (c.status == payments.Accepted) != got.Notice {
			t.Errorf("%s: notice is %t", name, got.Notice)
		}
	}
}

func TestTombstoneTakesNoMoney(t *testing.T) {
	t.Parallel()
	stone := payments.Tombstone(payments.ID{1}, payments.OrderID{2}, payments.Pix, noon)
	if change, receipt := stone.Take(payments.Receipt{Amount: 100}, noon); receipt.Status != payments.Surplus || change.Charge.Status != payments.Voided {
		t.Errorf("%+v, %+v", change, receipt)
	}
	if _, ok := stone.WantClose(true, noon); ok {
		t.Error("closed again")
	}
}

func TestTxID(t *testing.T) {
	t.Parallel()
	id := payments.ID{0x01, 0xab, 0xff}
	txid := payments.TxID(id)
	if len(txid) != 32 {
		t.Errorf("txid %q", txid)
	}
	for text, want := range map[string]bool{txid: true, "01ABFF" + txid[6:]: true, txid[1:]: false, txid + "0": false, "g" + txid[1:]: false, "": false} {
		if got, ok := payments.ParseTxID(text); ok != want || ok && got != id {
			t.Errorf("ParseTxID(%q) = %v, %t", text, got, ok)
		}
	}
}

// history is a charge with all that was written of it.
type history struct {
	charge   payments.Charge
	receipts []payments.Receipt
	ledger   []payments.Transfer
}

func (h *history) write(t *rapid.T, change payments.Change) {
	before, after := h.charge, change.Charge
	if after.Version != before.Version+1 {
		t.Fatalf("version %d after %d", after.Version, before.Version)
	}
	for _, row := range change.Transfers {
		if row.Number != after.Version || row.Amount <= 0 || row.Debit == row.Credit {
			t.Fatalf("transfer %+v in version %d", row, after.Version)
		}
	}
	late := (before.Status == payments.Voided || before.Status == payments.Declined) && len(change.Transfers) == 1
	if final(before.Status) && after.Status != before.Status && !late {
		t.Fatalf("%s became %s", before.Status, after.Status)
	}
	h.charge = after
	h.ledger = append(h.ledger, change.Transfers...)
}

func final(s payments.Status) bool {
	return s == payments.Declined || s == payments.Voided || s == payments.Refunded
}

func (h *history) check(t *rapid.T) {
	var in, out, surplus, owed money.Cents
	captured := 0
	for _, row := range h.ledger {
		switch {
		case row.Debit == payments.AtProvider:
			in += row.Amount
		case row.Credit == payments.AtProvider:
			out += row.Amount
		}
		if row.Credit == payments.Sales {
			captured++
		}
	}
	var totals payments.Totals
	for _, row := range h.ledger {
		totals.Add(row)
	}
	for _, r := range h.receipts {
		if r.Status == payments.Surplus {
			owed += r.Amount
		}
	}
	surplus = totals.Surplus
	c := h.charge
	if in != c.Received || out != c.Refunded || c.Refunded > c.Received || surplus != owed || captured > 1 || totals.Captured-totals.Refunded+surplus != in-out {
		t.Fatalf("the ledger and the charge disagree: %+v %+v", c, h.ledger)
	}
	h.checkWork(t)
}

// checkWork is the liveness: what is not at rest is due some time, and nothing else is.
func (h *history) checkWork(t *rapid.T) {
	c := h.charge
	rests := final(c.Status) || c.Status == payments.Paid || c.Status == payments.Pending && !c.CloseWanted
	looked := c.Status == payments.Voided && c.Method == payments.Card // the provider may be asked once more
	if rests != c.NextAttemptAt.IsZero() && !looked {
		t.Fatalf("%s rests: %t, but is due at %s", c.Status, rests, c.NextAttemptAt)
	}
	if c.RefundWanted && c.Status == payments.Paid {
		t.Fatal("a refund is wanted, and nobody makes it")
	}
}

func TestAnyHistoryKeepsTheMoney(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		method := rapid.SampledFrom([]payments.Method{payments.Card, payments.Pix}).Draw(t, "method")
		amount := money.Cents(rapid.Int64Range(0, 3).Draw(t, "amount"))
		h := &history{charge: payments.NewCharge(payments.Charge{Method: method, Amount: amount}, noon)}
		if rapid.Bool().Draw(t, "tombstone") {
			h.charge = payments.Tombstone(payments.ID{}, payments.OrderID{}, method, noon)
		}
		t.Repeat(map[string]func(*rapid.T){
			"": h.check,
			"outcome": func(t *rapid.T) {
				status := payments.OutcomeStatus(rapid.IntRange(0, int(payments.OutcomeUnknown)).Draw(t, "status"))
				if change, ok := h.charge.Apply(outcome(status), noon); ok {
					h.write(t, change)
				}
			},
			"close": func(t *rapid.T) {
				if change, ok := h.charge.WantClose(rapid.Bool().Draw(t, "refund"), noon); ok {
					h.write(t, change)
				}
			},
			"receipt": func(t *rapid.T) {
				change, receipt := h.charge.Take(payments.Receipt{Amount: money.Cents(rapid.Int64Range(1, 3).Draw(t, "cents"))}, noon)
				h.write(t, change)
				h.receipts = append(h.receipts, receipt)
			},
			"give back": func(t *rapid.T) {
				for i, r := range h.receipts {
					if r.Status == payments.Surplus {
						change, back := h.charge.GiveBack(r, noon)
						h.write(t, change)
						h.receipts[i] = back
						return
					}
				}
			},
		})
	})
}
