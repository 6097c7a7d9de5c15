// Package repolint holds the repository to the rules that no compiler checks: who may import whom, sizes, names, and
// documents that say what is there. It has no command: `go test ./internal/repolint` is the check, and each rule is
// proved there by a small bad example that it must find.
package repolint

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Module is the module's path, and the prefix of its packages' import paths.
const Module = "github.com/pedidos-veloz/pedidos-veloz"

// maxFileBytes bounds what is read: larger files are data, not text that people wrote.
const maxFileBytes = 1 << 20

// ignoredFolders are not the repository's own text: what is built, fetched, or left behind by a run.
var ignoredFolders = []string{".git", "bin", "dist", "node_modules", "testdata"}

// Finding is one place that breaks a rule.
type Finding struct {
	Path    string // from the repository's root, with slashes
	Line    int    // from 1; 0 is the whole file
	Message string
}

// String is the finding as editors understand it.
func (f Finding) String() string { return fmt.Sprintf("%s:%d: %s", f.Path, f.Line, f.Message) }

// GoFile is one parsed Go file.
type GoFile struct {
	Path      string
	Folder    string // of the package, such as internal/orders
	Test      bool
	Generated bool
	Lines     int
	Fset      *token.FileSet
	AST       *ast.File
}

// finding is a Finding at pos.
func (f *GoFile) finding(pos token.Pos, format string, args ...any) Finding {
	return Finding{Path: f.Path, Line: f.Fset.Position(pos).Line, Message: fmt.Sprintf(format, args...)}
}

// Repo is the repository's text in memory.
type Repo struct {
	Texts map[string]string // by path: everything that is not binary
	Go    []*GoFile         // by path
	paths map[string]bool   // every file and folder
}

// Load reads a repository. An unparsable Go file is an error.
func Load(root fs.FS) (*Repo, error) {
	r := &Repo{Texts: make(map[string]string), paths: make(map[string]bool)}
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && ignored(entry.Name()):
			return fs.SkipDir
		case name == ".git": // of a linked worktree: a file that says where its repository is
			return nil
		}
		r.paths[name] = true
		if !entry.Type().IsRegular() {
			return nil
		}
		return r.read(root, name)
	})
	if err != nil {
		return nil, fmt.Errorf("read repository: %w", err)
	}
	return r, nil
}

func ignored(folder string) bool {
	return slices.Contains(ignoredFolders, folder) || strings.HasPrefix(folder, "veloz-data")
}

func (r *Repo) read(root fs.FS, name string) error {
	data, err := fs.ReadFile(root, name)
	if err != nil || len(data) > maxFileBytes || bytes.IndexByte(data, 0) >= 0 {
		return err
	}
	r.Texts[name] = string(data)
	if path.Ext(name) != ".go" {
		return nil
	}
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, name, data, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	r.Go = append(r.Go, &GoFile{Path: name, Folder: path.Dir(name), Test: strings.HasSuffix(name, "_test.go"),
		Generated: ast.IsGenerated(parsed), Lines: bytes.Count(data, []byte("\n")), Fset: fset, AST: parsed})
	return nil
}

// Written are the Go files that people wrote.
func (r *Repo) Written() []*GoFile {
	return slices.DeleteFunc(slices.Clone(r.Go), func(f *GoFile) bool { return f.Generated })
}

// Exists tells whether a file or folder is there. An asterisk matches within one name.
func (r *Repo) Exists(name string) bool {
	name = path.Clean(strings.TrimPrefix(name, "/"))
	if !strings.Contains(name, "*") {
		return r.paths[name]
	}
	for known := range r.paths {
		if matched, err := path.Match(name, known); err == nil && matched {
			return true
		}
	}
	return false
}

// scan calls found for every match of pattern in text, with its line and its groups.
func scan(text string, pattern *regexp.Regexp, found func(line int, groups []string)) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		for _, groups := range pattern.FindAllStringSubmatch(line, -1) {
			found(number, groups)
		}
	}
}

// sorted puts findings into a stable order: maps have none.
func sorted(findings []Finding) []Finding {
	slices.SortFunc(findings, func(a, b Finding) int { return strings.Compare(a.String(), b.String()) })
	return findings
}
