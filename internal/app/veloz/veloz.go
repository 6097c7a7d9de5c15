// Package veloz is the whole platform in one process, and the command line.
package veloz

import (
	"fmt"
	"io"
	"os"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/lifecycle"
)

var program = process.Program{Name: "veloz", Listen: "127.0.0.1:8000", Edge: true,
	Description: "Pedidos Veloz: an order platform that never oversells, never charges twice and never loses an acknowledged order."}

// commands is the command line.
type commands struct {
	Up          upCommand          `cmd:"" help:"Run the whole platform in this process."`
	Orders      ordersCommand      `cmd:"" help:"Place, read, list and cancel orders."`
	Items       itemsCommand       `cmd:"" help:"The catalogue and its stock."`
	Payments    paymentsCommand    `cmd:"" help:"Payments and their ledger."`
	Pix         pixCommand         `cmd:"" help:"Pay by Pix, in the sandbox."`
	Health      healthCommand      `cmd:"" help:"Ask the gateway and the services whether they are up."`
	Keys        keysCommand        `cmd:"" help:"Make, list and revoke API keys."`
	Load        loadCommand        `cmd:"" help:"Put load on a platform and check the truth of its answers."`
	Audit       auditCommand       `cmd:"" help:"Compare orders, stock and money, and name what does not agree."`
	Migrate     migrateCommand     `cmd:"" help:"Bring the databases' schemas up to date."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
	Healthcheck healthcheckCommand `cmd:"" help:"Ask the veloz that runs on this host whether it is ready, as containers do."`
}

// Help is shown by --help.
func (commands) Help() string {
	return `Start here:

  veloz up --demo                        # and in another terminal:
  veloz orders place --sku CAFE-500G
  veloz orders list

Each command has examples: veloz orders place --help`
}

// Main runs veloz and returns its exit code: 0 done, 1 failed, 2 wrong usage, 3 an audit or a load found what must not be,
// 130 interrupted.
func Main(args []string) int {
	if len(args) == 0 {
		args = []string{"--help"}
	}
	var c commands
	parsed, err := config.Parse(&c, config.Program{Name: program.Name, Description: program.Description, Version: process.VersionText(),
		Args: args, Env: os.Environ(), Vars: map[string]string{"listen_address": program.Listen, "log_format": "text"}})
	switch {
	case err != nil:
		err = usageError{err}
	case parsed != nil:
		parsed.BindTo(os.Stdout, (*io.Writer)(nil))
		// Made for the command that asks for it: `up` has its own way with signals.
		if err = parsed.BindToProvider(lifecycle.UntilInterrupted); err == nil {
			err = parsed.Run(newTerminal())
		}
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "veloz: %v\n", err)
	}
	return exitCode(err)
}

type versionCommand struct{}

// Help is shown by --help.
func (versionCommand) Help() string {
	return `Examples:

  veloz version
  veloz --version`
}

// Run is called by the command line.
func (versionCommand) Run(out io.Writer) error {
	fmt.Fprintln(out, process.VersionText())
	return nil
}
