package repolint

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// rules are every rule, each with a small repository that breaks it: a rule that finds nothing there has no teeth.
var rules = []struct {
	name string
	find func(*Repo) []Finding
	bad  map[string]map[string]string // what is wrong, by file
}{
	{name: "imports", find: Imports, bad: map[string]map[string]string{
		"a context imports another":          {"internal/orders/a.go": goFile("orders", Module+"/internal/inventory")},
		"an engine imports its sibling":      {"internal/orders/postgres/a.go": goFile("postgres", Module+"/internal/orders/sqlite")},
		"an engine of another context":       {"internal/orders/postgres/a.go": goFile("postgres", Module+"/internal/payments")},
		"a test of another context":          {"internal/orders/a_test.go": goFile("orders", Module+"/internal/payments")},
		"a context's root imports HTTP":      {"internal/payments/a.go": goFile("payments", Module+"/internal/platform/httpx")},
		"a context's root imports a library": {"internal/inventory/a.go": goFile("inventory", "example.com/library")},
		"the platform imports a context":     {"internal/platform/batch/a.go": goFile("batch", Module+"/internal/orders")},
		"a command imports a context":        {"cmd/veloz/main.go": goFile("main", Module+"/internal/orders")},
		"a driver outside the engines":       {"internal/orders/httpapi/a.go": goFile("httpapi", "github.com/jackc/pgx/v5")},
		"a folder without a place":           {"internal/new/a.go": goFile("new", Module+"/internal/money")},
	}},
	{name: "sizes", find: Sizes, bad: map[string]map[string]string{
		"a long function": {"a.go": "package a\n\nfunc f() {\n" + strings.Repeat("\t_ = 1\n", 59) + "}\n"},
		"a long file":     {"a.go": "package a\n" + strings.Repeat("\n", 500)},
	}},
	{name: "package names", find: PackageNames, bad: map[string]map[string]string{
		"a name that says nothing":   {"internal/util/a.go": "package util\n"},
		"a folder that says nothing": {"internal/common/a.go": "package money\n"},
	}},
	{name: "calls", find: Calls, bad: map[string]map[string]string{
		"a sleep":        {"internal/orders/a.go": "package orders\n\nfunc f() { time.Sleep(1) }\n"},
		"a skipped test": {"internal/orders/a_test.go": "package orders\n\nfunc f(t *testing.T) { t.Skip() }\n"},
		"a print":        {"internal/orders/a.go": "package orders\n\nfunc f() { fmt.Println() }\n"},
	}},
	{name: "secrets", find: Secrets, bad: map[string]map[string]string{
		"keys by ==":              {"internal/gateway/keys/a.go": "package keys\n\nfunc f(a, token string) bool { return a == token }\n"},
		"digests by !=":           {"internal/gateway/keys/a.go": "package keys\n\nfunc f(k Key, token string) bool { return digestOf(token) != k.SHA256 }\n"},
		"signatures by bytes":     {"internal/payments/httpapi/a.go": "package httpapi\n\nfunc f(a, signature []byte) bool { return bytes.Equal(a[:], signature[1:]) }\n"},
		"a secret in a switch":    {"internal/gateway/a.go": "package gateway\n\nfunc f(apiSecret string) { switch apiSecret { case g(): } }\n"},
		"a password without case": {"internal/platform/httpx/a.go": "package httpx\n\nfunc f(a string, r R) bool { return strings.EqualFold(a, r.Password) }\n"},
	}},
	{name: "proofs", find: Proofs, bad: map[string]map[string]string{
		"a test that is gone": {"a.md": "See `TestGone`.\n"},
		"a part that is gone": {"a.md": "See `TestThere/Gone`.\n", "a_test.go": "package a\n\nfunc TestThere() {}\n"},
	}},
	{name: "unfinished", find: Unfinished, bad: map[string]map[string]string{
		"a note in code":       {"a.go": "package a\n\n// TO" + "DO: more\n"},
		"a note in a document": {"a.md": "FIX" + "ME\n"},
	}},
	{name: "identifiers", find: Identifiers, bad: map[string]map[string]string{
		"a Portuguese type":     {"a.go": "package a\n\ntype ClienteID string\n"},
		"a Portuguese variable": {"a.go": "package a\n\nvar preco_final = 1\n"},
	}},
	{name: "paths", find: Paths, bad: map[string]map[string]string{
		"a path in a document": {"a.md": "See `internal/gone/a.go`.\n"},
		"a path in a command":  {"a.md": "```sh\ngo test ./internal/gone\n```\n"},
		"a path in a comment":  {"a.go": "// Package a is like internal/gone.\npackage a\n"},
		"a file in a comment":  {"a.go": "// Package a (gone.go).\npackage a\n"},
	}},
	{name: "links", find: Links, bad: map[string]map[string]string{
		"a file that is gone":    {"docs/a.md": "[x](gone.md)\n"},
		"a heading that is gone": {"docs/a.md": "# Here\n\n[x](#there)\n"},
	}},
	{name: "commands", find: Commands, bad: map[string]map[string]string{
		"a target that is gone":     {"a.md": "```sh\nmake gone\n```\n"},
		"a target in a sentence":    {"a.md": "Run `make gone` first.\n"},
		"a program that is gone":    {"a.md": "go run ./cmd/gone\n"},
		"a subcommand that is gone": {"a.md": "`veloz gone`\n"},
	}},
	{name: "settings", find: Settings, bad: map[string]map[string]string{
		"a flag that is gone": {readme: "`--gone`\n"},
		"another default": {
			"cmd/x/main.go": "package main\n\ntype c struct {\n\tA int `name:\"a\" env:\"VELOZ_A\" default:\"1\"`\n}\n",
			readme:          "| `--a` | `VELOZ_A` | 2 | x |\n",
		},
		"another variable": {
			"cmd/x/main.go": "package main\n\ntype c struct {\n\tA int `name:\"a\" env:\"VELOZ_A\"`\n\tB int `name:\"b\" env:\"VELOZ_B\"`\n}\n",
			readme:          "| `--a` | `VELOZ_B` | none | x |\n",
		},
		"a variable that is gone": {readmePortuguese: "`VELOZ_GONE`\n"},
	}},
	{name: "codes", find: Codes, bad: map[string]map[string]string{
		"a code without a row":     {"internal/gateway/a.go": "package gateway\n\nvar x = E{Code: \"secret\"}\n"},
		"a constant without a row": {"internal/platform/httpx/a.go": "package httpx\n\nconst CodeSecret = \"secret\"\n"},
		"another status": {
			"internal/gateway/a.go": "package gateway\n\nvar x = E{Status: http.StatusConflict, Code: \"x\"}\n",
			readme:                  "| `x` | 404 Not Found | x |\n", readmePortuguese: "| `x` | 409 Conflict | x |\n",
		},
		"another reason's status": {
			"internal/orders/order.go":         "package orders\n\nconst ReasonX = \"x\"\n",
			"internal/orders/httpapi/error.go": "package httpapi\n\nvar x = m{orders.ReasonX: {Status: http.StatusConflict}}\n",
			readme:                             "| `x` | 409 Conflict | x |\n", readmePortuguese: "| `x` | 404 Not Found | x |\n",
		},
		"a row without a code": {readme: "| `gone` | 404 | x |\n"},
	}},
	{name: "dependencies", find: Dependencies, bad: map[string]map[string]string{
		"a dependency without a reason": {"go.mod": "require example.com/x v1.0.0\n", "a.go": goFile("a", "example.com/x/y")},
		"a tool without a reason":       {"go.mod": "require example.com/x v1.0.0\n\ntool example.com/x/cmd/x\n"},
		"a reason without a dependency": {dependencyRecord: "| `example.com/x` | because |\n"},
	}},
	{name: "translation", find: Translation, bad: map[string]map[string]string{
		"a section too few":  {readme: "# A\n\n## B\n", readmePortuguese: "# A\n"},
		"another command":    {readme: "```sh\na\n```\n", readmePortuguese: "```sh\nb\n```\n"},
		"a level that moved": {readme: "# A\n\n## B\n", readmePortuguese: "# A\n\n### B\n"},
	}},
	{name: "glossary", find: Glossary, bad: map[string]map[string]string{
		"a name that is gone": {glossary: "| order | `orders.Gone` |\n"},
	}},
	{name: "first order", find: FirstOrder, bad: map[string]map[string]string{
		"another body": {
			"internal/app/veloz/welcome.go": "package veloz\n\nconst c = `curl\n    -d '{\"a\":1}'\n`\n",
			readme:                          "  -d '{\"a\":1}'\n", readmePortuguese: "  -d '{\"a\":2}'\n",
		},
	}},
	{name: "private", find: Private, bad: map[string]map[string]string{
		"a folder of a machine": {"a.md": "see /work/notes\n"},
		"a home":                {"a.go": "package a\n\nconst x = \"/home/ana/x\"\n"},
		"a mirror":              {".ci/run": "export GOPROXY=https://mirror.example\n"},
		"a private key":         {"a.pem": "-----BEGIN PRIVATE KEY-----\n"},
	}},
}

// goFile is a Go file with one import.
func goFile(name, imported string) string {
	return "package " + name + "\n\nimport _ \"" + imported + "\"\n"
}

func TestRepository(t *testing.T) {
	t.Parallel()
	repo, err := Load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(repo.Go) < 100 || repo.Texts["go.mod"] == "" {
		t.Fatalf("%d Go files: this is not the repository", len(repo.Go))
	}
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			t.Parallel()
			for _, finding := range rule.find(repo) {
				t.Errorf("%s", finding)
			}
		})
	}
}

func TestRulesHaveTeeth(t *testing.T) {
	t.Parallel()
	for _, rule := range rules {
		for name, files := range rule.bad {
			t.Run(rule.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				if len(rule.find(load(t, files))) == 0 {
					t.Errorf("the rule finds nothing in %v", files)
				}
			})
		}
	}
}

// TestRulesAcceptWhatIsRight is the other side: a rule that finds something everywhere says nothing.
func TestRulesAcceptWhatIsRight(t *testing.T) {
	t.Parallel()
	good := load(t, map[string]string{
		"cmd/veloz/main.go":           goFile("main", Module+"/internal/app/veloz"),
		"internal/app/veloz/veloz.go": "package veloz\n\ntype c struct {\n\tUp u `cmd:\"\"`\n\tData string `name:\"data\" env:\"VELOZ_DATA\"`\n}\n",
		"internal/orders/orders.go":   "// Package orders (orders.go) is like internal/money.\npackage orders\n\n// Order is one.\ntype Order struct{}\n",
		"internal/orders/sqlite/a.go": goFile("sqlite", Module+"/internal/orders"),
		"internal/money/money.go":     "package money\n",
		"internal/gateway/a.go":       "package gateway\n\nvar x = E{Code: \"known\"}\n",
		"Makefile":                    "test:\n\tgo test ./...\n",
		"go.mod":                      "require (\n\texample.com/x v1.0.0\n\texample.com/z v1.0.0 // indirect\n)\n",
		"internal/gateway/b.go":       goFile("gateway", "example.com/x/y"),
		dependencyRecord:              "| `example.com/x` | because |\n",
		readme:                        "# A title\n\n```sh\nmake test\ngo run ./cmd/veloz up # go\n```\n\n[a](README.md#a-title) `--data` `VELOZ_DATA` `veloz up` `internal/*/orders.go`\n\n| `known` | 404 | x |\n",
		readmePortuguese:              "# Um título\n\n```sh\nmake test\ngo run ./cmd/veloz up # vai\n```\n\n| `known` | 404 | x |\n",
		glossary:                      "| order | `orders.Order` |\n",
	})
	for _, rule := range rules {
		for _, finding := range rule.find(good) {
			t.Errorf("%s: %s", rule.name, finding)
		}
	}
}

func TestLoadRefusesWhatIsNotGo(t *testing.T) {
	t.Parallel()
	if _, err := Load(fstest.MapFS{"a.go": {Data: []byte("no")}}); err == nil {
		t.Error("a file that cannot be parsed was passed over")
	}
}

func load(t *testing.T, files map[string]string) *Repo {
	t.Helper()
	tree := make(fstest.MapFS, len(files))
	for name, text := range files {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	repo, err := Load(tree)
	if err != nil {
		t.Fatal(err)
	}
	return repo
}
