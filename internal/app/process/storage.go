package process

import (
	"context"
	"fmt"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

// Storage is how a service reaches what it owns.
type Storage struct {
	MaxConns       int    `name:"database-max-conns" env:"VELOZ_DATABASE_MAX_CONNS" default:"10" help:"Connections to PostgreSQL, for each service."`
	Migrate        string `name:"migrate" env:"VELOZ_MIGRATE" default:"auto" enum:"auto,off" help:"auto migrates at the start, under a lock; off refuses to start when a migration is missing."`
	WeakDurability bool   `name:"allow-weak-durability" env:"VELOZ_ALLOW_WEAK_DURABILITY" help:"Start although the database may lose what it has acknowledged. For experiments only."`
}

// Engine is what a service's two engines offer: S is the service's Store.
type Engine[S any] struct {
	SQLite             func(ctx context.Context, path string) (S, error)
	PostgreSQL         func(ctx context.Context, url string, cfg postgres.Config) (S, error)
	SQLiteMigrations   func() fs.FS
	PostgresMigrations func() fs.FS
}

// OpenStore migrates and opens the store at url.
func OpenStore[S any](ctx context.Context, rt *Runtime, cfg Storage, url string, engine Engine[S]) (store S, err error) {
	target, err := database.ParseURL(url)
	if err != nil {
		return store, err
	}
	if err := migrateTarget(ctx, cfg, target, engine.SQLiteMigrations(), engine.PostgresMigrations()); err != nil {
		return store, err
	}
	if target.Engine == database.SQLite {
		return engine.SQLite(ctx, target.Path)
	}
	return engine.PostgreSQL(ctx, target.URL, postgres.Config{MaxConns: cfg.MaxConns, AllowWeakDurability: cfg.WeakDurability,
		ApplicationName: rt.Program.Name, Logger: rt.Log})
}

// MigrateStore brings the schema at url up to date and returns the migrations that were applied.
func MigrateStore[S any](ctx context.Context, url string, engine Engine[S]) ([]string, error) {
	target, err := database.ParseURL(url)
	if err != nil {
		return nil, err
	}
	if target.Engine == database.SQLite {
		return migrate.SQLite(ctx, target.Path, engine.SQLiteMigrations())
	}
	return migrate.Postgres(ctx, target.URL, engine.PostgresMigrations())
}

func migrateTarget(ctx context.Context, cfg Storage, target database.Target, forSQLite, forPostgres fs.FS) error {
	auto := cfg.Migrate != "off"
	var pending []string
	var err error
	switch {
	case target.Engine == database.SQLite && auto:
		_, err = migrate.SQLite(ctx, target.Path, forSQLite)
	case target.Engine == database.SQLite:
		pending, err = migrate.PendingSQLite(ctx, target.Path, forSQLite)
	case auto:
		_, err = migrate.Postgres(ctx, target.URL, forPostgres)
	default:
		pending, err = migrate.PendingPostgres(ctx, target.URL, forPostgres)
	}
	if err != nil {
		return fmt.Errorf("migrate %s: %w", target, err)
	}
	if len(pending) > 0 {
		return fmt.Errorf("%s lacks the migrations %s: run `veloz migrate`, or start without --migrate=off", target, strings.Join(pending, ", "))
	}
	return nil
}

// EnsureSchemas makes schemas in a PostgreSQL database, for services that share one.
func EnsureSchemas(ctx context.Context, url string, schemas ...string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to make schemas: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, schema := range schemas {
		if _, err := conn.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+pgx.Identifier{schema}.Sanitize()); err != nil {
			return fmt.Errorf("make schema %s: %w", schema, err)
		}
	}
	return nil
}
