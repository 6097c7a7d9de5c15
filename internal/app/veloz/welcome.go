package veloz

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
)

// The defaults, which need not be repeated in what a newcomer pastes.
const (
	defaultServer = "http://localhost:8000"
	defaultData   = "veloz-data"
)

// built is where `go run` puts a program: below a folder for this once, or into the build cache under a sum of what it is of.
var built = regexp.MustCompile(`/go-build\d*/|/[0-9a-f]{64}-d/`)

// again is how a program that was started under a name is started again, from the same folder.
func again(name string) string {
	if built.MatchString(filepath.ToSlash(name)) {
		return "go run ./cmd/veloz"
	}
	return name
}

// welcome tells a newcomer what to do next. What it shows works when pasted, and fits a terminal of 80 columns.
func welcome(out io.Writer, c upCommand, address string, admin keys.AdminKey) {
	base := "http://" + strings.NewReplacer("[::]", "localhost", "127.0.0.1", "localhost").Replace(address)
	veloz := again(os.Args[0])
	store := "SQLite in " + relative(c.Data)
	if c.Database != "" {
		store = c.Database.String()
	}
	fmt.Fprintf(out, `
Pedidos Veloz is up at %[1]s

  API documentation   %[1]s/docs
  Data                %[2]s
  Administrator key   %[3]s

`, base, store, relative(admin.PlaintextFile))
	if c.Demo {
		fmt.Fprintf(out, `Take an order, from another terminal:

  %[4]s orders place --sku CAFE-500G%[3]s

or over HTTP:

  curl -s %[1]s/v1/orders \
    -H "Authorization: Bearer $(cat %[2]s)" \
    -H "Idempotency-Key: order-$(date +%%s)" \
    -H "Content-Type: application/json" \
    -d '{"customer": {"name": "Ana Souza", "email": "ana@example.com"},
         "items": [{"sku": "CAFE-500G", "quantity": 2}],
         "payment": {"method": "card", "token": "tok_approved"}}'

`, base, relative(admin.PlaintextFile), c.connectionFlags(base), veloz)
	} else {
		fmt.Fprintf(out, `The catalogue starts empty. Start with --demo for a small one, or fill it:

  %[2]s items put CAFE-500G --name "Café em grãos" --price 39,90%[1]s
  %[2]s items adjust CAFE-500G --add 100%[1]s

`, c.connectionFlags(base), veloz)
	}
	fmt.Fprint(out, "Ctrl-C stops; everything is kept.\n")
}

// connectionFlags are what the command line needs to find this platform and its key.
func (c upCommand) connectionFlags(base string) string {
	flags := ""
	if base != defaultServer {
		flags += " --server " + base
	}
	if data := relative(c.Data); data != defaultData {
		flags += " --data " + data
	}
	return flags
}

// relative is path as seen from here, where that is shorter.
func relative(path string) string {
	here, err := filepath.Abs(".")
	if err != nil {
		return path
	}
	short, err := filepath.Rel(here, path)
	if err != nil || len(short) > len(path) {
		return path
	}
	return short
}
