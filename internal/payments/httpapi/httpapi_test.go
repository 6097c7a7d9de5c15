package httpapi_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/brcode"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/httpapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/providers/sandbox"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/sqlite"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// shifted is the machine's clock, put forward by hand.
type shifted struct {
	mu sync.Mutex
	by time.Duration
}

func (s *shifted) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return clock.System{}.Now().Add(s.by)
}

func (s *shifted) AfterFunc(d time.Duration, f func()) { clock.System{}.AfterFunc(d, f) }

func (s *shifted) forward(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.by += d
}

// api is the service behind its HTTP handler, on SQLite and the sandbox.
type api struct {
	*testing.T
	service *payments.Service
	store   *readStore
	server  *httptest.Server
	client  *paymentsapi.Client
	clock   *shifted
	log     *bytes.Buffer
}

// readStore counts what is read of payments' histories, and can lose answers.
type readStore struct {
	*sqlite.Store
	histories atomic.Int64
	lossy     atomic.Bool
}

func (s *readStore) Receipts(ctx context.Context, id payments.ID, limit int) ([]payments.Receipt, error) {
	s.histories.Add(1)
	return s.Store.Receipts(ctx, id, limit)
}

func (s *readStore) Transfers(ctx context.Context, id payments.ID, limit int) ([]payments.Transfer, error) {
	s.histories.Add(1)
	return s.Store.Transfers(ctx, id, limit)
}

func serve(t *testing.T, withSandbox bool) *api {
	t.Helper()
	path := filepath.Join(t.TempDir(), "payments.db")
	_, err := migrate.SQLite(t.Context(), path, sqlite.Migrations())
	must(t, err)
	engine, err := sqlite.Open(t.Context(), path)
	must(t, err)
	store := &readStore{Store: engine}
	a := &api{T: t, store: store, clock: new(shifted), log: new(bytes.Buffer)}
	log := slog.New(slog.NewTextHandler(a.log, nil))
	provider, err := sandbox.New(sandbox.Config{MerchantName: "Loja", MerchantCity: "Recife", Clock: a.clock})
	must(t, err)
	a.service, err = payments.New(payments.Config{Patience: time.Second, ProviderTimeout: 10 * time.Second, MaxCalls: 8}, store, provider, a.clock, log)
	must(t, err)
	handler, err := httpapi.New(a.service, httpapi.Config{Log: log, Sandbox: withSandbox, Clock: a.clock, Rand: rand.Reader})
	must(t, err)
	a.server = httptest.NewServer(handler)
	a.client, err = paymentsapi.NewClient(a.server.URL)
	must(t, err)
	t.Cleanup(func() {
		a.server.Close()
		a.service.Wait()
		must(t, store.Close())
	})
	return a
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wish(method paymentsapi.PaymentMethod, token string, amount int64) paymentsapi.Charge {
	c := paymentsapi.Charge{PaymentID: uuid.Must(uuid.NewV7()), OrderID: uuid.Must(uuid.NewV7()), Method: method, AmountCents: amount}
	if token != "" {
		c.Token = paymentsapi.NewOptString(token)
	}
	return c
}

func (a *api) charge(charges ...paymentsapi.Charge) []paymentsapi.ChargeResult {
	a.Helper()
	results, err := a.client.ChargeBatch(a.Context(), &paymentsapi.ChargeBatch{Charges: charges})
	must(a.T, err)
	return results.Results
}

func (a *api) close(c paymentsapi.Charge, refund bool) paymentsapi.ChargeResult {
	a.Helper()
	results, err := a.client.CloseBatch(a.Context(), &paymentsapi.CloseBatch{Closures: []paymentsapi.Closure{
		{PaymentID: c.PaymentID, OrderID: c.OrderID, Method: c.Method, Refund: refund}}})
	must(a.T, err)
	return results.Results[0]
}

func txid(c paymentsapi.Charge) string { return payments.TxID(payments.ID(c.PaymentID)) }

// pay plays the payer; amount 0 leaves it to the charge.
func (a *api) pay(c paymentsapi.Charge, amount int64) *paymentsapi.Payment {
	a.Helper()
	var body paymentsapi.OptSandboxPayment
	if amount > 0 {
		body = paymentsapi.NewOptSandboxPayment(paymentsapi.SandboxPayment{AmountCents: paymentsapi.NewOptInt64(amount)})
	}
	p, err := a.client.PaySandboxPix(a.Context(), body, paymentsapi.PaySandboxPixParams{Txid: txid(c)})
	must(a.T, err)
	return p
}

func (a *api) reconcile() {
	a.Helper()
	for range 20 {
		worked, err := a.service.Reconcile(a.Context())
		must(a.T, err)
		if !worked {
			return
		}
	}
	a.Fatal("the reconciler finds no end")
}

func (a *api) get(c paymentsapi.Charge) *paymentsapi.Payment {
	a.Helper()
	p, err := a.client.GetPayment(a.Context(), paymentsapi.GetPaymentParams{PaymentID: c.PaymentID})
	must(a.T, err)
	return p
}

// send sends a raw request and answers the status, the headers and the problem's code and fields.
func (a *api) send(method, path, body string) (int, http.Header, httpProblem) {
	a.Helper()
	r, err := http.NewRequestWithContext(a.Context(), method, a.server.URL+path, strings.NewReader(body))
	must(a.T, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(r)
	must(a.T, err)
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	must(a.T, err)
	var p httpProblem
	if strings.HasPrefix(answer.Header.Get("Content-Type"), httpx.ProblemType) {
		must(a.T, json.Unmarshal(raw, &p))
	}
	return answer.StatusCode, answer.Header, p
}

type httpProblem struct {
	Code   string
	Detail string
	Errors []struct{ Field string }
}

func (p httpProblem) field() string {
	if len(p.Errors) == 0 {
		return ""
	}
	return p.Errors[0].Field
}

func TestBatchesAreAnsweredInOrder(t *testing.T) {
	t.Parallel()
	a := serve(t, true)
	approved, declined := wish("card", sandbox.Approved, 100), wish("card", sandbox.Declined, 200)
	odd, pix := wish("card", "", 300), wish("pix", "", 400)
	for range 2 { // repeating answers the same
		got := a.charge(declined, pix, approved, odd)
		for i, want := range []paymentsapi.ChargeStatus{"declined", "pending", "paid", "declined"} {
			if got[i].Status != want {
				t.Errorf("result %d is %s, want %s", i, got[i].Status, want)
			}
		}
		if got[0].DeclineReason.Value != sandbox.ReasonDeclined || got[3].DeclineReason.Value != sandbox.ReasonUnknownToken {
			t.Errorf("reasons %+v, %+v", got[0], got[3])
		}
		code := got[1].Pix.Value
		if _, err := brcode.Parse(code.CopyPaste); err != nil || code.Txid != txid(pix) || code.QrCodeURL != "/v1/pix/"+txid(pix)+"/qr.png" {
			t.Errorf("Pix %+v, %v", code, err)
		}
	}
	p := a.get(approved)
	if p.Status != "paid" || p.AmountCents != 100 || p.ReceivedCents != 100 || p.Provider != sandbox.Name || len(p.Transfers) != 1 || p.Transfers[0].Kind != "capture" {
		t.Errorf("payment %+v", p)
	}
	list, err := a.client.ListOrderPayments(t.Context(), paymentsapi.ListOrderPaymentsParams{OrderID: approved.OrderID})
	must(t, err)
	if len(list.Data) != 1 || list.Data[0].ID != approved.PaymentID {
		t.Errorf("list %+v", list)
	}
}

func TestLostAnswersBecomeNotices(t *testing.T) {
	t.Parallel()
	a := serve(t, true)
	paid, declined := wish("card", sandbox.TimeoutApproved, 100), wish("card", sandbox.TimeoutDeclined, 100)
	for _, r := range a.charge(paid, declined) {
		if r.Status != "unknown" {
			t.Errorf("answered %s", r.Status)
		}
	}
	a.clock.forward(time.Second)
	a.reconcile()
	list, err := a.client.ListNotices(t.Context(), paymentsapi.ListNoticesParams{})
	must(t, err)
	if len(list.Notices) != 2 || list.Notices[0].PaymentID != paid.PaymentID || list.Notices[0].Result.Status != "paid" || list.Notices[1].Result.Status != "declined" {
		t.Fatalf("notices %+v", list)
	}
	n := list.Notices[0]
	must(t, a.client.AckNotices(t.Context(), &paymentsapi.NoticeAcks{Acks: []paymentsapi.NoticeAck{{PaymentID: n.PaymentID, Version: n.Version}}}))
	list, err = a.client.ListNotices(t.Context(), paymentsapi.ListNoticesParams{Limit: paymentsapi.NewOptInt(1)})
	must(t, err)
	if len(list.Notices) != 1 || list.Notices[0].OrderID != declined.OrderID {
		t.Errorf("after the acknowledgement: %+v", list)
	}
}

var endToEndID = regexp.MustCompile(`^E99999999\d{12}[A-Z0-9]{11}$`)

func TestThePayerOfAPix(t *testing.T) {
	t.Parallel()
	a := serve(t, true)
	c := wish("pix", "", 500)
	a.charge(c)
	if p := a.pay(c, 499); p.Status != "pending" || p.Receipts[0].Status != "surplus" || !endToEndID.MatchString(p.Receipts[0].EndToEndID) {
		t.Errorf("wrong amount: %+v", p)
	}
	if p := a.pay(c, 0); p.Status != "paid" || len(p.Receipts) != 2 {
		t.Errorf("right amount: %+v", p)
	}
	a.pay(c, 500) // twice
	a.reconcile()
	p := a.get(c)
	if p.Status != "paid" || p.ReceivedCents != 1499 || p.RefundedCents != 999 || len(p.Receipts) != 3 {
		t.Errorf("in the end: %+v", p)
	}
}

func TestThePayerWhoIsTooLate(t *testing.T) {
	t.Parallel()
	a := serve(t, true)
	c := wish("pix", "", 500)
	a.charge(c)
	if r := a.close(c, true); r.Status != "voided" {
		t.Errorf("closed: %+v", r)
	}
	if p := a.pay(c, 0); p.Status != "refunding" {
		t.Errorf("paid late: %+v", p)
	}
	a.reconcile()
	if p := a.get(c); p.Status != "refunded" || p.RefundedCents != 500 || len(p.Transfers) != 2 {
		t.Errorf("in the end: %+v", p)
	}
	never := wish("pix", "", 500)
	a.close(never, false)
	if r := a.charge(never)[0]; r.Status != "voided" || r.Pix.Set {
		t.Errorf("charged after its closure: %+v", r)
	}
}

func TestThePicture(t *testing.T) {
	t.Parallel()
	a := serve(t, true)
	c := wish("pix", "", 500)
	a.charge(c)
	answer, err := http.Get(a.server.URL + "/v1/pix/" + txid(c) + "/qr.png")
	must(t, err)
	defer answer.Body.Close()
	if _, err := png.Decode(answer.Body); err != nil || answer.Header.Get("Content-Type") != "image/png" || !strings.Contains(answer.Header.Get("Cache-Control"), "max-age") {
		t.Errorf("picture: %v, %v", err, answer.Header)
	}
	if n := a.store.histories.Load(); n != 0 { // nobody has to know a key to ask for it
		t.Errorf("the picture read %d histories", n)
	}
	a.close(c, false)
	status, header, p := a.send("GET", "/v1/pix/"+txid(c)+"/qr.png", "")
	if status != http.StatusNotFound || p.Code != "payment_not_found" || strings.Contains(header.Get("Cache-Control"), "max-age") {
		t.Errorf("after void: %d %+v %v", status, p, header)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	a := serve(t, true)
	card := wish("card", sandbox.Approved, 100)
	a.charge(card)
	const ids = `"payment_id":"01940000-0000-7000-8000-000000000001","order_id":"01940000-0000-7000-8000-000000000002"`
	charges := func(rest string) string {
		return `{"charges":[{"payment_id":"01940000-0000-7000-8000-000000000003","order_id":"01940000-0000-7000-8000-000000000002","method":"card","amount_cents":1},{` + ids + `,` + rest + `}]}`
	}
	unknown := strings.Repeat("0", 32)
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		code, field        string
	}{
		"unknown payment":       {"GET", "/v1/payments/01940000-0000-7000-8000-000000000009", "", 404, "payment_not_found", ""},
		"payment id":            {"GET", "/v1/payments/x", "", 400, "invalid_request", "path.payment_id"},
		"unknown picture":       {"GET", "/v1/pix/" + unknown + "/qr.png", "", 404, "payment_not_found", ""},
		"foreign txid":          {"GET", "/v1/pix/" + strings.Repeat("z", 32) + "/qr.png", "", 404, "payment_not_found", ""},
		"a card's picture":      {"GET", "/v1/pix/" + txid(card) + "/qr.png", "", 404, "payment_not_found", ""},
		"paying a card's txid":  {"POST", "/v1/sandbox/pix/" + txid(card) + "/pay", "", 404, "payment_not_found", ""},
		"paying an unknown":     {"POST", "/v1/sandbox/pix/" + unknown + "/pay", `{}`, 404, "payment_not_found", ""},
		"paying nothing":        {"POST", "/v1/sandbox/pix/" + unknown + "/pay", `{"amount_cents":0}`, 400, "invalid_request", "/amount_cents"},
		"unknown member":        {"POST", "/v1/sandbox/pix/" + unknown + "/pay", `{"amount":5}`, 400, "invalid_request", "/amount"},
		"member twice":          {"POST", "/v1/sandbox/pix/" + unknown + "/pay", `{"amount_cents":5,"amount_cents":6}`, 400, "invalid_json", "/amount_cents"},
		"no JSON":               {"POST", "/internal/v1/charges", `{`, 400, "invalid_json", ""},
		"no body":               {"POST", "/internal/v1/charges", ``, 400, "body_required", ""},
		"no charges":            {"POST", "/internal/v1/charges", `{"charges":[]}`, 400, "invalid_request", "/charges"},
		"unknown method":        {"POST", "/internal/v1/charges", charges(`"method":"cash","amount_cents":1`), 400, "invalid_request", "/charges/1/method"},
		"negative amount":       {"POST", "/internal/v1/charges", charges(`"method":"pix","amount_cents":-1`), 400, "invalid_request", "/charges/1/amount_cents"},
		"huge amount":           {"POST", "/internal/v1/charges", charges(`"method":"pix","amount_cents":1000000000000`), 400, "invalid_request", "/charges/1/amount_cents"},
		"amount as text":        {"POST", "/internal/v1/charges", charges(`"method":"pix","amount_cents":"1"`), 400, "invalid_request", "/charges/1/amount_cents"},
		"card number":           {"POST", "/internal/v1/charges", charges(`"method":"card","amount_cents":1,"token":"4111111111111111"`), 400, "invalid_request", "/charges/1/token"},
		"card number in pieces": {"POST", "/internal/v1/charges", charges(`"method":"card","amount_cents":1,"token":"tok_5555-5555.5555 4444"`), 400, "invalid_request", "/charges/1/token"},
		"card number for Pix":   {"POST", "/internal/v1/charges", charges(`"method":"pix","amount_cents":1,"token":"378282246310005"`), 400, "invalid_request", "/charges/1/token"},
		"NUL in a token":        {"POST", "/internal/v1/charges", charges(`"method":"card","amount_cents":1,"token":"a\u0000"`), 400, "invalid_request", "/charges/1/token"},
		"unknown path":          {"GET", "/v1/nothing", "", 404, "not_found", ""},
		"unknown verb":          {"DELETE", "/internal/v1/charges", "", 405, "method_not_allowed", ""},
		"too many notices":      {"GET", "/internal/v1/notices?limit=1001", "", 400, "invalid_request", "query.limit"},
	} {
		status, _, p := a.send(c.method, c.path, c.body)
		if status != c.status || p.Code != c.code || c.field != "" && p.field() != c.field {
			t.Errorf("%s: %d %+v, want %d %s %s", name, status, p, c.status, c.code, c.field)
		}
	}
	for _, id := range []uuid.UUID{uuid.MustParse("01940000-0000-7000-8000-000000000001"), uuid.MustParse("01940000-0000-7000-8000-000000000003")} {
		if status, _, _ := a.send("GET", "/v1/payments/"+id.String(), ""); status != http.StatusNotFound {
			t.Errorf("a refused batch left %s behind", id)
		}
	}
	for _, number := range []string{"41111", "5555", "37828"} {
		if strings.Contains(a.log.String(), number) {
			t.Errorf("the log has a card number: %s", a.log)
		}
	}
}

func TestTokensThatAreNoCards(t *testing.T) {
	t.Parallel()
	a := serve(t, true)
	for _, token := range []string{"4111111111111112", "tok_12345678901", "pm_1MqLiJLkdIwHu7ixUEgbFdYl", strings.Repeat("1", 20)} {
		if r := a.charge(wish("card", token, 100))[0]; r.DeclineReason.Value != sandbox.ReasonUnknownToken {
			t.Errorf("%s: %+v", token, r)
		}
	}
}

func TestWithoutTheSandboxNobodyPlaysThePayer(t *testing.T) {
	t.Parallel()
	a := serve(t, false)
	c := wish("pix", "", 500)
	a.charge(c)
	for _, body := range []string{"", `{"amount_cents":"x"}`} {
		if status, _, p := a.send("POST", "/v1/sandbox/pix/"+txid(c)+"/pay", body); status != http.StatusNotFound || p.Code != httpx.CodeNotFound {
			t.Errorf("%d %+v", status, p)
		}
	}
	if p := a.get(c); p.Status != "pending" || len(p.Receipts) != 0 {
		t.Errorf("payment %+v", p)
	}
	if _, err := httpapi.NewHandler(a.service, httpapi.Config{Log: slog.Default(), Sandbox: true}); err == nil {
		t.Error("a sandbox without clock and randomness was accepted")
	}
}

func TestFailuresTellNothing(t *testing.T) {
	t.Parallel()
	a := serve(t, true)
	must(t, a.store.Close())
	status, _, p := a.send("GET", "/v1/payments/01940000-0000-7000-8000-000000000009", "")
	if status != http.StatusInternalServerError || p.Code != httpx.CodeInternal || !strings.Contains(a.log.String(), "closed") {
		t.Errorf("%d %+v, log %s", status, p, a.log)
	}
}

func TestWhatPassesAsksForARetry(t *testing.T) {
	t.Parallel()
	late, stop := context.WithTimeout(t.Context(), -1)
	defer stop()
	a := serve(t, true)
	answer := a.fail(late)
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Response.Code != "unavailable" || answer.RetryAfter.Value != "1" {
		t.Errorf("%+v", answer)
	}
	if !strings.Contains(a.log.String(), "level=WARN") {
		t.Errorf("logged %s", a.log)
	}
}

// TestAClientThatHangsUpIsNoFailure, neither in the log nor in the metrics, which go by the status. A peer that does so had less
// patience than this took: that is for the log.
func TestAClientThatHangsUpIsNoFailure(t *testing.T) {
	t.Parallel()
	left, leave := context.WithCancel(t.Context())
	leave()
	a := serve(t, true)
	for _, ctx := range []context.Context{httpx.WithCaller(left, "somebody"), left} {
		if answer := a.fail(ctx); answer.StatusCode != httpx.StatusClientGone || answer.Response.Code != httpx.CodeClientGone {
			t.Errorf("%+v", answer)
		}
		if logged := a.log.String() != ""; logged != (httpx.Caller(ctx) == "") {
			t.Errorf("of caller %q logged %s", httpx.Caller(ctx), a.log)
		}
	}
}

// fail is the answer to who asks under a context that has ended.
func (a *api) fail(ctx context.Context) *paymentsapi.ProblemStatusCodeWithHeaders {
	h, err := httpapi.NewHandler(a.service, httpapi.Config{Log: slog.New(slog.NewTextHandler(a.log, nil))})
	must(a.T, err)
	_, err = h.GetPayment(ctx, paymentsapi.GetPaymentParams{PaymentID: uuid.Must(uuid.NewV7())})
	return h.NewError(ctx, err)
}

// The handler stands in for the client in one process, so their batch methods have the same form.
type peer interface {
	ChargeBatch(context.Context, *paymentsapi.ChargeBatch) (*paymentsapi.ChargeResults, error)
	CloseBatch(context.Context, *paymentsapi.CloseBatch) (*paymentsapi.ChargeResults, error)
	ListNotices(context.Context, paymentsapi.ListNoticesParams) (*paymentsapi.NoticeList, error)
	AckNotices(context.Context, *paymentsapi.NoticeAcks) error
}

var _, _ peer = (*httpapi.Handler)(nil), (*paymentsapi.Client)(nil)
