package repolint

import (
	"strconv"
	"strings"
)

// layer says what the packages of a folder may import from this module. In both, `*` stands for one name, a final `/...`
// for the folder and all below it, and {context} for the same word as in the importing package.
type layer struct {
	packages string
	imports  []string
	tests    []string // what its tests may import besides
}

// layers is who may import whom: the first layer that matches a package decides.
var layers = []layer{
	{packages: "cmd/*", imports: []string{"internal/app/..."}},
	{packages: "api/...", imports: []string{"api/..."}},
	{packages: "internal/money"},
	{packages: "internal/platform/...", imports: []string{"internal/platform/..."}, tests: []string{"api/..."}},
	{packages: "internal/gateway/...", imports: []string{"api/...", "internal/gateway/...", "internal/platform/clock", "internal/platform/fault", "internal/platform/frames", "internal/platform/httpx", "internal/platform/id"},
		tests: []string{"internal/platform/..."}},
	{packages: "internal/app/process", imports: []string{"internal/platform/..."}},
	{packages: "internal/app/...", imports: []string{"api/...", "internal/app/...", "internal/money", "internal/orders/...", "internal/payments/...", "internal/inventory/...", "internal/gateway/...", "internal/audit/...", "internal/load", "internal/platform/..."}},
	// An audit is rules over facts; where the facts come from stands below it.
	{packages: "internal/audit", imports: []string{"internal/money", "internal/platform/clock", "internal/platform/id"}, tests: []string{"api/...", "internal/..."}},
	{packages: "internal/audit/services", imports: []string{"api/...", "internal/audit", "internal/money", "internal/platform/clock"}},
	// Load comes from outside: it knows the contracts, and nothing of what is behind them.
	{packages: "internal/load", imports: []string{"api/...", "internal/money", "internal/platform/..."}},
	// Whole-product tests see everything, and nothing sees them.
	{packages: "internal/acceptance/...", imports: []string{"api/...", "internal/..."}},
	{packages: "internal/rolling", imports: []string{"internal/gateway/keys", "internal/platform/database/pgtest"}},
	{packages: "internal/linear", imports: []string{"internal/..."}},
	// Crashes come from outside as well: what they know of the inside are the names of the places to die at, and how a command ends.
	{packages: "internal/launch"},
	{packages: "internal/crash/...", imports: []string{"internal/crash", "internal/gateway/keys", "internal/launch", "internal/platform/database/pgtest", "internal/platform/failpoint", "internal/platform/lifecycle"}},
	{packages: "internal/overload/...", imports: []string{"internal/overload", "internal/load", "internal/gateway/keys", "internal/platform/database/pgtest", "internal/platform/lifecycle"}},
	{packages: "internal/prove/...", imports: []string{"internal/prove", "internal/crash", "internal/overload", "internal/platform/lifecycle"}},
	{packages: "internal/sim/...", imports: []string{"api/...", "internal/..."}},
	{packages: "internal/mutants/...", imports: []string{"internal/mutants", "internal/platform/lifecycle"}},
	{packages: "internal/repolint", tests: []string{"internal/orders"}},
	{packages: "bench/...", imports: []string{"api/...", "internal/..."}},

	{packages: "internal/{context}/httpapi", imports: []string{"api/{context}api", "internal/{context}", "internal/payments/brcode", "internal/money", "internal/platform/cardnumber", "internal/platform/clock", "internal/platform/fault", "internal/platform/httpx", "internal/platform/id"},
		tests: contextTests},
	{packages: "internal/{context}/peers", imports: []string{"api/...", "internal/{context}", "internal/money", "internal/platform/fault", "internal/platform/id"},
		tests: append([]string{"internal/platform/httpx"}, contextTests...)},
	{packages: "internal/{context}/postgres", imports: []string{"internal/{context}", "internal/money", "internal/platform/database/postgres", "internal/platform/fault", "internal/platform/id"},
		tests: contextTests},
	{packages: "internal/{context}/sqlite", imports: []string{"internal/{context}", "internal/money", "internal/platform/database/sqlite", "internal/platform/fault", "internal/platform/id"},
		tests: contextTests},
	{packages: "internal/{context}/memory", imports: []string{"internal/{context}", "internal/money", "internal/platform/fault", "internal/platform/id"}, tests: contextTests},
	{packages: "internal/{context}/storetest", imports: []string{"internal/{context}", "internal/money", "internal/platform/clock", "internal/platform/fault", "internal/platform/id"},
		tests: contextTests},
	// A BR Code is a pure format, which the API draws and providers write: it stands below the context's root.
	{packages: "internal/payments/brcode", imports: []string{"internal/money"}},
	{packages: "internal/payments/providers/*", imports: []string{"internal/payments", "internal/payments/brcode", "internal/money", "internal/platform/clock", "internal/platform/fault", "internal/platform/id"},
		tests: contextTests},
	{packages: "internal/{context}", imports: []string{"internal/money", "internal/platform/batch", "internal/platform/clock", "internal/platform/fault", "internal/platform/id"},
		tests: contextTests},
}

// contextTests is what a context's tests may use: the context itself with its engines, and the platform; no other context.
var contextTests = []string{"internal/{context}/...", "internal/payments/brcode", "internal/money", "internal/platform/..."}

// contexts are the bounded contexts, which never import each other.
var contexts = []string{"orders", "payments", "inventory"}

// pureFolders import nothing from outside but the standard library and what is named: their rules must not depend on anything.
var pureFolders = map[string][]string{
	"internal/money": nil, "internal/orders": {"golang.org/x/sync", "golang.org/x/text"}, "internal/payments": nil, "internal/inventory": nil, "internal/audit": nil,
	"internal/platform/batch": nil, "internal/platform/clock": nil, "internal/platform/fault": nil,
}

// drivers speak to databases, and stand only in driverFolders.
var drivers = []string{"github.com/jackc/pgx/", "github.com/ncruces/", "github.com/pressly/goose/", "modernc.org/", "database/sql"}

var driverFolders = []string{"internal/{context}/postgres", "internal/{context}/sqlite", "internal/platform/database/...", "internal/app/process", "internal/acceptance/...", "internal/linear", "bench/..."}

// Imports finds imports that cross a border.
func Imports(r *Repo) (findings []Finding) {
	for _, f := range r.Go {
		for _, spec := range f.AST.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				continue // the parser has refused it already
			}
			if problem := importProblem(f, imported); problem != "" {
				findings = append(findings, f.finding(spec.Pos(), "%s", problem))
			}
		}
	}
	return findings
}

func importProblem(f *GoFile, imported string) string {
	if local, ok := strings.CutPrefix(imported, Module+"/"); ok {
		if local == f.Folder || mayImport(f, local) {
			return ""
		}
		return f.Folder + " must not import " + local
	}
	for _, driver := range drivers {
		if strings.HasPrefix(imported, driver) && !matchesAny(driverFolders, f.Folder) {
			return "the driver " + imported + " belongs into an engine's package"
		}
	}
	allowed, pure := pureFolders[f.Folder]
	if !pure || f.Test || !strings.Contains(strings.Split(imported, "/")[0], ".") {
		return ""
	}
	for _, module := range allowed {
		if strings.HasPrefix(imported, module+"/") {
			return ""
		}
	}
	return f.Folder + " holds rules and imports the standard library only, not " + imported
}

func mayImport(f *GoFile, imported string) bool {
	for _, l := range layers {
		context, ok := match(l.packages, f.Folder)
		if !ok {
			continue
		}
		allowed := l.imports
		if f.Test {
			allowed = append(append([]string{}, l.imports...), l.tests...)
		}
		for _, pattern := range allowed {
			if _, ok := match(strings.ReplaceAll(pattern, "{context}", context), imported); ok {
				return true
			}
		}
		return false
	}
	return false // a new folder has to be given its place in layers
}

func matchesAny(patterns []string, name string) bool {
	for _, pattern := range patterns {
		if _, ok := match(pattern, name); ok {
			return true
		}
	}
	return false
}

// match tells whether name fits pattern, and which context it names.
func match(pattern, name string) (context string, ok bool) {
	wants, below := strings.CutSuffix(pattern, "/...")
	want, have := strings.Split(wants, "/"), strings.Split(name, "/")
	if len(have) < len(want) || len(have) > len(want) && !below {
		return "", false
	}
	for i, word := range want {
		switch {
		case word == "{context}" && !isContext(have[i]):
			return "", false
		case word == "{context}":
			context = have[i]
		case word != "*" && word != have[i]:
			return "", false
		}
	}
	if context == "" && len(have) > 1 && isContext(have[1]) {
		context = have[1]
	}
	return context, true
}

func isContext(word string) bool {
	for _, context := range contexts {
		if word == context {
			return true
		}
	}
	return false
}
