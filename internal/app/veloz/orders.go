package veloz

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
)

type ordersCommand struct {
	Place  ordersPlace  `cmd:"" help:"Place an order."`
	Get    ordersGet    `cmd:"" help:"Show an order."`
	List   ordersList   `cmd:"" help:"List orders, newest first."`
	Cancel ordersCancel `cmd:"" help:"Cancel an order: its stock is released, its money goes back."`
	Events ordersEvents `cmd:"" help:"Show an order's timeline."`
}

type ordersPlace struct {
	Lines         []orderLine `name:"sku" required:"" placeholder:"SKU[:QUANTITY]" help:"What is bought, and how many; once for each item."`
	Name          string      `name:"name" default:"Ana Souza" help:"The customer's name."`
	Email         string      `name:"email" default:"ana@example.com" help:"The customer's e-mail address."`
	Document      string      `name:"document" help:"The customer's CPF or CNPJ."`
	Card          string      `name:"card" placeholder:"TOKEN" xor:"payment" help:"Pay by card; tok_approved by default. The sandbox also knows tok_declined, tok_slow, tok_timeout_approved and tok_timeout_declined."`
	Pix           bool        `name:"pix" xor:"payment" help:"Pay by Pix."`
	ExpectedTotal *reais      `name:"expected-total" placeholder:"AMOUNT" help:"Refuse the order when it costs something else."`
	Async         bool        `name:"async" help:"Return as soon as the order is durable."`
	repeatable    `embed:""`
	connection    `embed:""`
}

// Help is shown by --help.
func (ordersPlace) Help() string {
	return `Examples:

  veloz orders place --sku CAFE-500G
  veloz orders place --sku CAFE-500G:2 --sku CANECA-AZUL --name "João Lima" --email joao@example.com
  veloz orders place --sku TENIS-42 --pix
  veloz orders place --sku CAFE-500G --card tok_declined
  veloz orders place --sku CAFE-500G --json | jq -r .id`
}

// Run is called by the command line.
func (c *ordersPlace) Run(ctx context.Context, t *terminal) error {
	params := ordersapi.PlaceOrderParams{IdempotencyKey: c.key()}
	if c.Async {
		params.Prefer = ordersapi.NewOptString("respond-async")
	}
	return ask(t, c.connection, func(s *session) (*ordersapi.Order, error) {
		s.idempotencyKey = params.IdempotencyKey
		result, err := s.orders.PlaceOrder(ctx, c.order(), params)
		switch r := result.(type) {
		case *ordersapi.PlaceOrderCreated:
			return &r.Response, err
		case *ordersapi.PlaceOrderAccepted:
			return &r.Response, err
		}
		return nil, err
	}, func(o *ordersapi.Order) {
		t.order(o, string(c.Server))
		if o.Status == ordersapi.OrderStatusConfirmed {
			t.note("\nNext: veloz orders events %s", o.ID)
		}
	})
}

func (c *ordersPlace) order() *ordersapi.NewOrder {
	order := &ordersapi.NewOrder{
		Customer: ordersapi.Customer{Name: c.Name, Email: c.Email},
		Payment:  ordersapi.NewPayment{Method: ordersapi.PaymentMethodPix},
	}
	if c.Document != "" {
		order.Customer.Document = ordersapi.NewOptString(c.Document)
	}
	if !c.Pix {
		card := c.Card
		if card == "" {
			card = "tok_approved"
		}
		order.Payment = ordersapi.NewPayment{Method: ordersapi.PaymentMethodCard, Token: ordersapi.NewOptString(card)}
	}
	if c.ExpectedTotal != nil {
		order.ExpectedTotalCents = ordersapi.NewOptInt64(int64(*c.ExpectedTotal))
	}
	for _, line := range c.Lines {
		order.Items = append(order.Items, ordersapi.NewOrderItem{Sku: ordersapi.SKU(line.sku), Quantity: line.quantity})
	}
	return order
}

type ordersGet struct {
	ID         identity `arg:"" help:"The order's id."`
	connection `embed:""`
}

// Help is shown by --help.
func (ordersGet) Help() string {
	return `Examples:

  veloz orders get 01a207bf-c5b3-71f0-a39c-4bebbbaf373e
  veloz orders get 01a207bf-c5b3-71f0-a39c-4bebbbaf373e --json | jq .status`
}

// Run is called by the command line.
func (c *ordersGet) Run(ctx context.Context, t *terminal) error {
	return ask(t, c.connection, func(s *session) (*ordersapi.Order, error) {
		return s.orders.GetOrder(ctx, ordersapi.GetOrderParams{OrderID: uuid.UUID(c.ID)})
	}, func(o *ordersapi.Order) { t.order(o, string(c.Server)) })
}

type ordersList struct {
	Status        orderStatus   `name:"status" placeholder:"STATUS" help:"Only those: placed, held, awaiting_payment, confirmed, completed, rejected or canceled."`
	PaymentStatus paymentStatus `name:"payment-status" placeholder:"STATUS" help:"Only those: none, pending, authorized, paid, partially_refunded, refunded or unknown."`
	Email         string        `name:"email" help:"Only this customer's."`
	SKU           string        `name:"sku" help:"Only those with this item."`
	Since         *point        `name:"since" placeholder:"TIME" help:"Only those placed since then: 2h, 7d, 2026-11-27 or 2026-11-27T09:00:00-03:00."`
	Until         *point        `name:"until" placeholder:"TIME" help:"Only those placed before."`
	page          `embed:""`
	connection    `embed:""`
}

// page is a part of a list.
type page struct {
	Limit  int    `name:"limit" default:"20" help:"At most so many, up to 100."`
	Cursor string `name:"cursor" help:"Where the page before ended."`
}

// Help is shown by --help.
func (ordersList) Help() string {
	return `Examples:

  veloz orders list
  veloz orders list --status awaiting_payment --since 2h
  veloz orders list --email ana@example.com --limit 100 --json`
}

// Run is called by the command line.
func (c *ordersList) Run(ctx context.Context, t *terminal) error {
	return ask(t, c.connection, func(s *session) (*ordersapi.OrderPage, error) {
		return s.orders.ListOrders(ctx, c.params(t.now))
	}, func(p *ordersapi.OrderPage) {
		t.orders(p.Data)
		t.pageEnd(len(p.Data), p.NextCursor.Or(""), "No order is like that. `veloz orders place --sku CAFE-500G` places one.")
	})
}

func (c *ordersList) params(now time.Time) ordersapi.ListOrdersParams {
	p := ordersapi.ListOrdersParams{Limit: ordersapi.NewOptInt(c.Limit)}
	if c.Status != "" {
		p.Status = ordersapi.NewOptOrderStatus(ordersapi.OrderStatus(c.Status))
	}
	if c.PaymentStatus != "" {
		p.PaymentStatus = ordersapi.NewOptPaymentStatus(ordersapi.PaymentStatus(c.PaymentStatus))
	}
	if c.Email != "" {
		p.Email = ordersapi.NewOptString(c.Email)
	}
	if c.SKU != "" {
		p.Sku = ordersapi.NewOptSKU(ordersapi.SKU(c.SKU))
	}
	if c.Since != nil {
		p.CreatedAfter = ordersapi.NewOptDateTime(c.Since.before(now))
	}
	if c.Until != nil {
		p.CreatedBefore = ordersapi.NewOptDateTime(c.Until.before(now))
	}
	if c.Cursor != "" {
		p.Cursor = ordersapi.NewOptString(c.Cursor)
	}
	return p
}

type ordersCancel struct {
	ID         identity `arg:"" help:"The order's id."`
	Reason     string   `name:"reason" default:"canceled on the command line" help:"Why; the order keeps it."`
	connection `embed:""`
}

// Help is shown by --help.
func (ordersCancel) Help() string {
	return `Canceling twice changes nothing.

Examples:

  veloz orders cancel 01a207bf-c5b3-71f0-a39c-4bebbbaf373e
  veloz orders cancel 01a207bf-c5b3-71f0-a39c-4bebbbaf373e --reason "the customer changed their mind"`
}

// Run is called by the command line.
func (c *ordersCancel) Run(ctx context.Context, t *terminal) error {
	return ask(t, c.connection, func(s *session) (*ordersapi.Order, error) {
		result, err := s.orders.CancelOrder(ctx, &ordersapi.Cancellation{Reason: c.Reason}, ordersapi.CancelOrderParams{OrderID: uuid.UUID(c.ID)})
		switch r := result.(type) {
		case *ordersapi.Order:
			return r, err
		case *ordersapi.OrderHeaders:
			return &r.Response, err
		}
		return nil, err
	}, func(o *ordersapi.Order) { t.order(o, string(c.Server)) })
}

type ordersEvents struct {
	ID         identity `arg:"" help:"The order's id."`
	connection `embed:""`
}

// Help is shown by --help.
func (ordersEvents) Help() string {
	return `Examples:

  veloz orders events 01a207bf-c5b3-71f0-a39c-4bebbbaf373e
  veloz orders events 01a207bf-c5b3-71f0-a39c-4bebbbaf373e --json | jq '.data[].type'`
}

// Run is called by the command line.
func (c *ordersEvents) Run(ctx context.Context, t *terminal) error {
	return ask(t, c.connection, func(s *session) (*ordersapi.OrderEvents, error) {
		return s.orders.ListOrderEvents(ctx, ordersapi.ListOrderEventsParams{OrderID: uuid.UUID(c.ID)})
	}, func(events *ordersapi.OrderEvents) { t.events(events.Data) })
}

// order writes one order with all its lines.
func (t *terminal) order(o *ordersapi.Order, server string) {
	payment := fmt.Sprintf("%s, %s", o.Payment.Method, colored(string(o.PaymentStatus)))
	fmt.Fprintf(t.out, "%s  %s\n\n", bold.Render("Order "+o.ID.String()), colored(string(o.Status)))
	t.fields(field{"Customer", o.Customer.Name + " <" + o.Customer.Email + ">"}, field{"Payment", payment},
		field{"Delivery", colored(string(o.FulfillmentStatus))}, field{"Reason", o.Reason.Or("")}, field{"Placed", t.moment(o.CreatedAt)})
	fmt.Fprintln(t.out)
	rows := make([][]string, 0, len(o.Items)+1)
	for _, item := range o.Items {
		price, total := "", ""
		if item.UnitPriceCents > 0 { // no price is known of an order that found no stock
			price, total = money.Cents(item.UnitPriceCents).BRL(), money.Cents(item.TotalCents).BRL()
		}
		rows = append(rows, []string{item.Sku, item.Name, strconv.Itoa(item.Quantity), price, total})
	}
	if o.TotalCents > 0 {
		rows = append(rows, []string{"", "", "", "Total", bold.Render(money.Cents(o.TotalCents).BRL())})
	}
	t.table([]column{{title: "SKU"}, {title: "ITEM", flexible: true}, {title: "QUANTITY", right: true}, {title: "PRICE", right: true}, {title: "TOTAL", right: true}}, rows)
	if pix, ok := o.Payment.Pix.Get(); ok && o.Status == ordersapi.OrderStatusAwaitingPayment {
		t.pix(pix, server)
	}
}

// pix tells how an order is paid. The code stands alone on its line, so that it can be copied.
func (t *terminal) pix(p ordersapi.PixCharge, server string) {
	fmt.Fprintf(t.out, "\nPay by Pix until %s, with this code:\n\n%s\n\nor its picture: %s%s\n", t.moment(p.ExpiresAt), p.CopyPaste, server, p.QrCodeURL)
	t.note("\nIn the sandbox: veloz pix pay %s", p.Txid)
}

func (t *terminal) orders(orders []ordersapi.Order) {
	rows := make([][]string, 0, len(orders))
	for _, o := range orders {
		lines := make([]string, 0, len(o.Items))
		for _, item := range o.Items {
			lines = append(lines, fmt.Sprintf("%s:%d", item.Sku, item.Quantity))
		}
		rows = append(rows, []string{o.ID.String(), colored(string(o.Status)), money.Cents(o.TotalCents).BRL(), t.moment(o.CreatedAt),
			string(o.Payment.Method) + " " + colored(string(o.PaymentStatus)), o.Customer.Name, strings.Join(lines, " ")})
	}
	if len(rows) > 0 {
		t.table([]column{{title: "ORDER"}, {title: "STATUS"}, {title: "TOTAL", right: true}, {title: "PLACED", optional: 1},
			{title: "PAYMENT", optional: 2}, {title: "CUSTOMER", optional: 3}, {title: "ITEMS", optional: 4}}, rows)
	}
}

func (t *terminal) events(events []ordersapi.OrderEvent) {
	rows := make([][]string, 0, len(events))
	for _, e := range events {
		rows = append(rows, []string{e.At.In(t.zone).Format("2 Jan 15:04:05.000"), e.Type, colored(string(e.Status)), colored(string(e.PaymentStatus)), e.Reason.Or("")})
	}
	t.table([]column{{title: "AT"}, {title: "EVENT"}, {title: "STATUS"}, {title: "PAYMENT", optional: 1}, {title: "REASON", flexible: true}}, rows)
}

// pageEnd says that a list is empty, or how it goes on.
func (t *terminal) pageEnd(shown int, cursor, empty string) {
	switch {
	case cursor != "":
		t.note("\nThere are more: --cursor %s", cursor)
	case shown == 0:
		t.note("%s", empty)
	}
}
