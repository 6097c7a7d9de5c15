package sim

import (
	"context"
	"slices"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
	"github.com/pedidos-veloz/pedidos-veloz/internal/orders/peers"
)

// peerTimeout is how long an orders process waits for a peer, as the peers package does on the machine's clock.
const peerTimeout = 5 * time.Second

// send makes a call of process p over the network.
func (p *process) send(c call, do func() error) error {
	return p.guard(c, func() error {
		w := p.world
		began := w.clock.Now()
		w.meanwhile()
		err := w.travel(c, do)
		w.meanwhile()
		if err == nil && w.clock.Now().Sub(began) > peerTimeout {
			w.coverage.mishaps[tooSlow][c]++
			return errLost
		}
		return err
	})
}

// travel is the way there and back.
func (w *World) travel(c call, do func() error) error {
	switch {
	case w.cutThere[c], w.strikes(requestLost, c):
		if w.cutThere[c] {
			w.coverage.mishaps[partitioned][c]++
		}
		return errLost
	case w.strikes(delayed, c):
		w.later(w.upTo(w.cfg.lateness), func() {
			w.note("network", "late "+callNames[c]+" arrives", [16]byte{}, 0)
			_ = do() // whoever asked has given it up
		})
		return errLost
	case w.strikes(refused, c):
		return errAnswer
	}
	err := do()
	if w.strikes(duplicated, c) {
		w.meanwhile()
		err = do()
	}
	switch {
	case w.cutBack[c], w.strikes(answerLost, c):
		if w.cutBack[c] {
			w.coverage.mishaps[partitioned][c]++
		}
		return errLost
	case w.strikes(refusedAfter, c):
		return errAnswer
	}
	return err
}

// partition cuts one direction to one service for a while.
func (w *World) partition() {
	services := [][]call{{callHold, callRelease, callKnown}, {callCharge, callClose, callNotices, callAck}, {callReceipt}}
	cut, direction := services[w.rng.IntN(len(services))], &w.cutThere
	if w.rng.IntN(2) == 0 {
		direction = &w.cutBack
	}
	w.note("network", "cut", [16]byte{}, int64(cut[0]))
	for _, c := range cut {
		direction[c] = true
	}
	w.later(w.upTo(30*time.Second), func() {
		for _, c := range cut {
			direction[c] = false
		}
	})
}

// inventoryLink is orders.Inventory over the network.
type inventoryLink struct {
	p     *process
	inner *peers.Inventory
}

func (l inventoryLink) Hold(ctx context.Context, holds []orders.HoldRequest) (results []orders.HoldResult, err error) {
	err = l.p.send(callHold, func() (err error) { results, err = l.inner.Hold(ctx, holds); return err })
	return results, err
}

func (l inventoryLink) Release(ctx context.Context, releases []orders.ReleaseRequest) error {
	return l.p.send(callRelease, func() error { return l.inner.Release(ctx, releases) })
}

func (l inventoryLink) Known(ctx context.Context, skus []string) (known []string, err error) {
	err = l.p.send(callKnown, func() (err error) { known, err = l.inner.Known(ctx, skus); return err })
	return known, err
}

// paymentsLink is orders.Payments over the network.
type paymentsLink struct {
	p     *process
	inner *peers.Payments
}

func (l paymentsLink) Charge(ctx context.Context, charges []orders.ChargeRequest) (results []orders.ChargeResult, err error) {
	err = l.p.send(callCharge, func() (err error) { results, err = l.inner.Charge(ctx, charges); return err })
	return results, err
}

func (l paymentsLink) Close(ctx context.Context, closures []orders.CloseRequest) (results []orders.ChargeResult, err error) {
	err = l.p.send(callClose, func() (err error) { results, err = l.inner.Close(ctx, closures); return err })
	return results, err
}

func (l paymentsLink) Notices(ctx context.Context, limit int) (notices []orders.Notice, err error) {
	err = l.p.send(callNotices, func() (err error) { notices, err = l.inner.Notices(ctx, limit); return err })
	return notices, err
}

func (l paymentsLink) Ack(ctx context.Context, acks []orders.NoticeAck) error {
	return l.p.send(callAck, func() error { return l.inner.Ack(ctx, acks) })
}

// paymentsPeer hands a request to one of the payments processes.
type paymentsPeer struct{ w *World }

func (q paymentsPeer) ChargeBatch(ctx context.Context, request *paymentsapi.ChargeBatch) (results *paymentsapi.ChargeResults, err error) {
	if slices.ContainsFunc(request.Charges, func(c paymentsapi.Charge) bool { return c.Token.Or("") == tokenPoison }) {
		return nil, errAnswer
	}
	err = q.w.inPayments(func(p *process) (err error) { results, err = p.handler.ChargeBatch(ctx, request); return err })
	return results, err
}

func (q paymentsPeer) CloseBatch(ctx context.Context, request *paymentsapi.CloseBatch) (results *paymentsapi.ChargeResults, err error) {
	err = q.w.inPayments(func(p *process) (err error) { results, err = p.handler.CloseBatch(ctx, request); return err })
	return results, err
}

func (q paymentsPeer) ListNotices(ctx context.Context, params paymentsapi.ListNoticesParams) (list *paymentsapi.NoticeList, err error) {
	err = q.w.inPayments(func(p *process) (err error) { list, err = p.handler.ListNotices(ctx, params); return err })
	return list, err
}

func (q paymentsPeer) AckNotices(ctx context.Context, request *paymentsapi.NoticeAcks) error {
	return q.w.inPayments(func(p *process) error { return p.handler.AckNotices(ctx, request) })
}
