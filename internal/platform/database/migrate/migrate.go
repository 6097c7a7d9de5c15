// Package migrate brings a database to the schema that the program was built with.
//
// Migrations are goose's SQL files, "00001_name.sql", in the root of a file system for each engine. They go forward only;
// a database that is ahead of the program is accepted, because a roll-back of the program must not need one of the data.
package migrate

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/pressly/goose/v3"
)

// source is a migration file.
type source struct {
	version int64
	name    string
}

func sources(fsys fs.FS) ([]source, error) {
	names, err := fs.Glob(fsys, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	if len(names) == 0 {
		return nil, errors.New("list migrations: there is none")
	}
	found := make([]source, 0, len(names))
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return nil, fmt.Errorf("read the version of migration %s: %w", name, err)
		}
		found = append(found, source{version, name})
	}
	slices.SortFunc(found, func(a, b source) int { return cmp.Compare(a.version, b.version) })
	return found, nil
}

// appliedSQL is the same in both engines. The table is goose's.
const appliedSQL = `SELECT version_id FROM goose_db_version WHERE is_applied AND version_id > 0 ORDER BY id`

// missing answers the names of the migrations whose versions are not among applied, in their order.
func missing(all []source, applied []int64) []string {
	var names []string
	for _, s := range all {
		if !slices.Contains(applied, s.version) {
			names = append(names, s.name)
		}
	}
	return names
}

// up applies what is pending, and answers the names of what was applied, also when a later one failed.
func up(ctx context.Context, dialect goose.Dialect, db *sql.DB, fsys fs.FS, opts ...goose.ProviderOption) ([]string, error) {
	provider, err := goose.NewProvider(dialect, db, fsys, append(opts, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))...)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	results, err := provider.Up(ctx)
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		results = partial.Applied
	}
	var names []string
	for _, r := range results {
		names = append(names, r.Source.Path)
	}
	if err != nil {
		return names, fmt.Errorf("apply migrations: %w", err)
	}
	return names, nil
}
