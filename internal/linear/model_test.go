package linear_test

import (
	"fmt"
	"strings"

	"github.com/anishathalye/porcupine"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
)

// kind is what a call asks of one SKU.
type kind int

const (
	hold kind = iota + 1
	release
	adjust
	read
)

// asked is a call, as far as one SKU is concerned. Rounds are named by their places in state.rounds.
type asked struct {
	kind   kind
	rounds []int // of holds and releases, in the order of the call
	// shut are those rounds of a hold that somebody released while the hold was under way. A refusal does not wait for that:
	// it may say that there was too little, whether the door was shut a moment before or not. Neither holds anything.
	shut  map[int]bool
	delta int64 // of an adjustment
}

// answered is what the call said.
type answered struct {
	// unknown: the call failed, and nobody knows whether it took effect, or will. It stays open to the end of its history,
	// so that the checker may let it happen at any time; at the very end is the same as never.
	unknown  bool
	verdicts []verdict // of holds
	refused  bool      // of an adjustment
	onHand   int64     // of an adjustment and a read
	held     int64     // of a read
}

// verdict is the answer to one hold; available is what was left when it was out of stock.
type verdict struct {
	verdict   inventory.Verdict
	available int64
}

// What a state knows of a round.
const (
	fresh    = '.'
	held     = 'h'
	released = 'r'
)

// state is one SKU as the specification has it: a few numbers, and no store. Rounds are a string so that states compare.
type state struct {
	onHand, held int64
	rounds       string
}

// unitsOf is what a round asks for: always the same, as an order does not change.
func unitsOf(round int) int64 { return 1 + int64(round%3) }

// model is the specification of one SKU's stock: calls happen one at a time.
func model(before state) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return before },
		Step: func(s, in, out any) (bool, any) {
			ok, next := s.(state).step(in.(asked), out.(answered))
			return ok, next
		},
		DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v: %+v", in, out) },
		DescribeState:     func(s any) string { return fmt.Sprintf("%+v", s) },
	}
}

// step tells whether the specification could have answered so, and what the stock is then.
func (s state) step(in asked, out answered) (bool, state) {
	switch in.kind {
	case hold:
		var want []verdict
		s, want = s.hold(in.rounds)
		return out.unknown || in.accepts(out.verdicts, want), s
	case release:
		for _, round := range in.rounds {
			s = s.release(round)
		}
		return true, s
	case adjust:
		if in.delta < s.held-s.onHand {
			return out.unknown || out.refused, s
		}
		s.onHand += in.delta
		return out.unknown || !out.refused && out.onHand == s.onHand, s
	default:
		return out.unknown || out.onHand == s.onHand && out.held == s.held, s
	}
}

// hold decides first come, first served, and tells of each round also what was left then.
func (s state) hold(rounds []int) (state, []verdict) {
	verdicts := make([]verdict, len(rounds))
	for i, round := range rounds {
		available := s.onHand - s.held
		switch {
		case s.rounds[round] == held:
			verdicts[i].verdict = inventory.Held
		case s.rounds[round] == released:
			verdicts[i] = verdict{inventory.Released, available}
		case unitsOf(round) > available:
			verdicts[i] = verdict{inventory.OutOfStock, available}
		default:
			verdicts[i].verdict = inventory.Held
			s.held += unitsOf(round)
			s = s.mark(round, held)
		}
	}
	return s, verdicts
}

func (s state) release(round int) state {
	if s.rounds[round] == held {
		s.held -= unitsOf(round)
	}
	return s.mark(round, released)
}

func (s state) mark(round int, as byte) state {
	s.rounds = s.rounds[:round] + string(rune(as)) + s.rounds[round+1:]
	return s
}

// accepts tells whether a hold may have been answered so.
func (in asked) accepts(got, want []verdict) bool {
	if len(got) != len(want) {
		return false
	}
	for i, w := range want {
		tooFew := w.verdict == inventory.Released && unitsOf(in.rounds[i]) > w.available
		switch {
		case got[i] == verdict{inventory.OutOfStock, w.available} && tooFew && in.shut[in.rounds[i]]:
		case got[i].verdict != w.verdict, w.verdict == inventory.OutOfStock && got[i].available != w.available:
			return false
		}
	}
	return true
}

func freshRounds(n int) string { return strings.Repeat(string(rune(fresh)), n) }
