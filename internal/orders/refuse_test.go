package orders

import (
	"errors"
	"testing"
	"time"
)

// TestRefusalIsNeverAnsweredAsAnOrder: who hears that an order's storing is over sees at once that it was refused. In
// between, an asynchronous caller was answered 202 with an order that nobody has; crashes of a database found it.
func TestRefusalIsNeverAnsweredAsAnOrder(t *testing.T) {
	t.Parallel()
	s := &Saga{board: newBoard()}
	end := time.Now().Add(5 * time.Second) // on a machine without a second processor to spare, each turn takes a while
	for i := 0; i < 5000 && time.Now().Before(end); i++ {
		f := newFlight(Order{})
		f.durable = make(chan struct{})
		s.inFlight.Add(1)
		go s.refuse(f, ErrNotStored)
		for over := false; !over; { // spinning, to be as early as anybody can be
			select {
			case <-f.durable:
				over = true
			default:
			}
		}
		if _, err := (Ticket{f, s}).Result(); !errors.Is(err, ErrNotStored) {
			t.Fatalf("the refused order was answered with the error %v", err)
		}
	}
}
