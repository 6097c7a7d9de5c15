package postgres_test

import (
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory"
	"github.com/pedidos-veloz/pedidos-veloz/internal/inventory/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
	db "github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/id"
)

// TestImbalancesAreFound writes past the store, one item at a time; internal/audit does the same on SQLite.
func TestImbalancesAreFound(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	if _, err := migrate.Postgres(t.Context(), url, postgres.Migrations()); err != nil {
		t.Fatal(err)
	}
	store, err := postgres.Open(t.Context(), url, db.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	ids := id.NewSource(clock.System{}, rand.Reader)
	hold := inventory.Hold{OrderID: inventory.OrderID(id.New[struct{}](ids)), Round: 1}
	for _, sku := range []inventory.SKU{"held", "lost", "moved", "sound", "stocked"} {
		if _, err := store.PutItem(t.Context(), inventory.Item{SKU: sku, Name: "x", Price: 1, CreatedAt: time.Now(), UpdatedAt: time.Now()}); err != nil {
			t.Fatal(err)
		}
		adjustment := inventory.NewAdjustment{Adjustment: inventory.Adjustment{ID: inventory.AdjustmentID(id.New[struct{}](ids)), SKU: sku, Delta: 5, Reason: "delivery", CreatedAt: time.Now()}}
		copy(adjustment.Key[:], sku)
		if _, err := store.Adjust(t.Context(), adjustment, ids); err != nil {
			t.Fatal(err)
		}
		hold.Lines = append(hold.Lines, inventory.Line{SKU: sku, Quantity: 2})
	}
	if _, err := store.Hold(t.Context(), []inventory.Hold{hold}, time.Now(), ids); err != nil {
		t.Fatal(err)
	}
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	for _, sql := range []string{
		`UPDATE items SET held = held + 1 WHERE sku = 'held'`, `UPDATE items SET on_hand = on_hand + 1 WHERE sku = 'stocked'`,
		`DELETE FROM movements WHERE sku = 'moved' AND kind = 'hold'`,
		`UPDATE holds SET lines = replace(lines::text, '"lost","name":"x","quantity":2', '"lost","name":"x","quantity":1')::json`,
	} {
		if _, err := c.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	found, err := store.Imbalances(t.Context(), 9)
	want := []inventory.Imbalance{
		{SKU: "held", OnHand: 5, Held: 3, MovedOnHand: 5, MovedHeld: 2, OrdersHold: 2},
		{SKU: "lost", OnHand: 5, Held: 2, MovedOnHand: 5, MovedHeld: 2, OrdersHold: 1},
		{SKU: "moved", OnHand: 5, Held: 2, MovedOnHand: 5, OrdersHold: 2},
		{SKU: "stocked", OnHand: 6, Held: 2, MovedOnHand: 5, MovedHeld: 2, OrdersHold: 2},
	}
	if err != nil || !slices.Equal(found, want) {
		t.Errorf("found %+v, %v; want %+v", found, err, want)
	}
	if one, err := store.Imbalances(t.Context(), 1); err != nil || len(one) != 1 {
		t.Errorf("with a limit of one: %+v, %v", one, err)
	}
}
