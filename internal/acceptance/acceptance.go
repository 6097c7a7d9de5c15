// Package acceptance holds the black-box suite: the product's binaries, started as people start them, and its public API.
// Every promise of the README stands here once and is kept by {one process, four processes} × {SQLite, PostgreSQL}.
package acceptance
