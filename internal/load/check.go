package load

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Truth is what the platform says after the run, compared with what it said during it.
type Truth struct {
	// Complete: every order of the run was listed; otherwise acknowledged ones were sampled, as Config.ReadBack bounds.
	Complete     bool     `json:"complete"`
	Acknowledged int64    `json:"acknowledged"`
	ReadBack     int64    `json:"read_back"`
	Missing      int64    `json:"missing"`
	Different    int64    `json:"different"`
	Doubled      int64    `json:"doubled"`
	Unasked      int64    `json:"unasked"` // orders of the run that nobody was told of, though every answer came
	Unknown      int64    `json:"unknown"` // placements without an answer
	Resolved     int64    `json:"unknown_and_there"`
	Unsettled    int64    `json:"unsettled"` // orders that are not decided Config.SettleWithin after the run
	SKUs         int64    `json:"skus_checked"`
	WrongStock   int64    `json:"skus_with_wrong_stock"`
	Oversold     int64    `json:"skus_oversold"`
	UnitsHeld    int64    `json:"units_held"`
	Problems     []string `json:"problems,omitempty"`   // the first few
	BrokenOff    bool     `json:"broken_off,omitempty"` // the check did not come to its end: more may be wrong
	Seconds      float64  `json:"took_seconds"`
}

// OK tells whether everything was looked at, and nothing is wrong.
func (t Truth) OK() bool { return !t.Wrong() && !t.BrokenOff }

// Wrong tells whether something was found.
func (t Truth) Wrong() bool {
	return t.Missing+t.Different+t.Doubled+t.Unasked+t.Unsettled+t.WrongStock+t.Oversold > 0 || len(t.Problems) > 0
}

func (t *Truth) problem(count *int64, format string, args ...any) {
	const few = 20
	if count != nil {
		*count++
	}
	if len(t.Problems) < few {
		t.Problems = append(t.Problems, fmt.Sprintf(format, args...))
	}
}

// The bounds of a check.
const (
	checkTimeout = 10 * time.Minute
	skusAtMost   = 20_000 // of more, this many are sampled
)

// checker compares.
type checker struct {
	*run
	truth   Truth
	ledger  map[[16]byte]*acknowledged
	byOrder map[uint64][16]byte // the id of each listed order, by its number
	unknown map[uint64]bool
	// least and most are the units of each SKU that the run's orders hold.
	least, most []int64
}

// check waits until the run's orders are decided, and compares orders and stock with what the buyers were told.
func (r *run) check(ctx context.Context, buyers []*buyer) (*Truth, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	began := time.Now()
	c := r.newChecker(buyers)
	fmt.Fprintf(r.cfg.Log, "checking %d acknowledged orders and the stock\n", c.truth.Acknowledged)
	err := c.settle(ctx)
	if err == nil {
		err = c.orders(ctx)
	}
	if err == nil {
		err = c.stock(ctx)
	}
	c.truth.Seconds = time.Since(began).Seconds()
	if err != nil {
		c.truth.BrokenOff = true
		return &c.truth, fmt.Errorf("check the truth: %w", err)
	}
	return &c.truth, nil
}

func (r *run) newChecker(buyers []*buyer) *checker {
	c := &checker{run: r, ledger: map[[16]byte]*acknowledged{}, byOrder: map[uint64][16]byte{}, unknown: map[uint64]bool{},
		least: make([]int64, r.cfg.SKUs), most: make([]int64, r.cfg.SKUs)}
	for _, problem := range r.recorder.protocol {
		c.truth.problem(nil, "%s", problem)
	}
	for _, b := range buyers {
		for i := range b.ledger {
			entry := &b.ledger[i]
			if other, twice := c.ledger[entry.id]; twice {
				c.truth.problem(&c.truth.Doubled, "order %s answered two placements: %d and %d", uuidText(entry.id), other.number, entry.number)
			}
			c.ledger[entry.id] = entry
		}
		for _, n := range b.unknown {
			c.unknown[n] = true
		}
	}
	c.truth.Acknowledged, c.truth.Unknown = int64(len(c.ledger)), int64(len(c.unknown))
	c.truth.Complete = len(c.ledger) <= r.cfg.ReadBack
	return c
}

// order is what of an order matters here.
type order struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Customer struct {
		Email string `json:"email"`
	} `json:"customer"`
	Items []struct {
		SKU      string `json:"sku"`
		Quantity int64  `json:"quantity"`
	} `json:"items"`
	Total int64 `json:"total_cents"`
}

// list calls visit for the run's orders of a status, newest first.
func (c *checker) list(ctx context.Context, conn *conn, status string, visit func(order)) error {
	const margin = 5 * time.Second // between the clocks of two services
	query := url.Values{"status": {status}, "limit": {"100"}, "created_after": {c.before.serverTime.Add(-margin).UTC().Format(time.RFC3339Nano)}}
	for ctx.Err() == nil {
		var page struct {
			Data []order `json:"data"`
			Next string  `json:"next_cursor"`
		}
		if err := c.fetch(conn, c.target.request("GET", "/v1/orders?"+query.Encode(), "", ""), &page); err != nil {
			return err
		}
		for _, o := range page.Data {
			if _, ours := c.shop.numberOf(o.Customer.Email); ours {
				visit(o)
			}
		}
		if page.Next == "" {
			return nil
		}
		query.Set("cursor", page.Next)
	}
	return ctx.Err()
}

// lookAgain is how long the check waits before it looks again at what is on its way.
const lookAgain = 250 * time.Millisecond

// settle waits until no order of the run is on its way.
func (c *checker) settle(ctx context.Context) error {
	conn := &conn{target: &c.target}
	defer conn.close()
	for deadline := time.Now().Add(c.cfg.SettleWithin); ; {
		var moving []order
		for _, status := range []string{"placed", "held"} {
			if err := c.list(ctx, conn, status, func(o order) { moving = append(moving, o) }); err != nil {
				return err
			}
		}
		if len(moving) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			for _, o := range moving {
				c.truth.problem(&c.truth.Unsettled, "order %s is still %s", o.ID, o.Status)
			}
			return nil
		}
		if !until(ctx, time.Now().Add(lookAgain)) {
			return ctx.Err()
		}
	}
}

// orders reads back: the whole list, and one by one what it lacks; or a sample.
func (c *checker) orders(ctx context.Context) error {
	if !c.truth.Complete {
		return c.sample(ctx)
	}
	conn := &conn{target: &c.target}
	defer conn.close()
	for _, status := range []string{"placed", "held", "confirmed", "awaiting_payment", "completed", "canceled"} {
		if err := c.list(ctx, conn, status, c.listed); err != nil {
			return err
		}
	}
	var absent []*acknowledged
	for id, entry := range c.ledger {
		if c.byOrder[entry.number] != id {
			absent = append(absent, entry)
		}
	}
	return c.readOneByOne(ctx, absent)
}

// listed takes one order of the list in.
func (c *checker) listed(o order) {
	number, _ := c.shop.numberOf(o.Customer.Email)
	var id [16]byte
	if !parseID(&id, []byte(o.ID)) {
		c.truth.problem(&c.truth.Different, "order %q has no id that can be read", o.ID)
		return
	}
	if other, twice := c.byOrder[number]; twice && other != id {
		c.truth.problem(&c.truth.Doubled, "placement %d made two orders: %s and %s", number, uuidText(other), o.ID)
	}
	c.byOrder[number] = id
	if holds(o.Status) {
		for _, item := range o.Items {
			if i, ok := c.shop.index(item.SKU); ok {
				c.least[i] += item.Quantity
				c.most[i] += item.Quantity
			}
		}
	}
	switch entry := c.ledger[id]; {
	case entry != nil:
		c.truth.ReadBack++
		c.compare(*entry, o)
	case c.unknown[number]:
		c.truth.Resolved++
	default:
		c.truth.problem(&c.truth.Unasked, "order %s is %s, and its buyer was not told", o.ID, o.Status)
	}
}

func holds(status string) bool {
	return status == "held" || status == "confirmed" || status == "awaiting_payment" || status == "completed"
}

// sample reads Config.ReadBack acknowledged orders, and takes the buyers' word for what the others hold.
func (c *checker) sample(ctx context.Context) error {
	every := (len(c.ledger) + c.cfg.ReadBack - 1) / c.cfg.ReadBack
	var picked []*acknowledged
	count := 0
	for _, entry := range c.ledger {
		c.expect(entry.number, entry.standing == confirmed || entry.standing == awaiting, entry.standing != canceled)
		if count++; count%every == 0 {
			picked = append(picked, entry)
		}
	}
	for n := range c.unknown {
		c.expect(n, false, true)
	}
	return c.readOneByOne(ctx, picked)
}

// expect counts the units of order n in: those it surely holds, and those it may hold.
func (c *checker) expect(n uint64, surely, maybe bool) {
	for _, i := range c.shop.picks(n, nil) {
		if surely {
			c.least[i]++
		}
		if maybe {
			c.most[i]++
		}
	}
}

// readOneByOne compares orders by their ids. Of a complete list only those are left that it lacks.
func (c *checker) readOneByOne(ctx context.Context, entries []*acknowledged) error {
	found := make([]order, len(entries))
	err := c.each(ctx, len(entries), func(conn *conn, i int) error {
		err := c.fetch(conn, c.target.request("GET", "/v1/orders/"+uuidText(entries[i].id), "", ""), &found[i])
		if errors.Is(err, errNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	for i, entry := range entries {
		if found[i].ID == "" {
			c.truth.problem(&c.truth.Missing, "order %s was acknowledged and is not there", uuidText(entry.id))
			continue
		}
		c.truth.ReadBack++
		c.compare(*entry, found[i])
	}
	return nil
}

// compare holds an order against its acknowledgement.
func (c *checker) compare(entry acknowledged, o order) {
	want := c.shop.picks(entry.number, nil)
	total := int64(0)
	same := len(want) == len(o.Items)
	for k, i := range want {
		total += c.before.items[i].Price
		same = same && o.Items[k].SKU == c.shop.sku(i) && o.Items[k].Quantity == 1
	}
	switch {
	case !same:
		c.truth.problem(&c.truth.Different, "order %s has other items than were ordered: %v", o.ID, o.Items)
	case holds(o.Status) && o.Status != "held" && o.Total != total:
		c.truth.problem(&c.truth.Different, "order %s costs %d instead of %d cents", o.ID, o.Total, total)
	case !entry.standing.allows(o.Status):
		c.truth.problem(&c.truth.Different, "order %s is %s after its buyer was told %s", o.ID, o.Status, entry.standing)
	}
}

// allows tells whether an order may have this status after the run.
func (s standing) allows(status string) bool {
	switch s {
	case confirmed:
		return status == "confirmed" || status == "completed"
	case awaiting:
		return status == "awaiting_payment" || status == "confirmed" || status == "canceled"
	case canceled:
		return status == "canceled"
	case canceling:
		return status == "canceled" || status == "confirmed"
	default:
		return true
	}
}

// String names a standing in reports.
func (s standing) String() string {
	return [...]string{"accepted", "confirmed", "awaiting_payment", "canceled", "an unknown outcome of a cancellation"}[s]
}

// index is the inverse of sku.
func (s shop) index(sku string) (int, bool) {
	digits, ok := strings.CutPrefix(sku, s.prefix+"-")
	if !ok || len(digits) != skuDigits {
		return 0, false
	}
	i := number([]byte(digits))
	return i, i >= 0 && i < s.skus
}
