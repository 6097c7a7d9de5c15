package postgres_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

// TestArraysArriveAsTheyAre sends each kind of slice that is encoded here, and reads it by the driver's own means.
func TestArraysArriveAsTheyAre(t *testing.T) {
	t.Parallel()
	pool := open(t, pgtest.URL(t), postgres.Config{})
	id := [16]byte{1, 15: 255}
	for sqlType, values := range map[string][]any{
		"boolean[]": {[]bool{true, false}, []bool{}},
		"integer[]": {[]int32{-1, 0, 1 << 30}},
		"bigint[]":  {[]int64{-1, 0, 1 << 60}, []pgtype.Int8{{Int64: 7, Valid: true}, {}}, []int64(nil)},
		"text[]":    {[]string{"", "a", "é,{\"}", strings.Repeat("x", 300)}, []pgtype.Text{{}, {String: "b", Valid: true}, {Valid: true}}},
		"uuid[]":    {[][16]byte{id, {}}, []pgtype.UUID{{Bytes: id, Valid: true}, {}}, [][16]byte{}},
		"bytea[]":   {[][]byte{{0, 1, 255}, {}, nil}},
	} {
		for _, want := range values {
			got := reflect.New(reflect.TypeOf(want))
			if err := pool.QueryRow(t.Context(), `SELECT $1::`+sqlType, want).Scan(got.Interface()); err != nil {
				t.Errorf("%s %v: %v", sqlType, want, err)
			} else if !reflect.DeepEqual(got.Elem().Interface(), want) {
				t.Errorf("%s is %v, want %v", sqlType, got.Elem(), want)
			}
		}
	}
}

// TestBytesArriveAsText: a text that was made as bytes is not copied for it.
func TestBytesArriveAsText(t *testing.T) {
	t.Parallel()
	pool := open(t, pgtest.URL(t), postgres.Config{})
	var got []*string
	if err := pool.QueryRow(t.Context(), `SELECT $1::text[]`, [][]byte{[]byte("é"), nil}).Scan(&got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || *got[0] != "é" || got[1] != nil {
		t.Errorf("got %v", got)
	}
}

// TestOtherArraysAreLeftToTheDriver: slices that need a conversion still get one.
func TestOtherArraysAreLeftToTheDriver(t *testing.T) {
	t.Parallel()
	pool := open(t, pgtest.URL(t), postgres.Config{})
	seven := int64(7)
	for sql, value := range map[string]any{
		`SELECT $1::bigint[]  = '{1,2}'`:    []int{1, 2},
		`SELECT $1::bigint[]  = '{3}'`:      []int32{3},
		`SELECT $1::integer[] = '{4}'`:      []int64{4},
		`SELECT $1::bigint[] <> '{8,NULL}'`: []*int64{&seven, nil},
	} {
		var ok bool
		if err := pool.QueryRow(t.Context(), sql, value).Scan(&ok); err != nil || !ok {
			t.Errorf("%s with %v: %t, %v", sql, value, ok, err)
		}
	}
}
