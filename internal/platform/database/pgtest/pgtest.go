//go:build unix

package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	startLimit  = 2 * time.Minute
	createLimit = time.Minute
)

// URL answers the address of an empty database that belongs to tb and is dropped after it. The server is started once a
// test process and ends with it, whatever ends it; VELOZ_TEST_DATABASE_URL, a superuser's address, replaces it.
func URL(tb testing.TB) string {
	tb.Helper()
	admin, err := shared()
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	ctx, cancel := context.WithTimeout(tb.Context(), createLimit)
	defer cancel()
	name := "test_" + strings.ToLower(rand.Text())
	address, err := createDatabase(ctx, admin, name)
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), createLimit)
		defer cancel()
		if err := dropDatabase(ctx, admin, name); err != nil {
			tb.Errorf("pgtest: %v", err)
		}
	})
	return address
}

// Dir answers a folder for Start that is removed after tb. Unlike tb.TempDir, PostgreSQL can enter it when the tests run
// as root. Stop the server in a clean-up that is registered after this call.
func Dir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		tb.Fatalf("pgtest: make a folder: %v", err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Errorf("pgtest: %v", err)
		}
	})
	return dir
}

// shared is the superuser's address of the server that all tests of this process use.
var shared = sync.OnceValues(func() (string, error) {
	if given := os.Getenv("VELOZ_TEST_DATABASE_URL"); given != "" {
		return given, nil
	}
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		return "", fmt.Errorf("make a folder: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	server, err := Start(ctx, dir)
	if err != nil {
		return "", fmt.Errorf("%w (its folder %s is kept)", err, dir)
	}
	if err := reap(server.PID(), dir); err != nil {
		return "", err
	}
	return server.URL(maintenanceDB), nil
})

// reapScript waits until its standard input ends, which it does when the test process is gone, then stops the server
// and removes its folder. A test process has no last moment in which it could do so itself.
const reapScript = `cat >/dev/null
kill -INT "$1" 2>/dev/null
i=0
while kill -0 "$1" 2>/dev/null && [ $i -lt 300 ]; do sleep 0.1; i=$((i+1)); done
rm -rf "$2"`

func reap(pid int, dir string) error {
	cmd := exec.Command("sh", "-c", reapScript, "pgtest-reaper", fmt.Sprint(pid), dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // an interrupt at the terminal is not for the reaper
	leash, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("start the reaper: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the reaper: %w", err)
	}
	leashes = append(leashes, leash)
	return nil
}

// leashes keeps the reapers' pipes reachable: a collected one would be closed, and the server stopped, too early.
var leashes []any

func createDatabase(ctx context.Context, admin, name string) (string, error) {
	err := withConn(ctx, admin, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
		return err
	})
	if err != nil {
		return "", fmt.Errorf("create database %s: %w", name, err)
	}
	u, err := url.Parse(admin)
	if err != nil {
		return "", fmt.Errorf("create database %s: the server's address is not a URL", name)
	}
	u.Path = "/" + name
	return u.String(), nil
}

func dropDatabase(ctx context.Context, admin, name string) error {
	err := withConn(ctx, admin, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, "DROP DATABASE "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)")
		return err
	})
	if err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	return nil
}

func withConn(ctx context.Context, address string, fn func(*pgx.Conn) error) error {
	c, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	return fn(c)
}
