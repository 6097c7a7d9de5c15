//go:build unix

package pgtest_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
)

func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) }) // its server may be gone by then
	return c
}

func value(t *testing.T, c *pgx.Conn, sql string) (v string) {
	t.Helper()
	if err := c.QueryRow(t.Context(), sql).Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEachTestHasItsOwnDatabase(t *testing.T) {
	t.Parallel()
	one, two := connect(t, pgtest.URL(t)), connect(t, pgtest.URL(t))
	if a, b := value(t, one, `SELECT current_database()`), value(t, two, `SELECT current_database()`); a == b {
		t.Errorf("two tests share database %s", a)
	}
	for name, want := range map[string]string{"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"} {
		if got := value(t, one, `SHOW `+name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func start(t *testing.T, settings ...string) *pgtest.Server {
	t.Helper()
	s, err := pgtest.Start(t.Context(), pgtest.Dir(t), settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestDataOutlivesKillAndRestart(t *testing.T) {
	t.Parallel()
	s := start(t, "work_mem=1MB")
	address, err := s.CreateDatabase(t.Context(), `a "name"`)
	if err != nil {
		t.Fatal(err)
	}
	c := connect(t, address)
	if _, err := c.Exec(t.Context(), `CREATE TABLE x AS SELECT 'kept' AS v`); err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func(context.Context) error{"kill": s.Kill, "stop": s.Stop, "nothing": func(context.Context) error { return nil }} {
		if err := end(t.Context()); err != nil {
			t.Fatal(name, err)
		}
		if err := s.Restart(t.Context()); err != nil {
			t.Fatal(name, err)
		}
		c = connect(t, address)
		if got := value(t, c, `SELECT v FROM x`); got != "kept" {
			t.Errorf("after %s: %q", name, got)
		}
	}
	if got := value(t, c, `SHOW work_mem`); got != "1MB" {
		t.Errorf("the setting is %s, want 1MB", got)
	}
}

// TestFailOver kills a primary that waits for its standby: what it has committed is with the standby, which takes over.
func TestFailOver(t *testing.T) {
	t.Parallel()
	primary := start(t)
	standby, err := pgtest.StartStandby(t.Context(), primary, pgtest.Dir(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := standby.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := primary.RequireStandby(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := connect(t, primary.URL("postgres")).Exec(t.Context(), `CREATE TABLE x AS SELECT 'kept' AS v`); err != nil {
		t.Fatal(err)
	}
	if err := primary.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := standby.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := connect(t, standby.URL("postgres"))
	if _, err := c.Exec(t.Context(), `INSERT INTO x VALUES ('new')`); err != nil {
		t.Fatal(err)
	}
	if got := value(t, c, `SELECT string_agg(v, ' ' ORDER BY v) FROM x`); got != "kept new" {
		t.Errorf("after the fail-over: %q", got)
	}
}

func TestStartTellsWhatTheServerSaid(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // initdb takes its time on a busy machine
	defer cancel()
	_, err := pgtest.Start(ctx, pgtest.Dir(t), "no_such_setting=1")
	if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("got %v, want the server's own words", err)
	}
}

// The test binary runs itself as the process that is killed.
const childEnv = "PGTEST_CHILD"

func TestServerDiesWithTheTestProcess(t *testing.T) {
	t.Parallel()
	if os.Getenv(childEnv) != "" {
		os.Stdout.WriteString("pid " + value(t, connect(t, pgtest.URL(t)), `SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)`+
			` || ' ' || current_setting('data_directory')`) + "\n")
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestServerDiesWithTheTestProcess$")
	cmd.Env = append(os.Environ(), childEnv+"=1", "VELOZ_TEST_DATABASE_URL=") // a given server is not ours to lose
	out, err := cmd.Output()
	_, line, found := strings.Cut(string(out), "pid ")
	if err == nil || !found {
		t.Fatalf("the child was not killed: %v %s", err, out)
	}
	pid, data, _ := strings.Cut(strings.TrimSpace(line), " ")
	awaitGone(t, "/proc/"+pid)
	awaitGone(t, filepath.Dir(data))
}

// awaitGone polls, because nobody signals that a folder is gone.
func awaitGone(t *testing.T, path string) {
	t.Helper()
	probe := exec.CommandContext(t.Context(), "sh", "-c", `i=0; while [ -e "$1" ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i+1)); done; [ ! -e "$1" ]`, "probe", path)
	if err := probe.Run(); err != nil {
		t.Errorf("%s is still there: %v", path, err)
	}
}
