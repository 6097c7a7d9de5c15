package veloz

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/process"
)

// explainListen tells what to do when a start has no port, for its buyers or for its metrics. Other errors stay as they are.
func explainListen(err error) error {
	var failed *process.ListenError
	var listen *net.OpError
	if !errors.As(err, &failed) || !errors.As(err, &listen) {
		return err
	}
	where := "the address"
	if listen.Addr != nil {
		where = listen.Addr.String()
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("another program listens on %s already (a veloz?): stop it, or pick another port with %s", where, failed.Flag)
	}
	return fmt.Errorf("cannot listen on %s: %w; %s picks another, such as 127.0.0.1:8080", where, innermost(listen), failed.Flag)
}

// explainFolder tells what is wrong with a data folder.
func explainFolder(folder string, err error) error {
	var path *fs.PathError
	if !errors.As(err, &path) {
		return fmt.Errorf("data folder %s: %w", relative(folder), err)
	}
	return fmt.Errorf("cannot write to the data folder %s: %w; pick another with --data", relative(folder), path.Err)
}

// explainDatabase tells why a database cannot be used. The driver tells it once for each address of the host, and over
// several lines.
func explainDatabase(err error) error {
	var refused interface{ SQLState() string }
	var lookup *net.DNSError
	var dial *net.OpError
	switch {
	case err == nil || errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &refused):
		return explainRefusal(refused.SQLState(), err)
	case errors.As(err, &lookup):
		return fmt.Errorf("--database names a host that does not exist: %s", lookup.Name)
	case errors.As(err, &dial) && dial.Addr != nil:
		return fmt.Errorf("no database answers at %s: %w; start it, correct --database, or leave that out for the embedded one", dial.Addr, innermost(dial))
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("the database did not answer within %s: correct --database, or leave it out for the embedded one", schemaTimeout)
	}
	return fmt.Errorf("use the database: %w", err)
}

// explainRefusal is by PostgreSQL's codes: https://www.postgresql.org/docs/current/errcodes-appendix.html.
func explainRefusal(code string, err error) error {
	switch code {
	case "28P01", "28000":
		return errors.New("the database refuses the user or the password in --database")
	case "3D000":
		return errors.New("the database in --database does not exist on that server: make it with createdb, or correct its name")
	case "42501":
		return errors.New("the user in --database may not make schemas: GRANT CREATE ON DATABASE, or let its owner run `veloz migrate` once")
	}
	return fmt.Errorf("the database refuses: %w", err)
}

func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
