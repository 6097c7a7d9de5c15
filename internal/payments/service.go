package payments

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/batch"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
)

// Config shapes the service. Every field but Spawn and Observer is required.
type Config struct {
	// Patience is how long a batch waits for the provider. Who is not decided by then is answered as it is, and goes on behind.
	Patience time.Duration
	// ProviderTimeout bounds one call to the provider, with the wait for a place. Shorter than attemptLease.
	ProviderTimeout time.Duration
	// MaxCalls bounds the calls to the provider that are under way. Who gets no place within ProviderTimeout is left to the reconciler.
	MaxCalls int
	// Spawn begins a call to the provider, beside the batch that wants it or after it. Nil: in a goroutine of its own. It is
	// there for a simulation, which has none.
	Spawn func(call func())
	// Observer hears of the batches in which late answers are saved. It may be nil.
	Observer batch.Observer
}

func (c Config) validate() error {
	if c.Patience <= 0 || c.ProviderTimeout <= 0 || c.ProviderTimeout >= attemptLease || c.MaxCalls < 1 {
		return fmt.Errorf("payments: patience (%s), provider timeout (%s, below %s) and max calls (%d) must be set",
			c.Patience, c.ProviderTimeout, attemptLease, c.MaxCalls)
	}
	return nil
}

// Service is the rules of payments over a store and a provider.
type Service struct {
	cfg      Config
	store    Store
	provider Provider
	clock    clock.Clock
	log      *slog.Logger
	calls    chan struct{}  // a place for each call to the provider
	behind   sync.WaitGroup // calls that outlive their batch
	late     *batch.Stage[*answer]
	saving   sync.Mutex // held by who works in late
}

// New makes a service.
func New(cfg Config, store Store, provider Provider, clock clock.Clock, log *slog.Logger) (*Service, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.Spawn == nil {
		cfg.Spawn = func(call func()) { go call() }
	}
	s := &Service{cfg: cfg, store: store, provider: provider, clock: clock, log: log, calls: make(chan struct{}, cfg.MaxCalls)}
	late := batch.Config{Name: "late_answers", Queue: lateQueue, MaxBatch: lateBatch, Workers: 1, Observer: cfg.Observer}
	var err error
	if s.late, err = batch.NewStage(late, s.saveLate); err != nil {
		return nil, fmt.Errorf("payments: %w", err)
	}
	return s, nil
}

// Charge charges a batch, once a payment id, and answers the charges as they are after Config.Patience at most.
func (s *Service) Charge(ctx context.Context, wishes []Charge) ([]Charge, error) {
	now := s.clock.Now()
	charges := make([]Charge, len(wishes))
	for i, c := range wishes {
		c.Provider = s.provider.Name()
		charges[i] = NewCharge(c, now)
	}
	created, err := s.create(ctx, charges)
	if err != nil {
		return nil, fmt.Errorf("create %d charges: %w", len(wishes), err)
	}
	var fresh []int
	for i, c := range created {
		charges[i] = c.Charge
		if c.New {
			fresh = append(fresh, i)
		}
	}
	if err := s.callAndSave(ctx, charges, fresh); err != nil {
		return nil, err
	}
	return agreed(charges), nil
}

func (s *Service) create(ctx context.Context, charges []Charge) ([]Created, error) {
	if len(charges) == 0 {
		return nil, nil
	}
	created, err := s.store.Create(ctx, charges)
	if err != nil {
		return nil, fmt.Errorf("first %s: %w", charges[0].ID, err)
	}
	return created, nil
}

// agreed answers an id that a batch names again as it answers the id's first mention, which is the one that was worked on.
func agreed(charges []Charge) []Charge {
	first := make(map[ID]int, len(charges))
	for i, c := range charges {
		if at, again := first[c.ID]; again {
			charges[i] = charges[at]
			continue
		}
		first[c.ID] = i
	}
	return charges
}

// Close ends a batch of charges: open ones are voided, paid ones refunded where the closure says so, unknown ids barred.
// It answers the charges as they are after Config.Patience at most.
func (s *Service) Close(ctx context.Context, closures []Closure) ([]Charge, error) {
	charges, err := s.bar(ctx, closures)
	if err != nil {
		return nil, err
	}
	callable, err := s.wantClose(ctx, charges, closures)
	if err != nil {
		return nil, err
	}
	if err := s.callAndSave(ctx, charges, callable); err != nil {
		return nil, err
	}
	return agreed(charges), nil
}

// wantClose notes the wishes to close, brings charges up to date, and tells whose provider is to be called now.
func (s *Service) wantClose(ctx context.Context, charges []Charge, closures []Closure) (callable []int, err error) {
	changes, changed := planClose(charges, closures, s.clock.Now())
	if len(changes) == 0 {
		return nil, nil
	}
	saved, err := s.store.Save(ctx, changes)
	if err != nil {
		return nil, fmt.Errorf("note that %d charges shall close, first %s: %w", len(changes), changes[0].Charge.ID, err)
	}
	for k, i := range changed {
		if !saved[k] {
			continue // somebody else moved it: the caller sees it as it was, and asks again
		}
		charges[i] = changes[k].Charge
		// A charge that is being decided stays with whoever asked the provider: a second call now could cross the first.
		if charges[i].Status == Refunding || charges[i].Status == Pending {
			callable = append(callable, i)
		}
	}
	return callable, nil
}

// planClose makes one change a charge, however often the batch names it: a refund that any of its closures wants is wanted.
func planClose(charges []Charge, closures []Closure, now time.Time) (changes []Change, changed []int) {
	refund := make(map[ID]bool, len(closures))
	for _, c := range closures {
		refund[c.ID] = refund[c.ID] || c.Refund
	}
	for i, c := range charges {
		wanted, first := refund[c.ID]
		if !first {
			continue
		}
		delete(refund, c.ID)
		if change, ok := c.WantClose(wanted, now); ok {
			changes = append(changes, change)
			changed = append(changed, i)
		}
	}
	return changes, changed
}

// Closure asks for the end of one charge.
type Closure struct {
	ID      ID
	OrderID OrderID
	Method  Method
	Refund  bool // give back what was paid; without it a paid charge stays paid
}

func (s *Service) bar(ctx context.Context, closures []Closure) ([]Charge, error) {
	tombstones := make([]Charge, len(closures))
	for i, c := range closures {
		tombstones[i] = Tombstone(c.ID, c.OrderID, c.Method, s.clock.Now())
		tombstones[i].Provider = s.provider.Name()
	}
	created, err := s.create(ctx, tombstones)
	if err != nil {
		return nil, fmt.Errorf("bar %d charges: %w", len(closures), err)
	}
	charges := make([]Charge, len(created))
	for i, c := range created {
		charges[i] = c.Charge
	}
	return charges, nil
}

// Payment is a charge with what happened to it: at most historyLimit of each, the newest.
type Payment struct {
	Charge    Charge
	Receipts  []Receipt
	Transfers []Transfer
}

// historyLimit bounds what a payment answers of its history, as the contract says. Most have a row or two; nothing keeps a
// payer from sending money again and again.
const historyLimit = 100

// Get reads one charge without its history, or ErrNotFound.
func (s *Service) Get(ctx context.Context, id ID) (Charge, error) {
	charges, err := s.store.Get(ctx, []ID{id})
	if err != nil {
		return Charge{}, fmt.Errorf("read payment %s: %w", id, err)
	}
	if len(charges) == 0 {
		return Charge{}, ErrNotFound
	}
	return charges[0], nil
}

// Payment reads one payment, or ErrNotFound.
func (s *Service) Payment(ctx context.Context, id ID) (Payment, error) {
	charge, err := s.Get(ctx, id)
	if err != nil {
		return Payment{}, err
	}
	return s.withHistory(ctx, charge)
}

// OrderPayments reads the payments of an order; none when it was never charged.
func (s *Service) OrderPayments(ctx context.Context, order OrderID) ([]Payment, error) {
	charges, err := s.store.ByOrder(ctx, order)
	if err != nil {
		return nil, fmt.Errorf("read payments of order %s: %w", order, err)
	}
	payments := make([]Payment, len(charges))
	for i, c := range charges {
		if payments[i], err = s.withHistory(ctx, c); err != nil {
			return nil, err
		}
	}
	return payments, nil
}

func (s *Service) withHistory(ctx context.Context, c Charge) (Payment, error) {
	receipts, err := s.store.Receipts(ctx, c.ID, historyLimit)
	if err != nil {
		return Payment{}, fmt.Errorf("read receipts of payment %s: %w", c.ID, err)
	}
	transfers, err := s.store.Transfers(ctx, c.ID, historyLimit)
	if err != nil {
		return Payment{}, fmt.Errorf("read transfers of payment %s: %w", c.ID, err)
	}
	return Payment{Charge: c, Receipts: receipts, Transfers: transfers}, nil
}

// TakeReceipt takes money in that a payer sent, once an end-to-end id, or answers ErrNotFound.
func (s *Service) TakeReceipt(ctx context.Context, receipt Receipt) (Payment, error) {
	receipt.ReceivedAt = s.clock.Now()
	charge, err := s.store.TakeReceipt(ctx, receipt, s.clock.Now())
	if err != nil {
		return Payment{}, fmt.Errorf("take receipt %s: %w", receipt.EndToEndID, err)
	}
	return s.withHistory(ctx, charge)
}

// Notices returns charges that changed by themselves and were not yet acknowledged.
func (s *Service) Notices(ctx context.Context, limit int) ([]Charge, error) {
	charges, err := s.store.Notices(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("read notices: %w", err)
	}
	return charges, nil
}

// Ack acknowledges notices at the versions named.
func (s *Service) Ack(ctx context.Context, acks []Ack) error {
	if err := s.store.Ack(ctx, acks); err != nil {
		return fmt.Errorf("acknowledge %d notices: %w", len(acks), err)
	}
	return nil
}

// Totals sums the ledger.
func (s *Service) Totals(ctx context.Context) (Totals, error) {
	totals, err := s.store.Totals(ctx)
	if err != nil {
		return Totals{}, fmt.Errorf("sum the ledger: %w", err)
	}
	return totals, nil
}

// Books reads the charges of a range of orders, with what the ledger says of each.
func (s *Service) Books(ctx context.Context, r Range) ([]Book, error) {
	books, err := s.store.Books(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("read the books of orders: %w", err)
	}
	return books, nil
}

// Balance sums the ledger.
func (s *Service) Balance(ctx context.Context) (Balance, error) {
	balance, err := s.store.Balance(ctx)
	if err != nil {
		return Balance{}, fmt.Errorf("sum the ledger: %w", err)
	}
	return balance, nil
}

// Ready tells whether the service can work now.
func (s *Service) Ready(ctx context.Context) error { return s.store.Ping(ctx) }

// Wait returns when no call to the provider is under way, and what it said is saved. Call it after the last Charge, Close
// and Reconcile have returned.
func (s *Service) Wait() {
	s.behind.Wait()
	s.saveQueued(math.MaxInt)
}
