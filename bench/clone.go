package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// archive makes a platform's tables large. Millions of orders are not placed one by one: what the platform wrote for a
// few thousand is copied, with other ids, keys, buyers and times, in the order of time and older than all that is there.
// So every row is one that the product wrote, and a change of its schema needs none here. Documents inside rows stay as
// they are, and so does the stock of items: nobody audits what was made up.
type archive struct {
	conn   *pgx.Conn
	tables []string // INSERT … SELECT statements, of copies $1 down to $2
	orders int      // of the template
	copies int      // so far
}

// cloneStepMS is the time between two copies of the template, twenty minutes, which is longer than the template took.
const cloneStepMS = `1200000`

// An id's first 48 bits are its milliseconds, and the rest of it is random. The function is not STRICT, which would keep the
// planner from inlining it: ten million orders call it ninety million times.
const cloneIDSQL = `CREATE FUNCTION pg_temp.clone(id uuid, copy int) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT encode(overlay(uuid_send(id) PLACING substring(int8send(('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint
		- copy::bigint * ` + cloneStepMS + `) FROM 3) FROM 1), 'hex')::uuid $$`

// What stays as it is: the catalogue, whose stock is of now, what is still to be done, and the migrations' own tables.
const cloneColumnsSQL = `SELECT c.table_schema || '.' || c.table_name, c.column_name, c.data_type
FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema IN ('orders', 'payments', 'inventory') AND t.table_type = 'BASE TABLE'
	AND c.table_name NOT IN ('items', 'adjustments', 'open_orders') AND c.table_name NOT LIKE 'goose%'
ORDER BY 1, c.ordinal_position`

// openArchive takes what is in the database as the template, once nothing in it is under way.
func openArchive(ctx context.Context, database string) (a *archive, err error) {
	a = &archive{}
	if a.conn, err = pgx.Connect(ctx, database); err != nil {
		return nil, err
	}
	// What is lost in a crash of the filling is filled again: nobody was told of it.
	for _, sql := range []string{`SET synchronous_commit = off`, `SET work_mem = '64MB'`, cloneIDSQL} {
		if _, err := a.conn.Exec(ctx, sql); err != nil {
			return a, err
		}
	}
	if err := errors.Join(a.awaitRest(ctx), a.readTables(ctx)); err != nil {
		return a, err
	}
	return a, a.conn.QueryRow(ctx, `SELECT count(*) FROM orders.orders`).Scan(&a.orders)
}

func (a *archive) awaitRest(ctx context.Context) error {
	for open := true; open; {
		if err := a.conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM orders.open_orders)`).Scan(&open); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

func (a *archive) readTables(ctx context.Context) error {
	rows, err := a.conn.Query(ctx, cloneColumnsSQL)
	if err != nil {
		return err
	}
	columns := map[string][][2]string{}
	var table, column, kind string
	if _, err := pgx.ForEachRow(rows, []any{&table, &column, &kind}, func() error {
		columns[table] = append(columns[table], [2]string{column, kind})
		return nil
	}); err != nil {
		return err
	}
	for _, table := range sortedKeys(columns) {
		if _, err := a.conn.Exec(ctx, `CREATE TEMP TABLE "`+table+`" AS SELECT * FROM `+table); err != nil {
			return fmt.Errorf("take %s as a template: %w", table, err)
		}
		a.tables = append(a.tables, cloneStatement(table, columns[table]))
	}
	return nil
}

func cloneStatement(table string, columns [][2]string) string {
	var names, values []string
	for _, column := range columns {
		names = append(names, column[0])
		values = append(values, cloneValue(column[0], column[1]))
	}
	return fmt.Sprintf(`INSERT INTO %s (%s) SELECT %s FROM generate_series($1::int, $2::int, -1) AS copy, pg_temp."%s" AS t ORDER BY copy DESC, t.%s`,
		table, strings.Join(names, ", "), strings.Join(values, ", "), table, columns[0][0])
}

// cloneValue is a column's value in a copy.
func cloneValue(name, kind string) string {
	column := "t." + name
	switch {
	case kind == "uuid":
		return `pg_temp.clone(` + column + `, copy)`
	case kind == "bytea":
		return `sha256(` + column + ` || int4send(copy))`
	case kind == "bigint" && (name == "at" || strings.HasSuffix(name, "_at")):
		return column + ` - copy::bigint * 1000 * ` + cloneStepMS
	case name == "email":
		return `'c' || copy || '-' || ` + column
	}
	return column
}

// fill brings the orders up to about n, the oldest first.
func (a *archive) fill(ctx context.Context, n int) error {
	chunk := max(1, 100_000/a.orders) // copies a transaction
	goal := n/a.orders - 1
	for last := goal; last > a.copies; last -= chunk {
		if err := a.copy(ctx, last, max(a.copies+1, last-chunk+1)); err != nil {
			return err
		}
		say("  %d of %d copies of %d orders", min(goal-last+chunk, goal-a.copies), goal-a.copies, a.orders)
	}
	a.copies = max(a.copies, goal)
	// What was filled is cleaned and written to disk now, and not during a measurement.
	_, err := a.conn.Exec(ctx, `VACUUM ANALYZE`)
	if err == nil {
		_, err = a.conn.Exec(ctx, `CHECKPOINT`)
	}
	return err
}

func (a *archive) copy(ctx context.Context, oldest, newest int) error {
	return pgx.BeginFunc(ctx, a.conn, func(tx pgx.Tx) error {
		for _, statement := range a.tables {
			if _, err := tx.Exec(ctx, statement, oldest, newest); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	})
}

// bytes is how large the database is.
func (a *archive) bytes(ctx context.Context) (n int64, err error) {
	err = a.conn.QueryRow(ctx, `SELECT pg_database_size(current_database())`).Scan(&n)
	return n, err
}
