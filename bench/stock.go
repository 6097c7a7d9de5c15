package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/inventoryapp"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/batch"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// Inventory alone, all on one SKU: batches of holds against one conditional update a hold.
const (
	stockPostgres = "holds, PostgreSQL"
	stockSQLite   = "holds, SQLite"
	stockUpdates  = "pgbench, a conditional update each, 32 clients"
	stockBest     = "pgbench, the same with the best number of clients"
)

const (
	stockTableSQL = `CREATE TABLE stock (sku text PRIMARY KEY, on_hand bigint NOT NULL, held bigint NOT NULL, CHECK (held <= on_hand)) WITH (fillfactor = 50);
INSERT INTO stock VALUES ('BENCH-0000000', 1000000000, 0)`
	// The least that never oversells. It leaves no trace of who holds what, which ours does.
	stockUpdateSQL = `UPDATE stock SET held = held + 1 WHERE sku = 'BENCH-0000000' AND on_hand - held >= 1;` + "\n"
)

// measureStock measures inventory without orders and payments before it.
func (b *bench) measureStock(ctx context.Context) error {
	rooms := map[string]*pipeline{}
	for _, name := range []string{stockPostgres, stockSQLite} {
		room, err := b.openStock(ctx, name == stockPostgres)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		rooms[name] = room
	}
	updates, err := b.updates(ctx)
	if err != nil {
		return err
	}
	for range b.rounds {
		for name, room := range rooms {
			m, err := room.measureHolds(ctx, b.clients, b.brief())
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			say("%-40s %7.0f holds/s", name, m.rate)
			b.results.add(name, "one SKU", m)
		}
		for _, u := range updates {
			m, err := b.pgbench(ctx, u.database, u.script, u.clients)
			if err != nil {
				return fmt.Errorf("%s: %w", u.name, err)
			}
			say("%-40s %7.0f updates/s", u.name, m.rate)
			b.results.add(u.name, "one SKU", m)
		}
	}
	return nil
}

// openStock opens an inventory with one SKU.
func (b *bench) openStock(ctx context.Context, postgres bool) (*pipeline, error) {
	p := &pipeline{skus: 1}
	b.defer_(func() error { p.close(); return nil })
	url := "sqlite://" + filepath.Join(b.dir, "stock.db")
	if postgres {
		var err error
		if url, err = b.newDatabase(ctx, "stock"); err != nil {
			return nil, err
		}
	}
	store, err := openStore(ctx, p, url, inventoryapp.Engine)
	if err != nil {
		return nil, err
	}
	p.inventory = inventory.New(store, clock.System{}, id.SystemSource())
	return p, p.stockUp(ctx)
}

// updates prepares pgbench's part, with the clients that the target names and with those that are best here. None where there
// is no pgbench.
func (b *bench) updates(ctx context.Context) ([]floor, error) {
	if _, err := findPgbench(); err != nil {
		b.omit("%s: %v", stockUpdates, err)
		return nil, nil
	}
	database, err := b.newDatabase(ctx, "updates")
	if err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, stockTableSQL)
	if err := errors.Join(err, conn.Close(ctx)); err != nil {
		return nil, err
	}
	best, err := b.bestClients(ctx, stockBest, database, stockUpdateSQL)
	return []floor{{name: stockUpdates, database: database, script: stockUpdateSQL, clients: 32},
		{name: stockBest, database: database, script: stockUpdateSQL, clients: best}}, err
}

// wish is a hold that waits for its batch, as an order does in the orders service.
type wish struct {
	hold inventory.Hold
	done chan error
}

// measureHolds asks for holds from as many callers as a closed loop has clients, through a stage such as the saga's.
func (p *pipeline) measureHolds(ctx context.Context, callers int, length time.Duration) (m measurement, err error) {
	stage, err := batch.NewStage(batch.Config{Name: "hold", Queue: callers, MaxBatch: 512, Workers: 1}, p.holdBatch)
	if err != nil {
		return m, err
	}
	running, stop := context.WithCancel(ctx)
	var working sync.WaitGroup
	working.Go(func() { stage.Run(running) })
	defer working.Wait()
	defer stop()
	ids := id.SystemSource()
	return closedLoop(callers, length, func() error {
		w := wish{inventory.Hold{OrderID: inventory.OrderID(id.New[wish](ids)), Round: 1, Lines: []inventory.Line{{SKU: inventory.SKU(skuName(0)), Quantity: 1}}}, make(chan error, 1)}
		if err := stage.Submit(w); err != nil {
			return err
		}
		return <-w.done
	})
}

func (p *pipeline) holdBatch(ctx context.Context, wishes []wish) {
	holds := make([]inventory.Hold, len(wishes))
	for i, w := range wishes {
		holds[i] = w.hold
	}
	results, err := p.inventory.Hold(ctx, holds)
	for i, w := range wishes {
		if err == nil && results[i].Verdict != inventory.Held {
			w.done <- fmt.Errorf("order %s: %s", w.hold.OrderID, results[i].Verdict)
			continue
		}
		w.done <- err
	}
}
