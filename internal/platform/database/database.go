// Package database names where a service keeps its data. The engines stand in its subpackages.
package database

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Engine is a kind of database. Its zero value is invalid.
type Engine int

// The engines: all that a service can stand on.
const (
	SQLite Engine = iota + 1
	PostgreSQL
)

// String is the name for logs and metrics.
func (e Engine) String() string {
	switch e {
	case SQLite:
		return "sqlite"
	case PostgreSQL:
		return "postgresql"
	default:
		return fmt.Sprintf("Engine(%d)", int(e))
	}
}

// Target is a database that a service can open.
type Target struct {
	Engine Engine
	// Path is the file of a SQLite database.
	Path string
	// URL is the address of a PostgreSQL database. It may hold a password: print the Target instead.
	URL string
}

// String names the target without its credentials and parameters.
func (t Target) String() string {
	if t.Engine == SQLite {
		return "sqlite://" + t.Path
	}
	u, err := url.Parse(t.URL)
	if err != nil {
		return t.Engine.String()
	}
	return (&url.URL{Scheme: "postgres", Host: u.Host, Path: u.Path}).String()
}

// GoString is String, so that %#v does not print a password either.
func (t Target) GoString() string { return t.String() }

// ParseURL reads postgres://… or postgresql://…, sqlite:///absolute/path or sqlite://relative/path. Percent signs
// escape, as in every URL. Its errors never hold any part of the URL, because any part may be a mistyped password.
func ParseURL(raw string) (Target, error) {
	scheme, rest, found := strings.Cut(raw, "://")
	if !found {
		return Target{}, errors.New("parse database URL: it must start with postgres:// or sqlite://")
	}
	var t Target
	var err error
	switch strings.ToLower(scheme) {
	case "postgres", "postgresql":
		t, err = parsePostgreSQL(raw)
	case "sqlite":
		t, err = parseSQLite(rest)
	default:
		err = errors.New("unknown scheme: use postgres:// or sqlite://")
	}
	if err != nil {
		return Target{}, fmt.Errorf("parse database URL: %w", err)
	}
	return t, nil
}

func parseSQLite(rest string) (Target, error) {
	if strings.ContainsAny(rest, "?#") {
		return Target{}, errors.New("sqlite:// takes no parameters; write ? as %3F and # as %23 in a path")
	}
	path, err := url.PathUnescape(rest)
	if err != nil {
		return Target{}, errors.New("the path has a percent sign that escapes nothing; write it as %25")
	}
	if path == "" || strings.HasSuffix(path, "/") || strings.ContainsRune(path, 0) {
		return Target{}, errors.New("sqlite:// must name a file, as in sqlite:///var/lib/veloz/orders.db")
	}
	if strings.HasPrefix(path, ":") || strings.HasPrefix(path, "file:") {
		return Target{}, errors.New("sqlite:// must name a file; a database in memory would lose its orders")
	}
	return Target{Engine: SQLite, Path: path}, nil
}

func parsePostgreSQL(raw string) (Target, error) {
	u, err := url.Parse(raw)
	if err != nil {
		// The parser's own message quotes what it could not read.
		return Target{}, errors.New("not a valid URL; special characters of a password must be percent-encoded")
	}
	if u.Host == "" && !u.Query().Has("host") {
		return Target{}, errors.New("postgres:// must name a host, as in postgres://user@host:5432/database")
	}
	if strings.Trim(u.Path, "/") == "" && !u.Query().Has("dbname") && !u.Query().Has("database") {
		return Target{}, errors.New("postgres:// must name a database, as in postgres://user@host:5432/database")
	}
	return Target{Engine: PostgreSQL, URL: raw}, nil
}
