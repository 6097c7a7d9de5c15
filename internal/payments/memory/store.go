// Package memory keeps payments in memory: the store of the simulation. It passes the conformance suite of the real engines.
package memory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

type receipt struct {
	payments.Receipt
	due time.Time // zero: never
}

// Store implements payments.Store.
type Store struct {
	mu        sync.Mutex
	closed    bool
	charges   map[payments.ID]payments.Charge
	receipts  map[string]receipt
	transfers map[payments.ID][]payments.Transfer
	totals    payments.Totals
}

var _ payments.Store = (*Store)(nil)

// New makes an empty store.
func New() *Store {
	return &Store{charges: make(map[payments.ID]payments.Charge), receipts: make(map[string]receipt), transfers: make(map[payments.ID][]payments.Transfer)}
}

// begin locks the store for a transaction; the caller unlocks it unless there is an error.
func (s *Store) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.Transient(err)
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errors.New("store is closed")
	}
	return nil
}

// Create implements payments.Store.
func (s *Store) Create(ctx context.Context, charges []payments.Charge) ([]payments.Created, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	for i := range charges {
		if err := check(&charges[i], nil); err != nil {
			return nil, err
		}
	}
	created := make([]payments.Created, len(charges))
	for i, c := range charges {
		stored, ok := s.charges[c.ID]
		if !ok {
			s.charges[c.ID], stored = c, c
		}
		created[i] = payments.Created{Charge: stored, New: !ok}
	}
	return created, nil
}

// Save implements payments.Store.
func (s *Store) Save(ctx context.Context, changes []payments.Change) ([]bool, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	saved := make([]bool, len(changes))
	for i := range changes {
		stored, ok := s.charges[changes[i].Charge.ID]
		if saved[i] = ok && stored.Version == changes[i].Charge.Version-1; !saved[i] {
			continue
		}
		if err := check(&changes[i].Charge, changes[i].Transfers); err != nil {
			return nil, err
		}
	}
	for i, change := range changes {
		if saved[i] {
			s.write(change)
		}
	}
	return saved, nil
}

var statuses = []payments.Status{payments.Processing, payments.Pending, payments.Paid, payments.Declined, payments.Unknown,
	payments.Voided, payments.Refunding, payments.Refunded}

// check refuses what the schemas refuse.
func check(c *payments.Charge, transfers []payments.Transfer) error {
	if c.Amount < 0 || c.Received < 0 || c.Refunded < 0 || c.Refunded > c.Received || c.Version < 1 || c.Attempts < 0 ||
		c.Method != payments.Card && c.Method != payments.Pix || !slices.Contains(statuses, c.Status) {
		return fmt.Errorf("charge %s is not one: %s, %s, %d received and %d refunded of %d, version %d", c.ID, c.Method, c.Status,
			c.Received, c.Refunded, c.Amount, c.Version)
	}
	for _, t := range transfers {
		if t.Number < 1 || t.Amount <= 0 || t.Debit == t.Credit {
			return fmt.Errorf("transfer %d of charge %s is not one: %d from %s to %s", t.Number, t.PaymentID, t.Amount, t.Credit, t.Debit)
		}
	}
	return nil
}

func (s *Store) write(change payments.Change) {
	id := change.Charge.ID
	s.charges[id] = change.Charge
	s.transfers[id] = append(s.transfers[id], change.Transfers...)
	for _, t := range change.Transfers {
		s.totals.Add(t)
	}
}

// Get implements payments.Store.
func (s *Store) Get(ctx context.Context, ids []payments.ID) ([]payments.Charge, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	found := make([]payments.Charge, 0, len(ids))
	for _, i := range slices.Compact(slices.SortedFunc(slices.Values(ids), func(a, b payments.ID) int { return bytes.Compare(a[:], b[:]) })) {
		if c, ok := s.charges[i]; ok {
			found = append(found, c)
		}
	}
	return found, nil
}

// ByOrder implements payments.Store.
func (s *Store) ByOrder(ctx context.Context, order payments.OrderID) ([]payments.Charge, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	return s.where(func(c payments.Charge) bool { return c.OrderID == order }), nil
}

// where returns the charges that keep wants, by id. The store is locked.
func (s *Store) where(keep func(payments.Charge) bool) (found []payments.Charge) {
	for _, c := range s.charges {
		if keep(c) {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b payments.Charge) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return found
}

// Receipts implements payments.Store.
func (s *Store) Receipts(ctx context.Context, id payments.ID, limit int) (found []payments.Receipt, err error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	for _, r := range s.receipts {
		if r.PaymentID == id {
			found = append(found, r.Receipt)
		}
	}
	slices.SortFunc(found, func(a, b payments.Receipt) int {
		return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), cmp.Compare(a.EndToEndID, b.EndToEndID))
	})
	return found[max(0, len(found)-limit):], nil
}

// Transfers implements payments.Store.
func (s *Store) Transfers(ctx context.Context, id payments.ID, limit int) ([]payments.Transfer, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	all := s.transfers[id]
	return slices.Clone(all[max(0, len(all)-limit):]), nil
}

// Claim implements payments.Store.
func (s *Store) Claim(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payments.Charge, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	due := s.where(func(c payments.Charge) bool { return !c.NextAttemptAt.IsZero() && !c.NextAttemptAt.After(now) })
	slices.SortStableFunc(due, func(a, b payments.Charge) int { return a.NextAttemptAt.Compare(b.NextAttemptAt) })
	due = due[:min(limit, len(due))]
	for i := range due {
		due[i].Version++
		due[i].NextAttemptAt = leaseUntil
		s.charges[due[i].ID] = due[i]
	}
	return due, nil
}

// TakeReceipt implements payments.Store.
func (s *Store) TakeReceipt(ctx context.Context, incoming payments.Receipt, now time.Time) (payments.Charge, error) {
	if err := s.begin(ctx); err != nil {
		return payments.Charge{}, err
	}
	defer s.mu.Unlock()
	charge, ok := s.charges[incoming.PaymentID]
	if !ok {
		return payments.Charge{}, payments.ErrNotFound
	}
	if known, ok := s.receipts[incoming.EndToEndID]; ok {
		return s.charges[known.PaymentID], nil
	}
	change, taken := charge.Take(incoming, now)
	s.write(change)
	stored := receipt{Receipt: taken}
	if taken.Status == payments.Surplus {
		stored.due = now
	}
	s.receipts[taken.EndToEndID] = stored
	return change.Charge, nil
}

// ClaimSurplus implements payments.Store.
func (s *Store) ClaimSurplus(ctx context.Context, now, leaseUntil time.Time, limit int) (claimed []payments.Receipt, err error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var due []receipt
	for _, r := range s.receipts {
		if !r.due.IsZero() && !r.due.After(now) {
			due = append(due, r)
		}
	}
	slices.SortFunc(due, func(a, b receipt) int {
		return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.EndToEndID, b.EndToEndID))
	})
	for _, r := range due[:min(limit, len(due))] {
		r.due = leaseUntil
		s.receipts[r.EndToEndID] = r
		claimed = append(claimed, r.Receipt)
	}
	return claimed, nil
}

// GiveBack implements payments.Store.
func (s *Store) GiveBack(ctx context.Context, given payments.Receipt, now time.Time) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	stored, ok := s.receipts[given.EndToEndID]
	if !ok {
		return payments.ErrNotFound
	}
	if stored.Status != payments.Surplus {
		return nil
	}
	change, refunded := s.charges[stored.PaymentID].GiveBack(stored.Receipt, now)
	s.write(change)
	s.receipts[given.EndToEndID] = receipt{Receipt: refunded}
	return nil
}

// Notices implements payments.Store.
func (s *Store) Notices(ctx context.Context, limit int) ([]payments.Charge, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	noticed := s.where(func(c payments.Charge) bool { return c.Notice })
	return noticed[:min(limit, len(noticed))], nil
}

// Ack implements payments.Store.
func (s *Store) Ack(ctx context.Context, acks []payments.Ack) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	for _, ack := range acks {
		if c, ok := s.charges[ack.ID]; ok && c.Version == ack.Version {
			c.Notice = false
			s.charges[ack.ID] = c
		}
	}
	return nil
}

// Totals implements payments.Store.
func (s *Store) Totals(ctx context.Context) (payments.Totals, error) {
	if err := s.begin(ctx); err != nil {
		return payments.Totals{}, err
	}
	defer s.mu.Unlock()
	totals := s.totals
	for _, c := range s.charges {
		if c.Status == payments.Unknown {
			totals.Unknown++
			if totals.OldestUnknown.IsZero() || c.CreatedAt.Before(totals.OldestUnknown) {
				totals.OldestUnknown = c.CreatedAt
			}
		}
	}
	return totals, nil
}

// Fold implements payments.Store. The sums are kept as one.
func (s *Store) Fold(context.Context) (more bool, err error) { return false, nil }

// Charges are all charges, by id, for an auditor.
func (s *Store) Charges() []payments.Charge {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.where(func(payments.Charge) bool { return true })
}

// Ping implements payments.Store.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	s.mu.Unlock()
	return nil
}

// Close implements payments.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}
