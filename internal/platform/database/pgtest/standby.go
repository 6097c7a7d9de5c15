//go:build unix

package pgtest

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
)

// StartStandby copies the running server primary into the folder dir and starts the copy as its standby. It follows without
// being waited for until primary.RequireStandby.
func StartStandby(ctx context.Context, primary *Server, dir string, settings ...string) (*Server, error) {
	s := &Server{bin: primary.bin, dir: dir, settings: settings, owner: primary.owner}
	if err := s.copyFrom(ctx, primary); err != nil {
		return nil, fmt.Errorf("copy PostgreSQL into %s: %w", dir, err)
	}
	if err := s.run(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Server) copyFrom(ctx context.Context, primary *Server) error {
	if err := s.makeFolder(); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "pg_basebackup"), "-h", "127.0.0.1", "-p", fmt.Sprint(primary.port), "-U", superuser,
		"-D", s.data(), "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync")
	cmd.Dir = s.dir
	cmd.SysProcAttr = s.owner.attributes()
	if out, err := output(cmd); err != nil {
		return fmt.Errorf("pg_basebackup: %w: %s", err, out)
	}
	return nil
}

// Address is where the server listens.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", fmt.Sprint(s.port)) }

const syncSQL = `SELECT EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum'))`

// RequireStandby makes every commit wait until it is on a standby's disk as well, and returns when one is in step.
func (s *Server) RequireStandby(ctx context.Context) error {
	err := withConn(ctx, s.URL(maintenanceDB), func(c *pgx.Conn) error {
		for _, sql := range []string{`ALTER SYSTEM SET synchronous_standby_names = '*'`, `SELECT pg_reload_conf()`} {
			if _, err := c.Exec(ctx, sql); err != nil {
				return err
			}
		}
		for inStep := false; !inStep; {
			if err := c.QueryRow(ctx, syncSQL).Scan(&inStep); err != nil {
				return err
			}
			if err := pause(ctx, readyInterval); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("require a standby of %s: %w", s.Address(), err)
	}
	return nil
}

// Promote makes a standby a primary, and returns when it takes writes. It waits for no standby of its own.
func (s *Server) Promote(ctx context.Context) error {
	err := withConn(ctx, s.URL(maintenanceDB), func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, `SELECT pg_promote(true, $1)`, int(time.Minute/time.Second))
		return err
	})
	if err != nil {
		return fmt.Errorf("promote %s: %w", s.Address(), err)
	}
	return nil
}
