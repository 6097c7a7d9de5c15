package payments_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/sqlite"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
)

var errLost = errors.New("connection reset")

// bank is a provider that remembers what it did. Its calls do as their plan says: wait, lose the answer after the effect
// or before it.
type bank struct {
	mu      sync.Mutex
	plan    map[payments.ID]*plan
	paid    map[payments.ID]bool
	voided  map[payments.ID]bool
	refunds map[string]money.Cents // by refund id
	effects map[string]int         // by what was done to what
	calls   map[string]int         // by method
}

// plan is how the bank treats a charge.
type plan struct {
	wait         time.Duration // in each Charge
	decline      bool
	loseBefore   int // so many calls fail without an effect
	loseAfter    int // so many calls fail after their effect
	stillPending int // so many Close calls do not show their effect yet
}

func newBank() *bank {
	return &bank{plan: map[payments.ID]*plan{}, paid: map[payments.ID]bool{}, voided: map[payments.ID]bool{},
		refunds: map[string]money.Cents{}, effects: map[string]int{}, calls: map[string]int{}}
}

func (b *bank) treat(id payments.ID, p plan) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.plan[id] = &p
}

// begin counts a call and answers a copy of its plan; err is set when the call fails before its effect.
func (b *bank) begin(method string, id payments.ID) (p plan, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls[method]++
	kept := b.plan[id]
	if kept == nil {
		return plan{}, nil
	}
	p = *kept
	if kept.loseBefore > 0 {
		kept.loseBefore--
		return p, errLost
	}
	if kept.loseAfter > 0 {
		kept.loseAfter--
	}
	if method == "Close" && kept.stillPending > 0 {
		kept.stillPending--
	}
	return p, nil
}

func (b *bank) Name() string { return "bank" }

func (b *bank) Charge(ctx context.Context, c payments.Charge) (payments.Outcome, error) {
	p, err := b.begin("Charge", c.ID)
	if err != nil {
		return payments.Outcome{}, err
	}
	if p.wait > 0 {
		select {
		case <-time.After(p.wait):
		case <-ctx.Done():
			return payments.Outcome{}, ctx.Err()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.Method == payments.Card && !p.decline && !b.paid[c.ID] {
		b.paid[c.ID] = true
		b.effects["capture "+c.ID.String()]++
	}
	if p.loseAfter > 0 {
		return payments.Outcome{}, errLost
	}
	return b.verdict(c, p), nil
}

func (b *bank) verdict(c payments.Charge, p plan) payments.Outcome {
	switch {
	case c.Method == payments.Pix && b.voided[c.ID]:
		return payments.Outcome{Status: payments.OutcomeVoided}
	case c.Method == payments.Pix:
		return payments.Outcome{Status: payments.OutcomePending, Pix: &payments.PixCharge{TxID: payments.TxID(c.ID), CopyPaste: "000201", ExpiresAt: c.CreatedAt.Add(time.Minute)}}
	case p.decline:
		return payments.Outcome{Status: payments.OutcomeDeclined, Reason: "card_declined"}
	case b.paid[c.ID]:
		return payments.Outcome{Status: payments.OutcomePaid}
	default:
		return payments.Outcome{Status: payments.OutcomeNotFound}
	}
}

func (b *bank) Query(_ context.Context, c payments.Charge) (payments.Outcome, error) {
	p, err := b.begin("Query", c.ID)
	if err != nil {
		return payments.Outcome{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.verdict(c, p), nil
}

func (b *bank) Close(_ context.Context, c payments.Charge) (payments.Outcome, error) {
	p, err := b.begin("Close", c.ID)
	if err != nil {
		return payments.Outcome{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.stillPending > 0 {
		return payments.Outcome{Status: payments.OutcomePending}, nil
	}
	b.voided[c.ID] = true
	return payments.Outcome{Status: payments.OutcomeVoided}, nil
}

func (b *bank) Refund(_ context.Context, c payments.Charge, refundID string, amount money.Cents) error {
	p, err := b.begin("Refund", c.ID)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.refunds[refundID]; !known {
		b.refunds[refundID] = amount
		b.effects["refund "+refundID]++
	}
	if p.loseAfter > 0 {
		return errLost
	}
	return nil
}

// capture executes a request that came late.
func (b *bank) capture(id payments.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.paid[id] = true
	b.effects["capture "+id.String()]++
}

func (b *bank) count(method string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls[method]
}

func (b *bank) refunded() (sum money.Cents) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, amount := range b.refunds {
		sum += amount
	}
	return sum
}

// frail is a store whose saves fail while it is told so, as after a lost connection: the transaction was rolled back.
type frail struct {
	payments.Store
	mu       sync.Mutex
	failures int
	saves    int // calls of Save
	onCreate func()
	// onSave stands for the nth Save, and its error for Save's; save is the real one.
	onSave func(n int, changes []payments.Change, save func()) error
}

func (f *frail) fail(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = n
}

func (f *frail) Save(ctx context.Context, changes []payments.Change) (saved []bool, err error) {
	f.mu.Lock()
	f.saves++
	n, failing := f.saves, f.failures > 0
	if failing {
		f.failures--
	}
	f.mu.Unlock()
	if failing {
		return nil, errLost
	}
	named := make(map[payments.ID]bool)
	for _, c := range changes {
		if named[c.Charge.ID] {
			return nil, errors.New("a charge is named twice, which the store's contract forbids")
		}
		named[c.Charge.ID] = true
	}
	if f.onSave == nil {
		return f.Store.Save(ctx, changes)
	}
	if failed := f.onSave(n, changes, func() { saved, err = f.Store.Save(ctx, changes) }); failed != nil {
		return nil, failed
	}
	return saved, err
}

func (f *frail) Create(ctx context.Context, charges []payments.Charge) ([]payments.Created, error) {
	created, err := f.Store.Create(ctx, charges)
	if f.onCreate != nil {
		f.onCreate()
	}
	return created, err
}

const (
	patience = time.Second
	timeout  = 10 * time.Second
	lease    = 30 * time.Second
	places   = 4
)

// rig is a service over SQLite and a bank, in a bubble where time passes when everybody waits.
type rig struct {
	*testing.T
	service *payments.Service
	store   *frail
	bank    *bank
	next    byte
}

// bubble runs test in a bubble of its own, beside others.
func bubble(t *testing.T, test func(r *rig)) {
	t.Helper()
	t.Parallel()
	bubbleNow(t, test)
}

func bubbleNow(t *testing.T, test func(r *rig)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "payments.db")
	if _, err := migrate.SQLite(t.Context(), path, sqlite.Migrations()); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		store, err := sqlite.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		r := &rig{T: t, store: &frail{Store: store}, bank: newBank()}
		r.service, err = payments.New(payments.Config{Patience: patience, ProviderTimeout: timeout, MaxCalls: places}, r.store, r.bank,
			clock.System{}, slog.New(slog.NewTextHandler(io.Discard, nil)))
		if err != nil {
			t.Fatal(err)
		}
		test(r)
		r.service.Wait()
		r.balance()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
}

// balance holds what the bank did against what the ledger says; nothing was done twice.
func (r *rig) balance() {
	r.Helper()
	for effect, times := range r.bank.effects {
		if times != 1 {
			r.Errorf("%s happened %d times", effect, times)
		}
	}
	for id := range r.bank.paid {
		if c := r.payment(id).Charge; c.Received != c.Amount {
			r.Errorf("the bank captured %d, the ledger took in %d", c.Amount, c.Received)
		}
	}
}

func (r *rig) wish(method payments.Method, amount money.Cents) payments.Charge {
	r.next++
	return payments.Charge{ID: payments.ID{1, r.next}, OrderID: payments.OrderID{2, r.next}, Method: method, Token: "tok", Amount: amount}
}

func (r *rig) charge(wishes ...payments.Charge) []payments.Charge {
	r.Helper()
	charges, err := r.service.Charge(r.Context(), wishes)
	if err != nil {
		r.Fatal(err)
	}
	return charges
}

func closure(c payments.Charge, refund bool) payments.Closure {
	return payments.Closure{ID: c.ID, OrderID: c.OrderID, Method: c.Method, Refund: refund}
}

func (r *rig) close(c payments.Charge, refund bool) payments.Charge {
	r.Helper()
	charges, err := r.service.Close(r.Context(), []payments.Closure{closure(c, refund)})
	if err != nil {
		r.Fatal(err)
	}
	return charges[0]
}

func (r *rig) pay(c payments.Charge, endToEndID string, amount money.Cents) payments.Payment {
	r.Helper()
	p, err := r.service.TakeReceipt(r.Context(), payments.Receipt{EndToEndID: endToEndID, PaymentID: c.ID, Amount: amount})
	if err != nil {
		r.Fatal(err)
	}
	return p
}

func (r *rig) payment(id payments.ID) payments.Payment {
	r.Helper()
	p, err := r.service.Payment(context.Background(), id)
	if err != nil {
		r.Fatal(err)
	}
	return p
}

// reconcile steps until nothing is due, and tells how many steps had work.
func (r *rig) reconcile() (steps int) {
	r.Helper()
	for {
		worked, err := r.service.Reconcile(r.Context())
		if err != nil {
			r.Fatal(err)
		}
		if !worked {
			return steps
		}
		if steps++; steps > 20 {
			r.Fatal("the reconciler finds no end")
		}
	}
}

func (r *rig) want(id payments.ID, want payments.Status) payments.Payment {
	r.Helper()
	p := r.payment(id)
	if p.Charge.Status != want {
		r.Fatalf("the charge is %s, want %s: %+v", p.Charge.Status, want, p.Charge)
	}
	return p
}
