// Package postgres opens PostgreSQL the way the product needs it: bounded, durable or not at all, and patient with a
// database that comes up later than its service.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

const (
	defaultMaxConns = 10
	connectTimeout  = 5 * time.Second
	// patience bounds the wait for a database when the caller's context has no deadline.
	patience = time.Minute
	// A process that is stopped in the middle of a transaction keeps its row locks; on a hot SKU everybody waits for it.
	idleInTransaction = "30s"
	firstPause        = 100 * time.Millisecond
	longestPause      = 2 * time.Second
)

// Config shapes a pool. Its zero value is usable.
type Config struct {
	// MaxConns bounds the connections; 0 means 10. All replicas of a service together must stay below the server's max_connections.
	MaxConns int
	// AllowWeakDurability accepts a server that can forget what it has committed. Acknowledged orders can then be lost.
	AllowWeakDurability bool
	// ApplicationName is what pg_stat_activity shows.
	ApplicationName string
	// Parameters are settings of every session, such as the planner's; the URL's own win over them.
	Parameters map[string]string
	// Tracer sees every query. It may be nil.
	Tracer pgx.QueryTracer
	// Logger hears of every attempt to connect that did not work. Nil means slog.Default.
	Logger *slog.Logger
}

// Open answers a pool with at least one connection that works. While the database cannot be reached it tries again, until
// ctx's deadline or for a minute when there is none; an error that would stay, such as a wrong password, ends the wait.
//
// It refuses a server that acknowledges commits before they are on its disk, and checks that on every connection.
func Open(ctx context.Context, url string, cfg Config) (*pgxpool.Pool, error) {
	pc, err := cfg.pool(url)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := cfg.await(ctx, pool); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	return pool, nil
}

// parameters hold for every connection, unless its URL says otherwise.
var parameters = map[string]string{
	"idle_in_transaction_session_timeout": idleInTransaction,
	// Every statement has its index. A plan that is kept since its table was small would otherwise read all of it for every
	// batch: 64 charges were saved in 92 µs each where the index takes 32.
	"enable_seqscan": "off",
	// No statement is worth compiling. One that does read a whole table looks so dear without enable_seqscan that the server
	// compiles it each time: a sum over 2,000 items took 300 ms instead of one.
	"jit": "off",
}

func (cfg Config) pool(url string) (*pgxpool.Config, error) {
	pc, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The parser's own message repeats parts of the URL, and any part may be a mistyped password.
		return nil, errors.New("the URL is not a valid PostgreSQL address")
	}
	pc.MaxConns = defaultMaxConns
	if cfg.MaxConns > 0 {
		pc.MaxConns = int32(cfg.MaxConns)
	}
	pc.MinConns = 0
	pc.MaxConnLifetimeJitter = pc.MaxConnLifetime / 10 // replicas that started together do not reconnect together
	conn := pc.ConnConfig
	if conn.ConnectTimeout == 0 {
		conn.ConnectTimeout = connectTimeout
	}
	conn.DialFunc = dial
	conn.Tracer = cfg.Tracer
	if cfg.ApplicationName != "" {
		conn.RuntimeParams["application_name"] = cfg.ApplicationName
	}
	for _, params := range []map[string]string{cfg.Parameters, parameters} {
		for name, value := range params {
			if _, given := conn.RuntimeParams[name]; !given {
				conn.RuntimeParams[name] = value
			}
		}
	}
	pc.AfterConnect = cfg.afterConnect
	return pc, nil
}

func (cfg Config) await(ctx context.Context, pool *pgxpool.Pool) error {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	log := cfg.Logger
	if log == nil {
		log = slog.Default()
	}
	ceiling := firstPause
	for attempt := 1; ; attempt++ {
		err := Classify(pool.Ping(ctx))
		if err == nil || !fault.IsTransient(err) {
			return err
		}
		log.WarnContext(ctx, "database is not ready, trying again", "attempt", attempt, "error", err)
		if pause(ctx, ceiling) != nil {
			return fmt.Errorf("gave up after %d attempts: %w", attempt, err)
		}
		ceiling = min(2*ceiling, longestPause)
	}
}

func (cfg Config) afterConnect(ctx context.Context, c *pgx.Conn) error {
	speedUpArrays(c)
	if cfg.AllowWeakDurability {
		return nil
	}
	return checkDurability(ctx, c)
}

const durabilitySQL = `SELECT coalesce(current_setting('fsync', true), ''), coalesce(current_setting('synchronous_commit', true), '')`

// checkDurability is rule 3. `local` and `remote_write` are refused too: with a standby they acknowledge before it has
// the commit on its disk, and a failover loses the order.
func checkDurability(ctx context.Context, c *pgx.Conn) error {
	var fsync, commit string
	// The simple protocol, because a prepared statement that is used once a connection costs another round trip.
	if err := c.QueryRow(ctx, durabilitySQL, pgx.QueryExecModeSimpleProtocol).Scan(&fsync, &commit); err != nil {
		return fmt.Errorf("read the durability settings: %w", err)
	}
	if fsync == "on" && (commit == "on" || commit == "remote_apply") {
		return nil
	}
	return fmt.Errorf("the server runs with fsync=%q and synchronous_commit=%q and can lose acknowledged orders: "+
		"set fsync=on and synchronous_commit=on (ALTER SYSTEM SET, then SELECT pg_reload_conf(); look at ALTER DATABASE and ALTER ROLE settings too), "+
		"or allow weak durability explicitly", fsync, commit)
}

// pause waits for a random part of ceiling (full jitter), so that what failed together does not return together.
func pause(ctx context.Context, ceiling time.Duration) error {
	t := time.NewTimer(rand.N(ceiling))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
