//go:build unix

// Package pgtest runs a real PostgreSQL for tests, acceptance runs and benchmarks, on the machine's own binaries.
//
// A missing PostgreSQL is an error that says how to install it, never a skip: a test that nobody runs proves nothing.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	superuser     = "postgres"
	maintenanceDB = "postgres"
	readyInterval = 20 * time.Millisecond
	startAttempts = 3

	restartAttempts = 50
)

// Server is a PostgreSQL of its own. Its settings are PostgreSQL's defaults, so a commit reaches the disk; only the
// shared buffers are small and the connections many.
type Server struct {
	bin      string
	dir      string
	port     int
	settings []string
	owner    *account

	mu      sync.Mutex
	process *process // nil while it is stopped
}

// Start makes a cluster in the folder dir, which is created or must be empty, and starts it on a free port of 127.0.0.1.
// Each setting is "name=value" of postgresql.conf. The server dies with this process, at the latest.
func Start(ctx context.Context, dir string, settings ...string) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	owner, err := unprivileged()
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	s := &Server{bin: bin, dir: dir, settings: settings, owner: owner}
	if err := s.initialize(ctx); err != nil {
		return nil, fmt.Errorf("make a PostgreSQL cluster in %s: %w", dir, err)
	}
	if err := s.run(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// URL is the superuser's address of a database on the server.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.User(superuser), Path: "/" + database, RawQuery: "sslmode=disable",
		Host: net.JoinHostPort("127.0.0.1", fmt.Sprint(s.port)),
	}
	return u.String()
}

// CreateDatabase makes an empty database and answers its address.
func (s *Server) CreateDatabase(ctx context.Context, name string) (string, error) {
	return createDatabase(ctx, s.URL(maintenanceDB), name)
}

// PID is the process id of the running server, or 0.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return 0
	}
	return s.process.pid()
}

// Alive tells whether the server's process is there: it may have ended by itself, on a full disk for one.
func (s *Server) Alive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return false
	}
	select {
	case <-s.process.done:
		return false
	default:
		return true
	}
}

// Stop shuts the server down in order, breaking its connections; with ctx's end it stops waiting.
func (s *Server) Stop(ctx context.Context) error { return s.end(ctx, syscall.SIGINT) }

// Kill ends the server as a power cut would, as far as its processes go. What its kernel holds is not lost.
func (s *Server) Kill(ctx context.Context) error { return s.end(ctx, syscall.SIGKILL) }

// Restart starts a server that was stopped or killed, on the same port and data; one that runs is stopped first.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Stop(ctx); err != nil {
		return err
	}
	return s.run(ctx)
}

func (s *Server) initialize(ctx context.Context) error {
	if err := s.makeFolder(); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"),
		"-D", s.data(), "-U", superuser, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	cmd.Dir = s.dir
	cmd.SysProcAttr = s.owner.attributes()
	if out, err := output(cmd); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

func (s *Server) makeFolder() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	return s.owner.own(s.dir)
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) logPath() string { return filepath.Join(s.dir, "postgres.log") }

// run starts the server, again if need be: another process may take the free port first, and the backends of a killed
// server hold its shared memory until they notice.
func (s *Server) run(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	attempts, fresh := restartAttempts, s.port == 0
	if fresh {
		attempts = startAttempts
	}
	var err error
	for range attempts {
		if fresh {
			if s.port, err = freePort(); err != nil {
				return fmt.Errorf("start PostgreSQL: %w", err)
			}
		}
		if err = s.attempt(ctx); err == nil {
			return nil
		}
		if pause(ctx, 5*readyInterval) != nil {
			break
		}
	}
	return fmt.Errorf("start PostgreSQL in %s: %w", s.dir, err)
}

func (s *Server) attempt(ctx context.Context) error {
	log, err := os.OpenFile(s.logPath(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() // the server has its own handle
	p, err := launch(s.command(log))
	if err != nil {
		return err
	}
	if err := s.await(ctx, p); err != nil {
		return errors.Join(err, p.end(context.WithoutCancel(ctx), syscall.SIGKILL))
	}
	s.process = p
	return nil
}

func (s *Server) command(log *os.File) *exec.Cmd {
	args := []string{"-D", s.data(), "-p", fmt.Sprint(s.port)}
	// No socket file: its path has a limit of about a hundred characters, which temporary folders exceed.
	base := []string{"listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=32MB", "max_connections=200"}
	for _, setting := range append(base, s.settings...) {
		args = append(args, "-c", setting)
	}
	cmd := exec.Command(filepath.Join(s.bin, "postgres"), args...)
	cmd.Dir = s.dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = s.owner.attributes()
	return cmd
}

// await returns when the server answers a query.
func (s *Server) await(ctx context.Context, p *process) error {
	for {
		err := withConn(ctx, s.URL(maintenanceDB), func(c *pgx.Conn) error { return c.Ping(ctx) })
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("the server ended: %s", s.logTail())
		case <-ctx.Done():
			return fmt.Errorf("wait for the server: %w: %w", ctx.Err(), err)
		case <-time.After(readyInterval):
		}
	}
}

func (s *Server) end(ctx context.Context, signal syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return nil
	}
	if err := s.process.end(ctx, signal); err != nil {
		return fmt.Errorf("end PostgreSQL in %s: %w", s.dir, err)
	}
	s.process = nil
	return nil
}

func (s *Server) logTail() string {
	const most = 2000
	text, err := os.ReadFile(s.logPath())
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text[max(0, len(text)-most):]))
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
