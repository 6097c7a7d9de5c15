// Package veloz is the whole platform in one process, and the command line.
package veloz

import (
	"fmt"
	"io"
	"os"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
)

var program = process.Program{Name: "veloz", Listen: "127.0.0.1:8000", Edge: true,
	Description: "Pedidos Veloz: an order platform that never oversells, never charges twice and never loses an acknowledged order."}

// commands is the command line.
type commands struct {
	Up      upCommand      `cmd:"" help:"Run the whole platform in this process."`
	Migrate migrateCommand `cmd:"" help:"Bring the databases' schemas up to date."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// Main runs veloz and returns its exit code.
func Main(args []string) int {
	if len(args) == 0 {
		args = []string{"--help"}
	}
	var c commands
	parsed, err := config.Parse(&c, config.Program{Name: program.Name, Description: program.Description, Version: process.VersionText(),
		Args: args, Env: os.Environ(), Vars: map[string]string{"listen_address": program.Listen, "log_format": "text"}})
	if err == nil && parsed != nil {
		parsed.BindTo(os.Stdout, (*io.Writer)(nil))
		err = parsed.Run()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "veloz: %v\n", err)
		return 1
	}
	return 0
}

type versionCommand struct{}

// Run is called by the command line.
func (versionCommand) Run(out io.Writer) error {
	fmt.Fprintln(out, process.VersionText())
	return nil
}
