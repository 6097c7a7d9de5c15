package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

func open(t *testing.T, url string, cfg postgres.Config) *pgxpool.Pool {
	t.Helper()
	pool, err := postgres.Open(t.Context(), url, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func withSchema(t *testing.T) *pgxpool.Pool {
	t.Helper()
	pool := open(t, pgtest.URL(t), postgres.Config{})
	exec(t, pool, `CREATE TABLE item (sku text PRIMARY KEY, quantity bigint NOT NULL CHECK (quantity >= 0))`)
	exec(t, pool, `INSERT INTO item (sku, quantity) VALUES ('a', 1), ('b', 1)`)
	return pool
}

func exec(t *testing.T, pool *pgxpool.Pool, sql string) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func total(t *testing.T, pool *pgxpool.Pool) (n int) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), `SELECT sum(quantity)::bigint FROM item`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOpenSetsUpConnections(t *testing.T) {
	t.Parallel()
	pool := open(t, pgtest.URL(t), postgres.Config{MaxConns: 3, ApplicationName: "orders", Parameters: map[string]string{"enable_hashjoin": "off"}})
	if got := pool.Config().MaxConns; got != 3 {
		t.Errorf("%d connections, want 3", got)
	}
	for name, want := range map[string]string{"application_name": "orders", "enable_hashjoin": "off", "idle_in_transaction_session_timeout": "30s"} {
		var got string
		if err := pool.QueryRow(t.Context(), `SELECT current_setting($1)`, name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", name, got, err, want)
		}
	}
}

func TestOpenRefusesWeakCommits(t *testing.T) {
	t.Parallel()
	for level, ok := range map[string]bool{"off": false, "local": false, "remote_write": false, "on": true, "remote_apply": true} {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			url := pgtest.URL(t)
			exec(t, open(t, url, postgres.Config{}), `DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET synchronous_commit = `+level+`'; END $$`)
			pool, err := postgres.Open(t.Context(), url, postgres.Config{})
			if pool != nil {
				pool.Close()
			}
			if ok != (err == nil) {
				t.Fatalf("got %v, want accepted=%v", err, ok)
			}
			if err != nil && (fault.IsTransient(err) || !strings.Contains(err.Error(), "set fsync=on and synchronous_commit=on")) {
				t.Errorf("got %v, want an error that stays and says what to do", err)
			}
			open(t, url, postgres.Config{AllowWeakDurability: true})
		})
	}
}

func TestOpenRefusesFsyncOff(t *testing.T) {
	t.Parallel()
	dir := pgtest.Dir(t)
	server, err := pgtest.Start(t.Context(), dir, "fsync=off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if _, err := postgres.Open(t.Context(), server.URL("postgres"), postgres.Config{}); err == nil || !strings.Contains(err.Error(), `fsync="off"`) {
		t.Errorf("got %v, want a refusal", err)
	}
	open(t, server.URL("postgres"), postgres.Config{AllowWeakDurability: true})
}

// lines is a log that tells when a line is written.
type lines struct {
	mu      sync.Mutex
	text    bytes.Buffer
	written chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.written <- struct{}{}:
	default:
	}
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestOpenWaitsForALateDatabase(t *testing.T) {
	t.Parallel()
	server, err := pgtest.Start(t.Context(), pgtest.Dir(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := server.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	log := &lines{written: make(chan struct{}, 1)}
	url := strings.Replace(server.URL("postgres"), "postgres@", "postgres:s3cret@", 1)
	opened := make(chan error, 1)
	go func() {
		pool, err := postgres.Open(t.Context(), url, postgres.Config{Logger: slog.New(slog.NewTextHandler(log, nil))})
		if pool != nil {
			pool.Close()
		}
		opened <- err
	}()
	<-log.written
	if err := errors.Join(server.Restart(t.Context()), <-opened); err != nil {
		t.Fatal(err)
	}
	if text := log.String(); !strings.Contains(text, "not ready") || strings.Contains(text, "s3cret") {
		t.Errorf("the log says %q", text)
	}
}

func TestOpenGivesUp(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // it listens, but nobody answers
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = postgres.Open(ctx, "postgres://u:s3cret@"+l.Addr().String()+"/d?sslmode=disable", postgres.Config{Logger: slog.New(slog.DiscardHandler)})
	if !fault.IsTransient(err) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v, want an error that passes and keeps the secret", err)
	}
	_, err = postgres.Open(t.Context(), pgtest.URL(t)+"_missing", postgres.Config{})
	if err == nil || fault.IsTransient(err) {
		t.Errorf("got %v, want a missing database to end the wait at once", err)
	}
	_, err = postgres.Open(t.Context(), "postgres://u:s3cret@h:port/d", postgres.Config{})
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v, want a refusal that keeps the secret", err)
	}
}

func TestErrorAndPanicRollBack(t *testing.T) {
	t.Parallel()
	pool := withSchema(t)
	mine := errors.New("mine")
	add := func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE item SET quantity = quantity + 1`)
		return err
	}
	err := postgres.InTx(t.Context(), pool, func(tx pgx.Tx) error { return errors.Join(add(tx), mine) })
	if !errors.Is(err, mine) || fault.IsTransient(err) {
		t.Errorf("got %v, want the function's own error", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = postgres.InTx(t.Context(), pool, func(tx pgx.Tx) error { panic(add(tx)) })
	}()
	if n := total(t, pool); n != 2 {
		t.Errorf("total is %d, want 2", n)
	}
	if err := postgres.InTx(t.Context(), pool, add); err != nil {
		t.Error(err)
	}
	if n := total(t, pool); n != 4 {
		t.Errorf("total is %d, want 4", n)
	}
}

// meeting lets two transactions reach the same point in their first attempts before either goes on.
type meeting struct {
	wg    sync.WaitGroup
	mu    sync.Mutex
	seen  map[string]bool
	tries int
}

func newMeeting() *meeting {
	m := &meeting{seen: make(map[string]bool)}
	m.wg.Add(2)
	return m
}

func (m *meeting) arrive(who string) {
	m.mu.Lock()
	first := !m.seen[who]
	m.seen[who] = true
	m.tries++
	m.mu.Unlock()
	if first {
		m.wg.Done()
	}
	m.wg.Wait()
}

// both runs fn as "a" and as "b" at once, and answers how often it was tried in total.
func both(t *testing.T, pool *pgxpool.Pool, fn func(tx pgx.Tx, mine, other string, meet func()) error) int {
	t.Helper()
	m := newMeeting()
	var wg sync.WaitGroup
	for mine, other := range map[string]string{"a": "b", "b": "a"} {
		wg.Go(func() {
			err := postgres.InTx(t.Context(), pool, func(tx pgx.Tx) error {
				return fn(tx, mine, other, func() { m.arrive(mine) })
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	return m.tries
}

func TestDeadlockIsRetried(t *testing.T) {
	t.Parallel()
	pool := withSchema(t)
	tries := both(t, pool, func(tx pgx.Tx, mine, other string, meet func()) error {
		const add = `UPDATE item SET quantity = quantity + 1 WHERE sku = $1`
		if _, err := tx.Exec(t.Context(), add, mine); err != nil {
			return err
		}
		meet()
		_, err := tx.Exec(t.Context(), add, other)
		return err
	})
	if n := total(t, pool); n != 6 || tries != 3 {
		t.Errorf("total is %d after %d tries, want 6 after 3", n, tries)
	}
}

func TestSerializationFailureIsRetried(t *testing.T) {
	t.Parallel()
	pool := withSchema(t)
	tries := both(t, pool, func(tx pgx.Tx, mine, other string, meet func()) error {
		if _, err := tx.Exec(t.Context(), `SET TRANSACTION ISOLATION LEVEL SERIALIZABLE`); err != nil {
			return err
		}
		var sum int64
		if err := tx.QueryRow(t.Context(), `SELECT sum(quantity)::bigint FROM item`).Scan(&sum); err != nil {
			return err
		}
		meet()
		_, err := tx.Exec(t.Context(), `UPDATE item SET quantity = $1 WHERE sku = $2`, sum, mine)
		return err
	})
	if n := total(t, pool); n != 5 || tries < 3 { // 1+1, then 2+1: only one after the other makes 5; the server may refuse once more than it must
		t.Errorf("total is %d after %d tries, want 5 after 3 or more", n, tries)
	}
}

func TestRetriesAreBounded(t *testing.T) {
	t.Parallel()
	pool := withSchema(t)
	for code, want := range map[string]int{"40001": 3, "40P01": 3, "23505": 1, "08006": 1} {
		tries := 0
		err := postgres.InTx(t.Context(), pool, func(pgx.Tx) error {
			tries++
			return fmt.Errorf("mine: %w", &pgconn.PgError{Code: code})
		})
		if tries != want || fault.IsTransient(err) != (code != "23505") {
			t.Errorf("%s: %d tries and %v, want %d", code, tries, err, want)
		}
	}
}

func TestConstraintsAreTold(t *testing.T) {
	t.Parallel()
	pool := withSchema(t)
	_, err := pool.Exec(t.Context(), `INSERT INTO item (sku, quantity) VALUES ('a', 1)`)
	if !postgres.IsUnique(err) || postgres.IsCheck(err) || fault.IsTransient(postgres.Classify(err)) {
		t.Errorf("got %v, want a unique violation that stays", err)
	}
	_, err = pool.Exec(t.Context(), `UPDATE item SET quantity = -1`)
	if !postgres.IsCheck(err) || postgres.IsUnique(err) {
		t.Errorf("got %v, want a check violation", err)
	}
}

func TestLostConnectionPasses(t *testing.T) {
	t.Parallel()
	pool := withSchema(t)
	err := postgres.InTx(t.Context(), pool, func(tx pgx.Tx) error {
		var pid int
		if err := tx.QueryRow(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid); err != nil {
			return err
		}
		exec(t, pool, fmt.Sprintf(`SELECT pg_terminate_backend(%d, 5000)`, pid))
		return nil // so that the commit meets it
	})
	if !fault.IsTransient(err) || !strings.Contains(err.Error(), "commit") {
		t.Errorf("got %v, want an error that passes and names the commit", err)
	}
	if n := total(t, pool); n != 2 {
		t.Errorf("the pool is unfit: total is %d", n)
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{
		"08006": true, "40001": true, "40P01": true, "53100": true, "53300": true, "55P03": true, "57014": true,
		"57P01": true, "57P02": true, "57P03": true, "58030": true, "25P03": true,
		"23505": false, "23514": false, "42601": false, "28P01": false, "3D000": false, "57P04": false, "40002": false, "22003": false,
	} {
		if got := fault.IsTransient(postgres.Classify(fmt.Errorf("x: %w", &pgconn.PgError{Code: code}))); got != want {
			t.Errorf("%s: transient=%v, want %v", code, got, want)
		}
	}
	for err, want := range map[error]bool{
		io.ErrUnexpectedEOF: true, &net.OpError{Op: "read", Err: io.EOF}: true, &net.DNSError{Err: "no such host"}: true, net.ErrClosed: true,
		errors.New("mine"): false, pgx.ErrNoRows: false, pgx.ErrTxCommitRollback: false,
	} {
		if got := fault.IsTransient(postgres.Classify(err)); got != want {
			t.Errorf("%v: transient=%v, want %v", err, got, want)
		}
	}
	if postgres.Classify(nil) != nil {
		t.Error("nil became an error")
	}
}
