package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
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

// Validate is called when the settings are read. More connections than these no PostgreSQL has.
func (s Storage) Validate() error { return config.Between("database-max-conns", s.MaxConns, 1, 10_000) }

// Engine is what a service's two engines offer: S is the service's Store.
type Engine[S any] struct {
	Embedded           Embedded[S]
	PostgreSQL         func(ctx context.Context, url string, cfg postgres.Config) (S, error)
	PostgresMigrations func() fs.FS
}

// Embedded is the engine that needs no server. It is empty in a build with the tag noembedded, which the images of the
// four services have: SQLite is 7 MB of each, and a container keeps no data.
type Embedded[S any] struct {
	Open       func(ctx context.Context, path string) (S, error)
	Migrations func() fs.FS
}

var errNoEmbedded = errors.New("this build has no embedded database: DATABASE_URL must be such as postgres://user:password@host:5432/name")

// OpenStore migrates and opens the store at url.
func OpenStore[S any](ctx context.Context, rt *Runtime, cfg Storage, url string, engine Engine[S]) (store S, err error) {
	target, err := database.ParseURL(url)
	if err != nil {
		return store, err
	}
	if target.Engine == database.SQLite && engine.Embedded.Open == nil {
		return store, errNoEmbedded
	}
	if err := migrateTarget(ctx, cfg, target, engine.Embedded.Migrations, engine.PostgresMigrations); err != nil {
		return store, err
	}
	if target.Engine == database.SQLite {
		return engine.Embedded.Open(ctx, target.Path)
	}
	return engine.PostgreSQL(ctx, target.URL, postgres.Config{MaxConns: cfg.MaxConns, AllowWeakDurability: cfg.WeakDurability,
		ApplicationName: rt.Program.Name, Logger: rt.Log, Tracer: rt.databaseTracer()})
}

// databaseTracer makes a span of each statement, where tracing is on; without its parameters, which may be personal data.
func (rt *Runtime) databaseTracer() pgx.QueryTracer {
	if !rt.Tracing.Enabled() {
		return nil
	}
	return otelpgx.NewTracer(otelpgx.WithTracerProvider(rt.Tracing.Provider()),
		otelpgx.WithDisableConnectionDetailsInAttributes(), otelpgx.WithDisableAcquireTracer())
}

// MigrateStore brings the schema at url up to date and returns the migrations that were applied.
func MigrateStore[S any](ctx context.Context, url string, engine Engine[S]) ([]string, error) {
	target, err := database.ParseURL(url)
	if err != nil {
		return nil, err
	}
	if target.Engine == database.SQLite {
		return migrateSQLite(ctx, target.Path, engine.Embedded.Migrations)
	}
	return migrate.Postgres(ctx, target.URL, engine.PostgresMigrations())
}

func migrateTarget(ctx context.Context, cfg Storage, target database.Target, forSQLite, forPostgres func() fs.FS) error {
	auto := cfg.Migrate != "off"
	var pending []string
	var err error
	switch {
	case target.Engine == database.SQLite && auto:
		_, err = migrateSQLite(ctx, target.Path, forSQLite)
	case target.Engine == database.SQLite:
		pending, err = pendingSQLite(ctx, target.Path, forSQLite)
	case auto:
		_, err = migrate.Postgres(ctx, target.URL, forPostgres())
	default:
		pending, err = migrate.PendingPostgres(ctx, target.URL, forPostgres())
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
