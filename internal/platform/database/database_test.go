package database_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database"
)

func TestParseURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]database.Target{
		"sqlite:///var/lib/veloz/orders.db":    {Engine: database.SQLite, Path: "/var/lib/veloz/orders.db"},
		"sqlite://veloz-data/orders.db":        {Engine: database.SQLite, Path: "veloz-data/orders.db"},
		"SQLite://a%20b%3F.db":                 {Engine: database.SQLite, Path: "a b?.db"},
		"postgres://u:p@h:5432/d?sslmode=off":  {Engine: database.PostgreSQL, URL: "postgres://u:p@h:5432/d?sslmode=off"},
		"postgresql://h/d":                     {Engine: database.PostgreSQL, URL: "postgresql://h/d"},
		"postgres:///?host=/run/pg&database=d": {Engine: database.PostgreSQL, URL: "postgres:///?host=/run/pg&database=d"},
	} {
		got, err := database.ParseURL(raw)
		if err != nil || got != want {
			t.Errorf("%s: got %v %v, want %v", raw, got, err, want)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"":                                "must start with",
		"s3cret":                          "must start with",
		"mysql://u:s3cret@h/d":            "unknown scheme",
		"sqlite://":                       "must name a file",
		"sqlite:///s3cret/":               "must name a file",
		"sqlite://:memory:":               "must name a file",
		"sqlite://s3cret.db?mode=memory":  "no parameters",
		"sqlite://100%s3cret":             "percent sign",
		"postgres://u:s3cret%zz@h/d":      "not a valid URL",
		"postgres://u:s3cret@h:port/d":    "not a valid URL",
		"postgres:///d":                   "name a host",
		"postgres://u:s3cret@h":           "name a database",
		"postgres://u:s3cret@h/?user=bla": "name a database",
	} {
		_, err := database.ParseURL(raw)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q in it", raw, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: the error repeats the URL: %v", raw, err)
		}
	}
}

func TestTargetPrintsNoSecret(t *testing.T) {
	t.Parallel()
	target, err := database.ParseURL("postgres://u:s3cret@h:5432/d?password=s3cret&sslmode=require")
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%s", "%v", "%+v", "%#v"} {
		if got := fmt.Sprintf(verb, target); got != "postgres://h:5432/d" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}
