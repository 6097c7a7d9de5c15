package veloz

import (
	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
)

// healthcheckCommand is what a container asks itself with: its image has no shell and no curl.
type healthcheckCommand struct {
	config.Service `embed:""`
}

// Run is called by the command line.
func (c *healthcheckCommand) Run() error { return process.AskReady(c.ListenAddress) }
