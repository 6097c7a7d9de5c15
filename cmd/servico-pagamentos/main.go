// Command servico-pagamentos is the payments service as a process of its own. `servico-pagamentos --help` lists its settings.
package main

import (
	"os"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/paymentsapp"
)

func main() { os.Exit(paymentsapp.Main(os.Args[1:])) }
