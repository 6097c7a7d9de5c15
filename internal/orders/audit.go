package orders

import "time"

// Range picks orders by id, From inclusive and Before exclusive; zero values leave an end open.
type Range struct {
	From, Before ID
	Limit        int
}

// State is what became of an order, without what was asked for: what an audit reads of millions.
type State struct {
	ID            ID
	Status        Status
	PaymentStatus PaymentStatus
	Progress
	Version       int64
	NextAttemptAt time.Time // zero: never
	UpdatedAt     time.Time
}

// Resting tells whether the order needs nothing now.
func (s *State) Resting(now time.Time) bool {
	if s.Status == AwaitingPayment && s.Pix == nil {
		return false // there is nothing to pay: no order should stand so
	}
	o := Order{Status: s.Status, Progress: s.Progress}
	return o.Next(now) == StepNone
}

// StateOf is what a State keeps of an order.
func StateOf(o *Order) State {
	return State{ID: o.ID, Status: o.Status, PaymentStatus: o.PaymentStatus, Progress: o.Progress, Version: o.Version,
		NextAttemptAt: o.NextAttemptAt, UpdatedAt: o.UpdatedAt}
}

// State reads the stored form; of a row, only what StateRow writes.
func (r Row) State() (State, error) {
	r.Request = []byte(`{}`)
	o, err := r.Order()
	return StateOf(&o), err
}
