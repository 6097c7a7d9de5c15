// Command veloz runs the whole platform in one process, and is its command line. `veloz --help` teaches it.
package main

import (
	"os"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/veloz"
)

func main() { os.Exit(veloz.Main(os.Args[1:])) }
