package migrate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Another replica that migrates is asked once a second, for five minutes, whether it is done.
const (
	lockPeriodSeconds = 1
	lockAttempts      = 300
)

// Postgres applies what is pending and answers the names of the files. It waits for a database that is not up yet, as
// postgres.Open does, and takes turns with other replicas by goose's advisory lock.
func Postgres(ctx context.Context, url string, fsys fs.FS) (applied []string, err error) {
	pool, err := openPool(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	defer pool.Close()
	pending, err := pendingIn(ctx, pool, fsys)
	if err != nil || len(pending) == 0 {
		return nil, err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(lockPeriodSeconds, lockAttempts))
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	db := stdlib.OpenDBFromPool(pool)
	applied, err = up(ctx, goose.DialectPostgres, db, fsys, goose.WithSessionLocker(locker))
	if err := errors.Join(err, db.Close()); err != nil {
		return applied, fmt.Errorf("migrate: %w", postgres.Classify(err))
	}
	return applied, nil
}

// PendingPostgres answers the names of the migrations that Postgres would apply. It changes nothing.
func PendingPostgres(ctx context.Context, url string, fsys fs.FS) ([]string, error) {
	pool, err := openPool(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("look for pending migrations: %w", err)
	}
	defer pool.Close()
	return pendingIn(ctx, pool, fsys)
}

// openPool leaves the refusal of a weak server to the service that acknowledges orders: it opens its own pool next.
func openPool(ctx context.Context, url string) (*pgxpool.Pool, error) {
	return postgres.Open(ctx, url, postgres.Config{MaxConns: 2, ApplicationName: "migrate", AllowWeakDurability: true})
}

func pendingIn(ctx context.Context, pool *pgxpool.Pool, fsys fs.FS) ([]string, error) {
	all, err := sources(fsys)
	if err != nil {
		return nil, err
	}
	applied, err := appliedIn(ctx, pool)
	if err != nil {
		return nil, fmt.Errorf("read the applied migrations: %w", postgres.Classify(err))
	}
	return missing(all, applied), nil
}

func appliedIn(ctx context.Context, pool *pgxpool.Pool) ([]int64, error) {
	var exists bool
	if err := pool.QueryRow(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&exists); err != nil || !exists {
		return nil, err
	}
	rows, err := pool.Query(ctx, appliedSQL)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}
