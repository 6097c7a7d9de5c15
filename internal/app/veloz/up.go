package veloz

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/gatewayapp"
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/inventoryapp"
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/ordersapp"
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/paymentsapp"
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway"
	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/lifecycle"
)

// schemaTimeout is long for three statements, and short for a person who mistyped an address.
const schemaTimeout = 10 * time.Second

// place is where the services keep their data.
type place struct {
	Data     string             `name:"data" env:"VELOZ_DATA" default:"veloz-data" type:"path" help:"Folder of the embedded database and of the keys."`
	Database config.DatabaseURL `name:"database" env:"DATABASE_URL" placeholder:"URL" help:"A PostgreSQL database instead of the embedded one: postgres://user:password@host/name. Each service takes a schema of its own in it."`
}

// databases are the addresses of the three services' databases.
type databases struct{ orders, payments, inventory string }

func (p place) databases() (databases, error) {
	if p.Database == "" {
		file := func(name string) string {
			return (&url.URL{Scheme: "sqlite", Path: filepath.Join(p.Data, name+".db")}).String()
		}
		return databases{file("orders"), file("payments"), file("inventory")}, nil
	}
	u, err := url.Parse(p.Database.Reveal())
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return databases{}, errors.New("--database must be a URL such as postgres://user:password@host:5432/name; the embedded database needs only --data")
	}
	schema := func(name string) string {
		with := *u
		query := with.Query()
		query.Set("search_path", name)
		with.RawQuery = query.Encode()
		return with.String()
	}
	return databases{schema("orders"), schema("payments"), schema("inventory")}, nil
}

// Validate is called when the settings are read.
func (p place) Validate() error {
	urls, err := p.databases()
	if err != nil {
		return err
	}
	if _, err := database.ParseURL(urls.orders); err != nil {
		return fmt.Errorf("--database: %w", err)
	}
	return nil
}

// prepare makes what the databases stand on: the schemas of a PostgreSQL database.
func (p place) prepare(ctx context.Context) error {
	if p.Database == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, schemaTimeout)
	defer cancel()
	return explainDatabase(process.EnsureSchemas(ctx, p.Database.Reveal(), "orders", "payments", "inventory"))
}

// occupy keeps a second process off the embedded databases until the stack is closed, or the process has died: they are
// made for one writer, and the services beside them batch as if they were alone.
func (p place) occupy(stack *lifecycle.Stack) error {
	if p.Database != "" {
		return nil
	}
	lock := flock.New(filepath.Join(p.Data, "veloz.lock"), flock.SetPermissions(0o600))
	free, err := lock.TryLock()
	if err != nil {
		return explainFolder(p.Data, err)
	}
	if !free {
		return fmt.Errorf("another veloz works with the data folder %s: stop it, or pick another folder with --data", relative(p.Data))
	}
	stack.Defer("lock of the data folder", func(context.Context) error { return lock.Unlock() })
	return nil
}

// upCommand runs the whole platform in one process.
type upCommand struct {
	config.Service `embed:""`
	place          `embed:""`
	Demo           bool `name:"demo" env:"VELOZ_DEMO" help:"Load a small catalogue with stock, once."`

	process.Storage `embed:""`
	OrdersConfig    ordersapp.Config   `embed:""`
	PaymentsConfig  paymentsapp.Config `embed:""`
	GatewayConfig   gatewayapp.Config  `embed:""`
}

// Validate is called when the settings are read; those of the services and of the gateway see to themselves.
func (c *upCommand) Validate() error { return c.place.Validate() }

// Help is shown by --help.
func (upCommand) Help() string {
	return `Gateway, orders, payments and inventory in one process, on an embedded database. Ctrl-C finishes what is under way and stops;
the next start finds everything again.

Examples:

  veloz up --demo
  veloz up --listen-address :8080 --data /var/lib/veloz
  DATABASE_URL=postgres://veloz:secret@localhost/veloz veloz up`
}

// Run is called by the command line.
func (c *upCommand) Run(out io.Writer) error {
	err := process.Run(context.Background(), program, c.Service, func(ctx context.Context, stack *lifecycle.Stack, rt *process.Runtime) error {
		server, admin, err := c.start(ctx, stack, rt)
		if err != nil {
			return err
		}
		welcome(out, *c, server.Addr(), admin)
		return nil
	})
	return explainListen(err)
}

// start composes the services bottom up, so that the stack stops them top down.
func (c *upCommand) start(ctx context.Context, stack *lifecycle.Stack, rt *process.Runtime) (*httpx.Server, keys.AdminKey, error) {
	admin, err := keys.EnsureAdmin(c.Data, rt.Clock.Now())
	if err != nil {
		return nil, keys.AdminKey{}, explainFolder(c.Data, err)
	}
	urls, err := c.databases()
	if err != nil {
		return nil, admin, err
	}
	if err := c.prepare(ctx); err != nil {
		return nil, admin, err
	}
	if err := c.occupy(stack); err != nil {
		return nil, admin, err
	}
	inventory, err := inventoryapp.Compose(ctx, stack, rt, c.Storage, urls.inventory)
	if err != nil {
		return nil, admin, err
	}
	if c.Demo {
		if err := loadDemo(ctx, inventory.Service); err != nil {
			return nil, admin, err
		}
	}
	payments, err := paymentsapp.Compose(ctx, stack, rt, c.Storage, c.PaymentsConfig, urls.payments)
	if err != nil {
		return nil, admin, err
	}
	orders, err := ordersapp.Compose(ctx, stack, rt, c.Storage, c.OrdersConfig, urls.orders, inventory.Peer, payments.Peer)
	if err != nil {
		return nil, admin, err
	}
	server, err := gatewayapp.Serve(stack, rt, c.Service, c.GatewayConfig, gatewayapp.Keys{File: admin.KeysFile}, gatewayapp.Backends{
		Orders:    gateway.Backend{Handler: rt.Backend(orders)},
		Payments:  gateway.Backend{Handler: rt.Backend(payments.Component)},
		Inventory: gateway.Backend{Handler: rt.Backend(inventory.Component)},
	})
	return server, admin, err
}
