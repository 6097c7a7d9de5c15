package veloz

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
)

type itemsCommand struct {
	Put       itemsPut       `cmd:"" help:"Create or change an item."`
	Get       itemsGet       `cmd:"" help:"Show an item and its stock."`
	List      itemsList      `cmd:"" help:"List items by SKU."`
	Adjust    itemsAdjust    `cmd:"" help:"Add or remove stock."`
	Movements itemsMovements `cmd:"" help:"Show every change of an item's stock, newest first."`
}

type itemsPut struct {
	SKU        string `arg:"" help:"The item's SKU."`
	Name       string `name:"name" required:"" help:"What people call it."`
	Price      reais  `name:"price" required:"" placeholder:"AMOUNT" help:"Of one unit: 39.90 or 39,90."`
	LowStock   int64  `name:"low-stock" placeholder:"UNITS" help:"The stock counts as low at or below this."`
	connection `embed:""`
}

// Help is shown by --help.
func (itemsPut) Help() string {
	return `Name, price and threshold are set as given; the stock is changed by "veloz items adjust".

Examples:

  veloz items put CAFE-500G --name "Café torrado em grãos, 500 g" --price 39,90
  veloz items put TV-55 --name "Televisor 55 polegadas" --price 2799.00 --low-stock 2`
}

// Run is called by the command line.
func (c *itemsPut) Run(ctx context.Context, t *terminal) error {
	return ask(t, c.connection, func(s *session) (*inventoryapi.Item, error) {
		return s.inventory.PutItem(ctx, &inventoryapi.ItemInput{Name: c.Name, PriceCents: int64(c.Price), LowStockThreshold: inventoryapi.NewOptInt64(c.LowStock)},
			inventoryapi.PutItemParams{Sku: inventoryapi.SKU(c.SKU)})
	}, func(item *inventoryapi.Item) {
		t.item(item)
		if item.OnHand == 0 {
			t.note("\nNext: veloz items adjust %s --add 100", item.Sku)
		}
	})
}

type itemsGet struct {
	SKU        string `arg:"" help:"The item's SKU."`
	connection `embed:""`
}

// Help is shown by --help.
func (itemsGet) Help() string {
	return `Examples:

  veloz items get CAFE-500G
  veloz items get CAFE-500G --json | jq .available`
}

// Run is called by the command line.
func (c *itemsGet) Run(ctx context.Context, t *terminal) error {
	return ask(t, c.connection, func(s *session) (*inventoryapi.Item, error) {
		return s.inventory.GetItem(ctx, inventoryapi.GetItemParams{Sku: inventoryapi.SKU(c.SKU)})
	}, t.item)
}

type itemsList struct {
	LowStock   bool `name:"low-stock" help:"Only those whose stock is low."`
	page       `embed:""`
	connection `embed:""`
}

// Help is shown by --help.
func (itemsList) Help() string {
	return `Examples:

  veloz items list
  veloz items list --low-stock
  veloz items list --limit 100 --json | jq -r '.data[].sku'`
}

// Run is called by the command line.
func (c *itemsList) Run(ctx context.Context, t *terminal) error {
	params := inventoryapi.ListItemsParams{Limit: inventoryapi.NewOptInt(c.Limit)}
	if c.LowStock {
		params.LowStock = inventoryapi.NewOptBool(true)
	}
	if c.Cursor != "" {
		params.Cursor = inventoryapi.NewOptString(c.Cursor)
	}
	return ask(t, c.connection, func(s *session) (*inventoryapi.ItemPage, error) { return s.inventory.ListItems(ctx, params) },
		func(p *inventoryapi.ItemPage) {
			t.items(p.Data)
			t.pageEnd(len(p.Data), p.NextCursor.Or(""), "No item is like that. `veloz items put --help` shows how to make one.")
		})
}

type itemsAdjust struct {
	SKU        string `arg:"" help:"The item's SKU."`
	Add        int64  `name:"add" xor:"delta" required:"" placeholder:"UNITS" help:"So many came."`
	Remove     int64  `name:"remove" xor:"delta" required:"" placeholder:"UNITS" help:"So many went. Units that are held for orders cannot."`
	Reason     string `name:"reason" default:"adjusted on the command line" help:"Why; the movement keeps it."`
	repeatable `embed:""`
	connection `embed:""`
}

// Help is shown by --help.
func (itemsAdjust) Help() string {
	return `Examples:

  veloz items adjust CAFE-500G --add 500 --reason "delivery 4711"
  veloz items adjust CANECA-AZUL --remove 3 --reason broken`
}

// Run is called by the command line.
func (c *itemsAdjust) Run(ctx context.Context, t *terminal) error {
	if c.Add < 0 || c.Remove < 0 || c.Add+c.Remove == 0 {
		return usageError{errors.New("--add and --remove take a number of units, from 1 on")}
	}
	return ask(t, c.connection, func(s *session) (*inventoryapi.StockAdjustment, error) {
		s.idempotencyKey = c.key()
		return s.inventory.AdjustStock(ctx, &inventoryapi.NewStockAdjustment{Sku: inventoryapi.SKU(c.SKU), Delta: c.Add - c.Remove, Reason: c.Reason},
			inventoryapi.AdjustStockParams{IdempotencyKey: s.idempotencyKey})
	}, func(a *inventoryapi.StockAdjustment) {
		fmt.Fprintf(t.out, "%s  %+d, now %d on hand\n", bold.Render(a.Sku), a.Delta, a.OnHand)
	})
}

type itemsMovements struct {
	SKU        string `arg:"" help:"The item's SKU."`
	page       `embed:""`
	connection `embed:""`
}

// Help is shown by --help.
func (itemsMovements) Help() string {
	return `Each line tells a change, its cause and what there was after it.

Examples:

  veloz items movements CAFE-500G
  veloz items movements CAFE-500G --limit 100 --json`
}

// Run is called by the command line.
func (c *itemsMovements) Run(ctx context.Context, t *terminal) error {
	params := inventoryapi.ListMovementsParams{Sku: inventoryapi.SKU(c.SKU), Limit: inventoryapi.NewOptInt(c.Limit)}
	if c.Cursor != "" {
		params.Cursor = inventoryapi.NewOptString(c.Cursor)
	}
	return ask(t, c.connection, func(s *session) (*inventoryapi.MovementPage, error) { return s.inventory.ListMovements(ctx, params) },
		func(p *inventoryapi.MovementPage) {
			t.movements(p.Data)
			t.pageEnd(len(p.Data), p.NextCursor.Or(""), "Its stock was never changed.")
		})
}

func (t *terminal) item(item *inventoryapi.Item) {
	fmt.Fprintf(t.out, "%s  %s\n\n", bold.Render(item.Sku), item.Name)
	t.fields(field{"Price", money.Cents(item.PriceCents).BRL()}, field{"Available", available(item)},
		field{"On hand", strconv.FormatInt(item.OnHand, 10)}, field{"Held", strconv.FormatInt(item.Held, 10)},
		field{"Low at", strconv.FormatInt(item.LowStockThreshold, 10)}, field{"Changed", t.moment(item.UpdatedAt)})
}

// available is in the colour of how much is left.
func available(item *inventoryapi.Item) string {
	text := strconv.FormatInt(item.Available, 10)
	switch {
	case item.Available == 0:
		return red.Render(text)
	case item.Available <= item.LowStockThreshold:
		return yellow.Render(text)
	}
	return text
}

func (t *terminal) items(items []inventoryapi.Item) {
	rows := make([][]string, 0, len(items))
	for _, item := range items {
		rows = append(rows, []string{item.Sku, item.Name, money.Cents(item.PriceCents).BRL(), available(&item),
			strconv.FormatInt(item.OnHand, 10), strconv.FormatInt(item.Held, 10)})
	}
	if len(rows) > 0 {
		t.table([]column{{title: "SKU"}, {title: "ITEM", flexible: true}, {title: "PRICE", right: true}, {title: "AVAILABLE", right: true},
			{title: "ON HAND", right: true, optional: 1}, {title: "HELD", right: true}}, rows)
	}
}

func (t *terminal) movements(movements []inventoryapi.Movement) {
	rows := make([][]string, 0, len(movements))
	for _, m := range movements {
		cause := m.Reason.Or("")
		if order, ok := m.OrderID.Get(); ok {
			cause = "order " + order.String()
		}
		rows = append(rows, []string{t.moment(m.At), string(m.Kind), change(m.OnHandDelta), change(m.HeldDelta),
			strconv.FormatInt(m.OnHandAfter, 10), strconv.FormatInt(m.HeldAfter, 10), cause})
	}
	if len(rows) > 0 {
		t.table([]column{{title: "AT"}, {title: "KIND"}, {title: "STOCK", right: true}, {title: "HELD", right: true},
			{title: "= ON HAND", right: true, optional: 1}, {title: "= HELD", right: true, optional: 1}, {title: "CAUSE", flexible: true}}, rows)
	}
}

// change shows nothing where nothing changed, so that the eye finds what did.
func change(delta int64) string {
	if delta == 0 {
		return ""
	}
	return fmt.Sprintf("%+d", delta)
}
