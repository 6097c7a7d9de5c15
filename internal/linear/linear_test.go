package linear_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory/sqlite"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
	db "github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

var worlds = flag.Int("worlds", 20, "histories of each shape")

// calmWorlds are those without faults, of all: in them nothing can hide behind an outcome that stays unknown.
const calmWorlds = 3

func TestSQLite(t *testing.T) {
	t.Parallel()
	linearizable(t, []inventory.Store{openSQLite(t)}, faults{cancel: 4})
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	linearizable(t, []inventory.Store{openPostgres(t, url)}, faults{cancel: 2, kill: killer(t, url)})
}

// TestTwoInstances: two processes' worth of the service, whose batches meet in the database alone.
func TestTwoInstances(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	linearizable(t, []inventory.Store{openPostgres(t, url), openPostgres(t, url)}, faults{cancel: 2, kill: killer(t, url)})
}

func linearizable(t *testing.T, stores []inventory.Store, f faults) {
	t.Helper()
	seed, histories, calls, unknown := rand.Uint64(), 0, 0, 0
	for n := range *worlds {
		here := f
		if n%calmWorlds == 0 {
			here = faults{}
		}
		results, open, made := newWorld(t, seed+uint64(n), stores, here).run()
		for i, result := range results {
			if result != porcupine.Ok {
				t.Errorf("seed %d, SKU %d: the history is %s", seed+uint64(n), i, result)
			}
		}
		histories, calls, unknown = histories+len(results), calls+made, unknown+open
	}
	t.Logf("%d histories of %d calls are linearizable; the outcome of %d calls stayed unknown", histories, calls, unknown)
	if *worlds >= 2*calmWorlds && unknown == 0 {
		t.Error("no outcome was unknown: the faults do not work")
	}
}

func openSQLite(t *testing.T) inventory.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "inventory.db")
	if _, err := migrate.SQLite(t.Context(), path, sqlite.Migrations()); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, store)
	return store
}

func migrated(t *testing.T) string {
	t.Helper()
	url := pgtest.URL(t)
	if _, err := migrate.Postgres(t.Context(), url, postgres.Migrations()); err != nil {
		t.Fatal(err)
	}
	return url
}

func openPostgres(t *testing.T, url string) inventory.Store {
	t.Helper()
	store, err := postgres.Open(t.Context(), url, db.Config{ApplicationName: victim})
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, store)
	return store
}

func closeAfter(t *testing.T, store inventory.Store) {
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
}

// victim is what the connections are called that may be killed.
const victim = "linear"

// killSQL prefers a connection that is at work.
const killSQL = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = $1 ORDER BY state <> 'idle' DESC, random() LIMIT 1`

func killer(t *testing.T, url string) func(context.Context) error {
	t.Helper()
	return func(ctx context.Context) error {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		_, err = conn.Exec(ctx, killSQL, victim)
		return err
	}
}
