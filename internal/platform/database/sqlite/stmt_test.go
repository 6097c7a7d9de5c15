package sqlite_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/fault"
)

// write runs fn against the test schema.
func write(t *testing.T, fn func(*sqlite.Conn) error) {
	t.Helper()
	if err := withSchema(t).Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func TestStatementsAreCompiledOnce(t *testing.T) {
	t.Parallel()
	write(t, func(c *sqlite.Conn) error {
		first, err1 := c.Prepare(insertItem)
		second, err2 := c.Prepare(insertItem)
		if first != second {
			t.Error("the statement was compiled twice")
		}
		return errors.Join(err1, err2)
	})
}

func TestStatementCacheIsBounded(t *testing.T) {
	t.Parallel()
	db := withSchema(t)
	for round := range 3 {
		err := db.Write(t.Context(), func(c *sqlite.Conn) error {
			for i := range 200 {
				if err := c.Exec(fmt.Sprintf(`SELECT %d, %d`, round, i)); err != nil {
					return err
				}
			}
			return insert(c, fmt.Sprint(round), 1)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestPrepareRefuses(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		"":                         "no statement",
		"SELECT 1; SELECT 2":       "more than one statement",
		"SELECT missing FROM item": "no such column",
	} {
		write(t, func(c *sqlite.Conn) error {
			if _, err := c.Prepare(sql); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: got %v, want %q in it", sql, err, want)
			}
			return nil
		})
	}
}

func TestEveryParameterMustBeBound(t *testing.T) {
	t.Parallel()
	write(t, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(insertItem)
		if err != nil {
			return err
		}
		if err := stmt.Text("only one").Exec(); err == nil || !strings.Contains(err.Error(), "1 of 5") {
			t.Errorf("too few: got %v", err)
		}
		if err := stmt.Int(1).Int(2).Int(3).Int(4).Int(5).Int(6).Exec(); err == nil || !strings.Contains(err.Error(), "parameter 6 of 5") {
			t.Errorf("too many: got %v", err)
		}
		return insert(c, "a", 1) // the same statement, fit for use
	})
}

func TestConstraintsAreTold(t *testing.T) {
	t.Parallel()
	write(t, func(c *sqlite.Conn) error {
		if err := insert(c, "a", 1); err != nil {
			return err
		}
		err := insert(c, "a", 1)
		if !sqlite.IsUnique(err) || sqlite.IsCheck(err) || fault.IsTransient(sqlite.Classify(err)) {
			t.Errorf("got %v, want a unique violation that stays", err)
		}
		err = insert(c, "b", -1)
		if !sqlite.IsCheck(err) || sqlite.IsUnique(err) {
			t.Errorf("got %v, want a check violation", err)
		}
		return insert(c, "c", 1) // the statement and the transaction go on
	})
}

func TestForeignKeysHold(t *testing.T) {
	t.Parallel()
	db := withSchema(t)
	err := db.Write(t.Context(), func(c *sqlite.Conn) error {
		return c.Script(`CREATE TABLE part (item BLOB NOT NULL REFERENCES item (id)); INSERT INTO part VALUES (x'00')`)
	})
	if err == nil {
		t.Error("a row points nowhere")
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	write(t, func(c *sqlite.Conn) error {
		if err := errors.Join(insert(c, "a", 1), insert(c, "b", 1)); err != nil {
			return err
		}
		for where, want := range map[string]int64{`1`: 2, `sku = 'a'`: 1, `0`: 0} {
			if err := c.Exec(`UPDATE item SET quantity = quantity + 1 WHERE ` + where); err != nil {
				return err
			}
			if got := c.Changes(); got != want {
				t.Errorf("WHERE %s changed %d rows, want %d", where, got, want)
			}
		}
		return nil
	})
}

func TestErrorInARowLeavesTheStatementUsable(t *testing.T) {
	t.Parallel()
	mine := errors.New("mine")
	write(t, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(`SELECT column1 FROM (VALUES (1), (2)) WHERE column1 >= ?`)
		if err != nil {
			return err
		}
		if err := stmt.Int(1).Query(func(sqlite.Row) error { return mine }); !errors.Is(err, mine) {
			t.Errorf("got %v, want the row's own error", err)
		}
		rows := 0
		err = stmt.Int(1).Query(func(sqlite.Row) error {
			rows++
			if err := stmt.Exec(); err == nil {
				t.Error("a statement ran inside its own rows")
			}
			return nil
		})
		if rows != 2 {
			t.Errorf("%d rows, want 2", rows)
		}
		found, noRow := stmt.Int(3).One(func(sqlite.Row) error { return mine })
		if found || noRow != nil {
			t.Errorf("got %v %v, want no row and no error", found, noRow)
		}
		return err
	})
}

// Not parallel: allocations are counted for the whole process.
func TestBindingDoesNotAllocate(t *testing.T) {
	write(t, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(`SELECT ?, ?, ?, ?, ?`)
		if err != nil {
			return err
		}
		id, sum := [16]byte{1}, 0
		allocations := testing.AllocsPerRun(100, func() {
			stmt.Blob(id[:]).Text("SKU-1").Int64(1 << 40).Time(noon).Null()
			_, err = stmt.One(func(r sqlite.Row) error { sum += len(r.Raw(0)) + r.Int(2); return nil })
		})
		if allocations > 0 {
			t.Errorf("%v allocations a run, want none", allocations)
		}
		return err
	})
}
