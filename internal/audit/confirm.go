package audit

import (
	"context"
	"fmt"
	"slices"
)

const (
	// maxSuspects bounds what is remembered of orders that look wrong, until they are read again.
	maxSuspects = 500
	// rereads is how often what looks wrong is read again. An order under way would have to be caught between two of its steps
	// each time, and always between the same two.
	rereads = 3
)

// suspect is an order that looks wrong.
type suspect struct {
	id       OrderID
	findings []Finding
}

// confirm reads the suspects again, each time after a while, and reports what was wrong every time.
func (a *auditor) confirm(ctx context.Context) error {
	left := a.suspects
	a.report.Reread += int64(len(left))
	for range rereads {
		if len(left) == 0 {
			break
		}
		if err := a.wait(ctx, a.Patience); err != nil {
			return err
		}
		var err error
		if left, err = a.reread(ctx, left); err != nil {
			return err
		}
	}
	a.report.Dismissed += int64(len(a.suspects) - len(left))
	for _, s := range left {
		a.found(s.findings...)
	}
	a.suspects = a.suspects[:0]
	return nil
}

func (a *auditor) reread(ctx context.Context, suspects []suspect) (left []suspect, err error) {
	for _, s := range suspects {
		now, err := a.look(ctx, s.id)
		if err != nil {
			return nil, err
		}
		still := slices.DeleteFunc(now, func(f Finding) bool {
			return !slices.ContainsFunc(s.findings, func(before Finding) bool { return before.Kind == f.Kind })
		})
		if len(still) > 0 {
			left = append(left, suspect{s.id, still})
		}
	}
	return left, nil
}

// look judges one order as it is now.
func (a *auditor) look(ctx context.Context, order OrderID) ([]Finding, error) {
	w := newWalk(a.Source, Range{From: order, Before: after(order)}, func(ctx context.Context) error { return ctx.Err() })
	f, more, err := w.next(ctx)
	if err != nil {
		return nil, fmt.Errorf("read order %s again: %w", order, err)
	}
	if !more {
		return nil, nil // what was there without an order is gone
	}
	return f.judge(a.Clock.Now(), a.Deadline), nil
}
