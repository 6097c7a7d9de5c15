package linear_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// The size of a history. More than eight clients a SKU are more than the checker can think through.
const (
	clients   = 8
	callsEach = 24
	skus      = 2
	rounds    = 32 // a SKU; two of them are one order's
	stock     = 6
	// patience of the checker: without a verdict in this time the history is no proof, and the test fails.
	patience = time.Minute
)

// faults are what makes outcomes unknown.
type faults struct {
	// cancel is how many calls in a hundred are given up by their caller while they are under way.
	cancel int
	// kill breaks connections of the stores to their server; nil where there are none. It is called for one call in forty.
	kill func(context.Context) error
}

// world is one history under way: clients that call instances of the service, which share a database.
type world struct {
	t         *testing.T
	seed      uint64
	instances []*inventory.Service
	faults    faults
	names     [skus]inventory.SKU
	orders    [skus][rounds / 2]inventory.OrderID
	before    state

	began time.Time
	calls atomic.Int64

	mu        sync.Mutex
	histories [skus][]porcupine.Operation
	unknown   int
}

// newOrderID makes an id: inventory takes its orders as they come.
func newOrderID(ids *id.Source) inventory.OrderID { return inventory.OrderID(id.New[struct{}](ids)) }

func newWorld(t *testing.T, seed uint64, stores []inventory.Store, f faults) *world {
	t.Helper()
	ids := id.SystemSource()
	w := &world{t: t, seed: seed, faults: f, before: state{onHand: stock, rounds: freshRounds(rounds)}}
	for _, store := range stores {
		w.instances = append(w.instances, inventory.New(store, clock.System{}, ids))
	}
	for i := range w.names {
		w.names[i] = inventory.SKU("SKU-" + newOrderID(ids).String())
		for k := range w.orders[i] {
			w.orders[i][k] = newOrderID(ids)
		}
		if _, err := w.instances[0].PutItem(t.Context(), inventory.Item{SKU: w.names[i], Name: "Café", Price: 1}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.instances[0].Adjust(t.Context(), w.adjustment(i, stock, math.MaxUint64)); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// run makes the histories and has them checked. It tells how many calls of how many had an unknown outcome.
func (w *world) run() (results [skus]porcupine.CheckResult, unknown, calls int) {
	w.began = time.Now()
	var wg sync.WaitGroup
	for number := range clients {
		c := &client{world: w, number: number, service: w.instances[number%len(w.instances)], random: rand.New(rand.NewPCG(w.seed, uint64(number)))}
		wg.Go(c.live)
	}
	wg.Wait()
	last := &client{world: w, number: clients, service: w.instances[0]}
	for i := range w.names {
		last.read(w.t.Context(), i)
	}
	for i := range w.names {
		results[i] = w.check(i)
		calls += len(w.histories[i])
	}
	return results, w.unknown, calls
}

func (w *world) check(sku int) porcupine.CheckResult {
	m := model(w.before)
	noteShut(w.histories[sku])
	result, info := porcupine.CheckOperationsVerbose(m, w.histories[sku], patience)
	if keep := os.Getenv("LINEAR_PICTURES"); result == porcupine.Illegal && keep != "" {
		if err := porcupine.VisualizePath(m, info, fmt.Sprintf("%s/%s.html", keep, w.names[sku])); err != nil {
			w.t.Error(err)
		}
	}
	return result
}

// noteShut notes of each hold which of its rounds were released while it was under way.
func noteShut(history []porcupine.Operation) {
	for i := range history {
		question := history[i].Input.(asked)
		if question.kind != hold {
			continue
		}
		question.shut = make(map[int]bool)
		for _, other := range history {
			if o := other.Input.(asked); o.kind == release && other.Call < history[i].Return && other.Return > history[i].Call {
				for _, round := range o.rounds {
					question.shut[round] = true
				}
			}
		}
		history[i].Input = question
	}
}

// client makes one call after the other. After one whose outcome is unknown it does nothing more: that call stays open to
// the end, and more than eight open calls cannot be checked.
type client struct {
	*world
	number  int
	service *inventory.Service
	random  *rand.Rand
	gone    bool
}

func (c *client) live() {
	for range callsEach {
		if c.gone {
			return
		}
		if c.faults.kill != nil && c.calls.Add(1)%40 == 0 {
			if err := c.faults.kill(c.t.Context()); err != nil {
				c.t.Errorf("kill a connection: %v", err)
			}
		}
		c.call()
	}
}

func (c *client) call() {
	ctx, cancel := context.WithCancel(c.t.Context())
	defer cancel()
	if c.random.IntN(100) < c.faults.cancel {
		// Before, within and after the time that a call takes: where it hits is the fault's business.
		defer time.AfterFunc(time.Duration(c.random.ExpFloat64()*float64(time.Millisecond)), cancel).Stop()
	}
	sku := c.random.IntN(skus)
	switch die := c.random.IntN(100); {
	case die < 45:
		c.hold(ctx)
	case die < 65:
		c.release(ctx)
	case die < 75:
		c.adjust(ctx, sku)
	default:
		c.read(ctx, sku)
	}
}

// record notes a call for the SKUs that it was about, whose answers are in the same order.
func (c *client) record(begun time.Duration, err error, about []int, questions []asked, answers []answered) {
	ended := time.Since(c.began)
	if err != nil && !fault.IsTransient(err) {
		c.t.Errorf("seed %d: a call failed for good: %v", c.seed, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.gone = true
		c.unknown++
		ended = math.MaxInt64
	}
	for i, sku := range about {
		if err != nil {
			answers[i] = answered{unknown: true}
		}
		c.histories[sku] = append(c.histories[sku], porcupine.Operation{ClientId: c.number, Input: questions[i], Call: int64(begun), Output: answers[i], Return: int64(ended)})
	}
}

// someRounds are up to three rounds, of any SKU, in the order of their call; a batch may name one twice.
func (c *client) someRounds() (chosen [][2]int) {
	for range 1 + c.random.IntN(3) {
		chosen = append(chosen, [2]int{c.random.IntN(skus), c.random.IntN(rounds)})
	}
	return chosen
}

// bySKU splits a batch's rounds by SKU.
func bySKU(k kind, chosen [][2]int) (about []int, questions []asked) {
	for sku := range skus {
		question := asked{kind: k}
		for _, c := range chosen {
			if c[0] == sku {
				question.rounds = append(question.rounds, c[1])
			}
		}
		if len(question.rounds) > 0 {
			about, questions = append(about, sku), append(questions, question)
		}
	}
	return about, questions
}

func (c *client) hold(ctx context.Context) {
	chosen := c.someRounds()
	holds := make([]inventory.Hold, len(chosen))
	for i, at := range chosen {
		holds[i] = inventory.Hold{OrderID: c.orders[at[0]][at[1]/2], Round: 1 + at[1]%2, Lines: []inventory.Line{{SKU: c.names[at[0]], Quantity: unitsOf(at[1])}}}
	}
	about, questions := bySKU(hold, chosen)
	answers := make([]answered, len(about))
	begun := time.Since(c.began)
	results, err := c.service.Hold(ctx, holds)
	for i, sku := range about {
		for k, r := range results {
			if chosen[k][0] != sku {
				continue
			}
			v := verdict{verdict: r.Verdict}
			if r.Verdict == inventory.OutOfStock {
				v.available = r.Shortages[0].Available
			}
			answers[i].verdicts = append(answers[i].verdicts, v)
		}
	}
	c.record(begun, err, about, questions, answers)
}

func (c *client) release(ctx context.Context) {
	chosen := c.someRounds()
	releases := make([]inventory.Release, len(chosen))
	for i, at := range chosen {
		releases[i] = inventory.Release{OrderID: c.orders[at[0]][at[1]/2], Round: 1 + at[1]%2, Reason: "canceled"}
	}
	about, questions := bySKU(release, chosen)
	begun := time.Since(c.began)
	err := c.service.Release(ctx, releases)
	c.record(begun, err, about, questions, make([]answered, len(about)))
}

func (w *world) adjustment(sku int, delta int64, number uint64) inventory.NewAdjustment {
	key := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(w.names[sku]), number))
	return inventory.NewAdjustment{Key: key, Fingerprint: key, Adjustment: inventory.Adjustment{SKU: w.names[sku], Delta: delta, Reason: "count"}}
}

func (c *client) adjust(ctx context.Context, sku int) {
	delta := []int64{-3, -1, 1, 2}[c.random.IntN(4)]
	request := c.adjustment(sku, delta, c.random.Uint64())
	begun := time.Since(c.began)
	made, err := c.service.Adjust(ctx, request)
	answer := answered{onHand: made.OnHand, refused: errors.Is(err, inventory.ErrHeldUnits)}
	if answer.refused {
		err = nil
	}
	c.record(begun, err, []int{sku}, []asked{{kind: adjust, delta: delta}}, []answered{answer})
}

func (c *client) read(ctx context.Context, sku int) {
	begun := time.Since(c.began)
	item, err := c.service.Item(ctx, c.names[sku])
	c.record(begun, err, []int{sku}, []asked{{kind: read}}, []answered{{onHand: item.OnHand, held: item.Held}})
}
