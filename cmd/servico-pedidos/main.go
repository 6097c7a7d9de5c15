// Command servico-pedidos is the orders service as a process of its own. `servico-pedidos --help` lists its settings.
package main

import (
	"os"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/ordersapp"
)

func main() { os.Exit(ordersapp.Main(os.Args[1:])) }
