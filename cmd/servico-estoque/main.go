// Command servico-estoque is the inventory service as a process of its own. `servico-estoque --help` lists its settings.
package main

import (
	"os"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/inventoryapp"
)

func main() { os.Exit(inventoryapp.Main(os.Args[1:])) }
