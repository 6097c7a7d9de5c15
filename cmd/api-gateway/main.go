// Command api-gateway is the API gateway as a process of its own. `api-gateway --help` lists its settings.
package main

import (
	"os"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/gatewayapp"
)

func main() { os.Exit(gatewayapp.Main(os.Args[1:])) }
