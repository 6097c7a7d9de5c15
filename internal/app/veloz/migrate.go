package veloz

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/inventoryapp"
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/ordersapp"
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/paymentsapp"
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
)

// migrateCommand brings schemas up to date: those of `veloz up`, or those of services that have databases of their own.
type migrateCommand struct {
	place        `embed:""`
	OrdersURL    config.DatabaseURL `name:"orders-database" placeholder:"URL" help:"Database of servico-pedidos."`
	PaymentsURL  config.DatabaseURL `name:"payments-database" placeholder:"URL" help:"Database of servico-pagamentos."`
	InventoryURL config.DatabaseURL `name:"inventory-database" placeholder:"URL" help:"Database of servico-estoque."`
}

// Help is shown by --help.
func (migrateCommand) Help() string {
	return `Without a service's database, the databases of "veloz up" are migrated: those below --data, or the schemas in --database.
Migrations only go forward; running this twice changes nothing, and two at once wait for each other.

Examples:

  veloz migrate
  veloz migrate --database postgres://veloz:secret@db/veloz
  veloz migrate --orders-database postgres://pedidos:secret@db/pedidos`
}

// Run is called by the command line.
func (c *migrateCommand) Run(ctx context.Context, out io.Writer) error {
	urls := databases{c.OrdersURL.Reveal(), c.PaymentsURL.Reveal(), c.InventoryURL.Reveal()}
	if urls == (databases{}) {
		var err error
		if urls, err = c.databases(); err != nil {
			return err
		}
		if err := c.prepare(ctx); err != nil {
			return err
		}
	}
	for _, service := range []struct {
		name, url string
		migrate   func(context.Context, string) ([]string, error)
	}{
		{"inventory", urls.inventory, func(ctx context.Context, url string) ([]string, error) {
			return process.MigrateStore(ctx, url, inventoryapp.Engine)
		}},
		{"payments", urls.payments, func(ctx context.Context, url string) ([]string, error) {
			return process.MigrateStore(ctx, url, paymentsapp.Engine)
		}},
		{"orders", urls.orders, func(ctx context.Context, url string) ([]string, error) {
			return process.MigrateStore(ctx, url, ordersapp.Engine)
		}},
	} {
		if service.url == "" {
			continue
		}
		applied, err := service.migrate(ctx, service.url)
		if err != nil {
			return fmt.Errorf("migrate %s: %w", service.name, c.explain(err))
		}
		done := "up to date"
		if len(applied) > 0 {
			done = "applied " + strings.Join(applied, ", ")
		}
		fmt.Fprintf(out, "%-10s %s\n", service.name, done)
	}
	return nil
}

func (c *migrateCommand) explain(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return explainFolder(c.Data, err)
	}
	return explainDatabase(err)
}
