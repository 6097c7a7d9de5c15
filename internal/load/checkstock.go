package load

import (
	"context"
	"time"
)

// stock compares what items say with what the run's orders hold. A release that is on its way is given a while.
func (c *checker) stock(ctx context.Context) error {
	wrong := c.sampleOfSKUs()
	c.truth.SKUs = int64(len(wrong))
	for deadline := time.Now().Add(c.cfg.SettleWithin); ; {
		items := make([]item, len(wrong))
		err := c.each(ctx, len(wrong), func(conn *conn, k int) error {
			return c.fetch(conn, c.target.request("GET", "/v1/items/"+c.shop.sku(wrong[k]), "", ""), &items[k])
		})
		if err != nil {
			return err
		}
		var left []int
		last := time.Now().After(deadline)
		for k, i := range wrong {
			if !c.agrees(i, items[k]) {
				left = append(left, i)
			}
			if last || c.agrees(i, items[k]) {
				c.report(i, items[k])
			}
		}
		if wrong = left; last || len(wrong) == 0 {
			return nil
		}
		if !until(ctx, time.Now().Add(lookAgain)) {
			return ctx.Err()
		}
	}
}

func (c *checker) sampleOfSKUs() []int {
	n := min(c.cfg.SKUs, skusAtMost)
	sample := make([]int, n)
	for k := range sample {
		sample[k] = k * c.cfg.SKUs / n
	}
	return sample
}

func (c *checker) agrees(i int, now item) bool {
	held := now.Held - c.before.items[i].Held
	return now.OnHand == c.before.items[i].OnHand && held >= c.least[i] && held <= c.most[i]
}

// report takes an item's final state in.
func (c *checker) report(i int, now item) {
	before := c.before.items[i]
	held := now.Held - before.Held
	c.truth.UnitsHeld += held
	if !c.agrees(i, now) {
		c.truth.problem(&c.truth.WrongStock, "%s: %d on hand and %d held by this run's orders; expected %d on hand and %d to %d held",
			c.shop.sku(i), now.OnHand, held, before.OnHand, c.least[i], c.most[i])
	}
	if now.Held > now.OnHand || c.least[i] > before.OnHand-before.Held {
		c.truth.problem(&c.truth.Oversold, "%s: %d units were sold of %d", c.shop.sku(i), c.least[i], before.OnHand-before.Held)
	}
	refused := c.recorder.outcomes[Place]["out_of_stock"] > 0
	if c.cfg.Scenario == Flash && refused && len(c.unknown) == 0 && now.Held < now.OnHand {
		c.truth.problem(nil, "%s: %d units are left although buyers were refused", c.shop.sku(i), now.OnHand-now.Held)
	}
}
