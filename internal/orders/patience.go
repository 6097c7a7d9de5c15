package orders

import (
	"context"
	"time"
)

// patientStore gives what drives orders a deadline when it asks the store: a database that has fallen silent would otherwise
// keep a stage, and everybody behind it, for as long as the network takes to notice, which may be a quarter of an hour. The
// outcome of such a call is unknown, as that of any that fails, and is found out by asking again.
type patientStore struct {
	Store
	patience time.Duration
}

// Place implements Store.
func (s patientStore) Place(ctx context.Context, placements []Placement) ([]Placing, error) {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	return s.Store.Place(ctx, placements)
}

// Save implements Store.
func (s patientStore) Save(ctx context.Context, changes []Change) ([]bool, error) {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	return s.Store.Save(ctx, changes)
}

// Get implements Store.
func (s patientStore) Get(ctx context.Context, ids []ID) ([]Order, error) {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	return s.Store.Get(ctx, ids)
}

// Claim implements Store.
func (s patientStore) Claim(ctx context.Context, now, leaseUntil time.Time, limit int) ([]Order, error) {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	return s.Store.Claim(ctx, now, leaseUntil, limit)
}
