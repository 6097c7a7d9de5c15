package migrate_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
)

var (
	first  = map[string]string{"00001_item.sql": `CREATE TABLE item (sku TEXT PRIMARY KEY);`}
	second = map[string]string{
		"00001_item.sql": first["00001_item.sql"],
		// Not idempotent, so that a second run would show.
		"00002_seed.sql":     `INSERT INTO item (sku) VALUES ('a');`,
		"00010_quantity.sql": `ALTER TABLE item ADD COLUMN quantity BIGINT NOT NULL DEFAULT 0 CHECK (quantity >= 0);`,
	}
	broken = map[string]string{"00001_item.sql": first["00001_item.sql"], "00002_broken.sql": `CREATE TABLE other (x TEXT); SELECT nothing_there;`}
	names  = []string{"00001_item.sql", "00002_seed.sql", "00010_quantity.sql"}
)

func files(sql map[string]string) fs.FS {
	fsys := fstest.MapFS{}
	for name, text := range sql {
		fsys[name] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + text + "\n")}
	}
	return fsys
}

// engine is what both engines must do alike.
type engine struct {
	fresh   func(t *testing.T) (address string)
	apply   func(ctx context.Context, address string, fsys fs.FS) ([]string, error)
	pending func(ctx context.Context, address string, fsys fs.FS) ([]string, error)
}

var engines = map[string]engine{
	"sqlite": {
		fresh:   func(t *testing.T) string { return filepath.Join(t.TempDir(), "data", "orders.db") },
		apply:   migrate.SQLite,
		pending: migrate.PendingSQLite,
	},
	"postgres": {
		fresh:   func(t *testing.T) string { return pgtest.URL(t) },
		apply:   migrate.Postgres,
		pending: migrate.PendingPostgres,
	},
}

func onEach(t *testing.T, fn func(t *testing.T, e engine, address string)) {
	t.Parallel()
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn(t, e, e.fresh(t))
		})
	}
}

func expect(t *testing.T, what string, got []string, err error, want []string) {
	t.Helper()
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%s: got %v %v, want %v", what, got, err, want)
	}
}

func TestApplyStepByStep(t *testing.T) {
	onEach(t, func(t *testing.T, e engine, address string) {
		ctx := t.Context()
		got, err := e.pending(ctx, address, files(second))
		expect(t, "pending at first", got, err, names)
		got, err = e.apply(ctx, address, files(first))
		expect(t, "the first version", got, err, names[:1])
		got, err = e.pending(ctx, address, files(second))
		expect(t, "pending then", got, err, names[1:])
		got, err = e.apply(ctx, address, files(second))
		expect(t, "the second version", got, err, names[1:])
		got, err = e.apply(ctx, address, files(second))
		expect(t, "once more", got, err, nil)
		got, err = e.apply(ctx, address, files(first))
		expect(t, "an older program", got, err, nil)
		got, err = e.pending(ctx, address, files(second))
		expect(t, "pending at last", got, err, nil)
	})
}

func TestMigratorsTakeTurns(t *testing.T) {
	onEach(t, func(t *testing.T, e engine, address string) {
		var mu sync.Mutex
		var all []string
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				got, err := e.apply(t.Context(), address, files(second))
				mu.Lock()
				defer mu.Unlock()
				all = append(all, got...)
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		slices.Sort(all)
		expect(t, "all together", all, nil, names)
	})
}

func TestBrokenMigrationLeavesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, e engine, address string) {
		got, err := e.apply(t.Context(), address, files(broken))
		if err == nil || !slices.Equal(got, names[:1]) {
			t.Errorf("got %v %v, want the first one and an error", got, err)
		}
		got, err = e.pending(t.Context(), address, files(broken))
		expect(t, "pending", got, err, []string{"00002_broken.sql"})
		mended := map[string]string{"00001_item.sql": first["00001_item.sql"], "00002_broken.sql": `CREATE TABLE other (x TEXT);`}
		got, err = e.apply(t.Context(), address, files(mended))
		expect(t, "mended", got, err, []string{"00002_broken.sql"})
	})
}

func TestNoMigrationIsAnError(t *testing.T) {
	onEach(t, func(t *testing.T, e engine, address string) {
		if _, err := e.apply(t.Context(), address, files(nil)); err == nil {
			t.Error("an empty folder was accepted")
		}
	})
}

func TestMigratedFilesBelongToTheOwnerOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "orders.db")
	if _, err := migrate.SQLite(t.Context(), path, files(second)); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) == 0 {
		t.Fatal(entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, want mode 0600", e.Name(), errors.Join(err))
		}
	}
}

func BenchmarkThreeFilesUpToDate(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		for _, name := range []string{"a.db", "b.db", "c.db"} {
			if _, err := migrate.SQLite(b.Context(), filepath.Join(dir, name), files(second)); err != nil {
				b.Fatal(err)
			}
		}
	}
}
