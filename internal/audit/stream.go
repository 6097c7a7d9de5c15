package audit

import (
	"bytes"
	"context"
	"fmt"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// stream reads one service page by page and gives the rows out order by order.
type stream[T any] struct {
	name  string
	read  func(context.Context, Range) ([]T, OrderID, error)
	order func(*T) OrderID
	pause func(context.Context) error

	page  []T
	rest  Range
	done  bool // there is no page after this one
	last  OrderID
	count int64
}

// head is the order that comes next; false at the end.
func (s *stream[T]) head(ctx context.Context) (OrderID, bool, error) {
	for len(s.page) == 0 && !s.done {
		if err := s.turn(ctx); err != nil {
			return OrderID{}, false, err
		}
	}
	if len(s.page) == 0 {
		return OrderID{}, false, nil
	}
	return s.order(&s.page[0]), true, nil
}

func (s *stream[T]) turn(ctx context.Context) error {
	page, next, err := s.read(ctx, s.rest)
	if err != nil {
		return fmt.Errorf("read %s from order %s: %w", s.name, s.rest.From, err)
	}
	// Everything rests on the order: a page that goes back would let a hold miss its order.
	for i := range page {
		if at := s.order(&page[i]); compare(at, s.last) < 0 || compare(at, s.rest.From) < 0 {
			return fmt.Errorf("read %s: order %s comes after %s", s.name, at, s.last)
		} else {
			s.last = at
		}
	}
	if s.done = next.IsZero(); !s.done && compare(next, s.last) <= 0 {
		return fmt.Errorf("read %s: the page after order %s begins at %s", s.name, s.last, next)
	}
	s.page, s.rest.From = page, next
	s.count += int64(len(page))
	return s.pause(ctx)
}

// take gives out the rows of an order that head has named. They stand until the next call of head.
func (s *stream[T]) take(order OrderID) []T {
	n := 0
	for n < len(s.page) && s.order(&s.page[n]) == order {
		n++
	}
	taken := s.page[:n]
	s.page = s.page[n:]
	return taken
}

// walk is the three streams side by side.
type walk struct {
	orders  stream[Order]
	holds   stream[Hold]
	charges stream[Charge]
}

func newWalk(source Source, r Range, pause func(context.Context) error) *walk {
	return &walk{
		orders:  stream[Order]{name: "orders", read: source.Orders, order: func(o *Order) OrderID { return o.ID }, pause: pause, rest: r},
		holds:   stream[Hold]{name: "holds", read: source.Holds, order: func(h *Hold) OrderID { return h.OrderID }, pause: pause, rest: r},
		charges: stream[Charge]{name: "charges", read: source.Charges, order: func(c *Charge) OrderID { return c.OrderID }, pause: pause, rest: r},
	}
}

// next is all that is known of the next order; false at the end.
func (w *walk) next(ctx context.Context) (f facts, more bool, err error) {
	for _, head := range []func(context.Context) (OrderID, bool, error){w.orders.head, w.holds.head, w.charges.head} {
		at, some, err := head(ctx)
		if err != nil {
			return facts{}, false, err
		}
		if some && (!more || compare(at, f.id) < 0) {
			f.id, more = at, true
		}
	}
	if !more {
		return facts{}, false, nil
	}
	if orders := w.orders.take(f.id); len(orders) > 0 {
		f.order = &orders[0]
	}
	f.holds, f.charges = w.holds.take(f.id), w.charges.take(f.id)
	return f, true, nil
}

func compare(a, b OrderID) int { return bytes.Compare(a[:], b[:]) }

// after is the next id.
func after(order OrderID) OrderID {
	for i := len(order) - 1; i >= 0; i-- {
		if order[i]++; order[i] != 0 {
			break
		}
	}
	return order
}

// progressEvery is a page, about.
const progressEvery = 1000

// orders walks all that is old enough.
func (a *auditor) orders(ctx context.Context, until OrderID) error {
	rest := func(ctx context.Context) error { return a.wait(ctx, a.Pause) }
	w := newWalk(a.Source, Range{Before: until}, rest)
	for walked := 1; !a.full(); walked++ {
		f, more, err := w.next(ctx)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if findings := f.judge(a.Clock.Now(), a.Deadline); len(findings) > 0 {
			a.suspects = append(a.suspects, suspect{f.id, findings})
		}
		if len(a.suspects) >= maxSuspects {
			if err := a.confirm(ctx); err != nil {
				return err
			}
		}
		if walked%progressEvery == 0 {
			a.progress(w, f.id)
		}
	}
	if err := a.confirm(ctx); err != nil {
		return err
	}
	a.report.Orders, a.report.Holds, a.report.Charges = w.orders.count, w.holds.count, w.charges.count
	a.report.Truncated = a.report.Truncated || a.full()
	return nil
}

// horizon is the first order that is too young. It counts what is left out, up to a page of it: who audits right after an order
// has to hear why it is not there.
func (a *auditor) horizon(ctx context.Context) (OrderID, error) {
	a.report.PlacedBefore = a.Clock.Now().Add(-a.MinAge)
	from := id.Floor[Order](a.report.PlacedBefore)
	if a.MinAge == 0 {
		return from, nil
	}
	page, next, err := a.Source.Orders(ctx, Range{From: from})
	if err != nil {
		return OrderID{}, fmt.Errorf("count orders from %s: %w", from, err)
	}
	a.report.Younger, a.report.YoungerMore = int64(len(page)), !next.IsZero()
	return from, nil
}

func (a *auditor) progress(w *walk, at OrderID) {
	if a.Progress != nil {
		a.Progress(Progress{Orders: w.orders.count - int64(len(w.orders.page)), At: at.Time(), Suspects: len(a.suspects), Findings: len(a.report.Findings)})
	}
}
