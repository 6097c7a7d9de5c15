package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The floor is what PostgreSQL does with the conventional designs' SQL without a service before it; the ceiling is what
// our pipeline does without HTTP before it.
const (
	floorTransaction = "floor: pgbench, transaction"
	floorFunction    = "floor: pgbench, stored function"
	ceilingSQLite    = "ceiling: in process, SQLite"
	ceilingPostgres  = "ceiling: in process, PostgreSQL"
)

// floorTransactionSQL is conventional's transaction. %s is the SKU's number.
const floorTransactionSQL = `\set sku %s
SELECT gen_random_uuid() AS id, gen_random_uuid() AS payment \gset
BEGIN;
INSERT INTO orders (id, idempotency_key, status, email, customer, items, total_cents, created_at, updated_at)
	VALUES (:id, :id, 'placed', 'buyer@example.com', '{"name":"Ana Souza","email":"buyer@example.com"}', '[]', 0, now(), now());
UPDATE stock SET held = held + 1 WHERE sku = 'BENCH-' || lpad((:sku)::text, 7, '0') AND on_hand - held >= 1 RETURNING name, price_cents;
INSERT INTO payments (id, order_id, method, token, amount_cents, status, created_at) VALUES (:payment, :id, 'card', 'tok_approved', 100, 'paid', now());
UPDATE orders SET status = 'confirmed', items = '[{"sku":"BENCH","name":"Load","quantity":1,"unit_price_cents":100}]', total_cents = 100, updated_at = now()
	WHERE id = :id AND status = 'placed';
INSERT INTO order_events (order_id, version, type, at) VALUES (:id, 1, 'order.confirmed', now());
COMMIT;
`

const floorFunctionSQL = `\set sku %s
SELECT total FROM place_order(gen_random_uuid(), gen_random_uuid(), gen_random_uuid()::text, 'buyer@example.com',
	'{"name":"Ana Souza","email":"buyer@example.com"}', ARRAY['BENCH-' || lpad((:sku)::text, 7, '0')], ARRAY[1::bigint], 'card', 'tok_approved', now());
`

// weigh notes how large the programs and, where they were built, their images are.
func (b *bench) weigh() error {
	for _, program := range programs {
		name := filepath.Base(program)
		info, err := os.Stat(filepath.Join(b.bin, name))
		if err != nil {
			return err
		}
		b.results.sizes[name] = info.Size()
	}
	b.results.images = imageSizes(context.Background())
	return nil
}

// imageSizes are in bytes, by image; none without Docker, or before make images.
func imageSizes(ctx context.Context) map[string]int64 {
	names, err := exec.CommandContext(ctx, "docker", "image", "ls", "--filter", "reference=*/*/pedidos-veloz*:latest", "--format", "{{.Repository}}").Output()
	if err != nil {
		return nil
	}
	sizes := map[string]int64{}
	for _, name := range strings.Fields(string(names)) {
		out, err := exec.CommandContext(ctx, "docker", "image", "inspect", "--format", "{{.Size}}", name).Output()
		size, parseErr := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
		if err == nil && parseErr == nil { // with an error it was removed meanwhile
			sizes[path.Base(name)] = size
		}
	}
	return sizes
}

// floor is one of the conventional designs' transactions under a workload, on that design's database.
type floor struct {
	name, workload, database, script string
	clients                          int // at which pgbench is at its best
}

// openFloors tunes the floors. None without pgbench.
func (b *bench) openFloors(ctx context.Context) ([]floor, error) {
	if _, err := findPgbench(); err != nil {
		b.omit("the floor: %v", err)
		return nil, nil
	}
	var floors []floor
	for _, w := range workloads {
		sku := fmt.Sprintf("random(0, %d)", b.skus-1)
		if w.name == "one SKU" {
			sku = "0"
		}
		for _, f := range []floor{{name: floorTransaction, database: "transaction_", script: floorTransactionSQL},
			{name: floorFunction, database: "function_", script: floorFunctionSQL}} {
			f.workload, f.script = w.name, fmt.Sprintf(f.script, sku)
			f.database = b.postgres.URL(f.database + strings.ReplaceAll(w.name, " ", "_"))
			var err error
			if f.clients, err = b.bestClients(ctx, f.name+", "+w.name, f.database, f.script); err != nil {
				return nil, err
			}
			floors = append(floors, f)
		}
	}
	return floors, nil
}

func (b *bench) measureFloors(ctx context.Context, floors []floor) error {
	for _, f := range floors {
		m, err := b.pgbench(ctx, f.database, f.script, f.clients)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		b.results.add(f.name, f.workload, m)
	}
	return nil
}

// bestClients tries as many clients as the conventional designs try connections.
func (b *bench) bestClients(ctx context.Context, name, database, script string) (best int, err error) {
	most := 0.0
	for _, clients := range b.tune {
		m, err := b.pgbench(ctx, database, script, clients)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		say("  %s, %d clients: %.0f/s", name, clients, m.rate)
		if m.rate > most {
			best, most = clients, m.rate
		}
	}
	b.results.pools[name] = best
	return best, nil
}

func findPgbench() (string, error) {
	return findProgram("pgbench", "/usr/lib/postgresql/*/bin/pgbench")
}

var (
	pgbenchRate    = regexp.MustCompile(`tps = ([0-9.]+)`)
	pgbenchLatency = regexp.MustCompile(`latency average = ([0-9.]+) ms`)
)

// pgbench runs a script from so many clients.
func (b *bench) pgbench(ctx context.Context, database, script string, clients int) (m measurement, err error) {
	program, err := findPgbench()
	if err != nil {
		return m, err
	}
	u, err := url.Parse(database)
	if err != nil {
		return m, err
	}
	file := filepath.Join(b.dir, "floor.sql")
	if err := os.WriteFile(file, []byte(script), 0o644); err != nil {
		return m, err
	}
	at := &instance{plan: plan{postgres: true}}
	before, err := b.costs(ctx, at)
	if err != nil {
		return m, err
	}
	seconds := max(1, int(b.brief()/time.Second))
	out, err := exec.CommandContext(ctx, program, "-n", "-M", "prepared", "-c", strconv.Itoa(clients), "-j", "2", "-T", strconv.Itoa(seconds),
		"-h", u.Hostname(), "-p", u.Port(), "-U", u.User.Username(), "-f", file, strings.TrimPrefix(u.Path, "/")).CombinedOutput()
	if err != nil {
		return m, fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	rate, latency := pgbenchRate.FindSubmatch(out), pgbenchLatency.FindSubmatch(out)
	if rate == nil || latency == nil {
		return m, fmt.Errorf("pgbench said\n%s", out)
	}
	m.rate, err = strconv.ParseFloat(string(rate[1]), 64)
	mean, latencyErr := strconv.ParseFloat(string(latency[1]), 64)
	m.p50 = time.Duration(mean * float64(time.Millisecond)) // pgbench tells the mean only
	m.orders = m.rate * float64(seconds)
	after, costErr := b.costs(ctx, at)
	m.charge(before, after)
	delete(m.cpu, generatorName) // it only waits
	return m, errors.Join(err, latencyErr, costErr)
}

func (b *bench) walPosition(ctx context.Context) (position int64, err error) {
	err = b.admin.QueryRow(ctx, `SELECT (pg_current_wal_lsn() - '0/0')::bigint`).Scan(&position)
	return position, err
}
