package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed schema.sql
var schema string

var (
	errOutOfStock = errors.New("out of stock")
	errKeyUsed    = errors.New("the idempotency key was used")
)

// line is one item of an order.
type line struct {
	SKU      string `json:"sku"`
	Name     string `json:"name"`
	Quantity int64  `json:"quantity"`
	Price    int64  `json:"unit_price_cents"`
}

// order is what is placed. Lines are in the order of their SKUs, in which rows are locked.
type order struct {
	id, payment   uuid.UUID
	key, email    string
	customer      json.RawMessage
	lines         []line
	method, token string
	total         int64
	at            time.Time
}

// placer makes an order durable, its stock held and its payment made, or returns errOutOfStock or errKeyUsed.
type placer func(ctx context.Context, db *pgxpool.Pool, o *order) error

const (
	insertOrder = `INSERT INTO orders (id, idempotency_key, status, email, customer, items, total_cents, created_at, updated_at)
		VALUES ($1, $2, 'placed', $3, $4, '[]', 0, $5, $5)`
	holdStock     = `UPDATE stock SET held = held + $2 WHERE sku = $1 AND on_hand - held >= $2 RETURNING name, price_cents`
	insertPayment = `INSERT INTO payments (id, order_id, method, token, amount_cents, status, created_at) VALUES ($1, $2, $3, $4, $5, 'paid', $6)`
	confirmOrder  = `UPDATE orders SET status = 'confirmed', items = $2, total_cents = $3, updated_at = $4 WHERE id = $1 AND status = 'placed'`
	insertEvent   = `INSERT INTO order_events (order_id, version, type, at) VALUES ($1, 1, 'order.confirmed', $2)`
)

// placeInTransaction is the design that a good team writes first: one transaction an order, one statement a change.
func placeInTransaction(ctx context.Context, db *pgxpool.Pool, o *order) error {
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, insertOrder, o.id, o.key, o.email, o.customer, o.at); err != nil {
			return err
		}
		for i := range o.lines {
			l := &o.lines[i]
			err := tx.QueryRow(ctx, holdStock, l.SKU, l.Quantity).Scan(&l.Name, &l.Price)
			if errors.Is(err, pgx.ErrNoRows) {
				return errOutOfStock
			}
			if err != nil {
				return err
			}
			o.total += l.Price * l.Quantity
		}
		if _, err := tx.Exec(ctx, insertPayment, o.payment, o.id, o.method, o.token, o.total, o.at); err != nil {
			return err
		}
		items, err := json.Marshal(o.lines)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, confirmOrder, o.id, items, o.total, o.at); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, insertEvent, o.id, o.at)
		return err
	})
}

// placeByFunction is the same transaction in one round trip.
func placeByFunction(ctx context.Context, db *pgxpool.Pool, o *order) error {
	skus, quantities := make([]string, len(o.lines)), make([]int64, len(o.lines))
	for i, l := range o.lines {
		skus[i], quantities[i] = l.SKU, l.Quantity
	}
	var names []string
	var prices []int64
	err := db.QueryRow(ctx, `SELECT total, names, prices FROM place_order($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		o.id, o.payment, o.key, o.email, o.customer, skus, quantities, o.method, o.token, o.at).Scan(&o.total, &names, &prices)
	if err != nil {
		return err
	}
	for i := range o.lines {
		o.lines[i].Name, o.lines[i].Price = names[i], prices[i]
	}
	return nil
}

// classify names the errors that a caller is told.
func classify(err error) error {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		switch server.Code {
		case "VZ001":
			return errOutOfStock
		case "23505":
			return errKeyUsed
		}
	}
	return err
}

func sortLines(lines []line) {
	slices.SortFunc(lines, func(a, b line) int { return strings.Compare(a.SKU, b.SKU) })
}

// prepare makes the schema and n SKUs with much stock each, unless they are there.
func prepare(ctx context.Context, db *pgxpool.Pool, prefix string, n int) error {
	var there bool
	if err := db.QueryRow(ctx, `SELECT to_regclass('stock') IS NOT NULL`).Scan(&there); err != nil || there {
		return err
	}
	if _, err := db.Exec(ctx, schema); err != nil {
		return fmt.Errorf("make the schema: %w", err)
	}
	_, err := db.Exec(ctx, `INSERT INTO stock SELECT $1 || '-' || lpad(i::text, 7, '0'), 'Load ' || i, 100 + i % 1000, 1000000000, 0
		FROM generate_series(0, $2 - 1) AS i`, prefix, n)
	if err != nil {
		return fmt.Errorf("stock up: %w", err)
	}
	_, err = db.Exec(ctx, `ANALYZE`)
	return err
}

// customerJSON is a customer as it is stored.
func customerJSON(name, email string) json.RawMessage {
	var b bytes.Buffer
	_ = json.NewEncoder(&b).Encode(map[string]string{"name": name, "email": email}) // strings encode
	return b.Bytes()
}
