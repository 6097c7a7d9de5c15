package repolint

import (
	"go/ast"
	"net/http"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// dependencyRecord says why each direct dependency is there.
const dependencyRecord = "docs/adr/0016-dependencies.md"

const (
	glossary    = "docs/glossary.md"
	commandLine = "internal/app/veloz"
)

// makefiles is the Makefile and what it includes.
var makefiles = []string{"Makefile", "deploy/deploy.mk", "bench/bench.mk", "internal/crash/crash.mk", "internal/linear/linear.mk", "internal/mutants/mutants.mk", "internal/overload/overload.mk", "internal/prove/prove.mk", "internal/sim/sim.mk"}

var (
	requirement = regexp.MustCompile(`^\s*(?:require\s+)?([a-z0-9.-]+\.[a-z]+/\S+) v\S+`)
	tool        = regexp.MustCompile(`^\s*(?:tool\s+)([a-z0-9.-]+\.[a-z]+/\S+)`)
	recorded    = regexp.MustCompile("^\\| `([^`]+)` \\|")
)

// Dependencies finds direct dependencies without a recorded reason, and reasons for what is not there. What is direct is
// read from the code: go.mod's comments are late as long as nobody tidies it.
func Dependencies(r *Repo) (findings []Finding) {
	reasons := make(map[string]int)
	scan(r.Texts[dependencyRecord], recorded, func(line int, groups []string) { reasons[groups[1]] = line })
	direct := r.directModules()
	for _, module := range direct {
		if _, ok := reasons[module]; !ok {
			findings = append(findings, Finding{"go.mod", 0, module + " is a direct dependency that " + dependencyRecord + " does not name"})
		}
	}
	for module, line := range reasons {
		if !slices.Contains(direct, module) {
			findings = append(findings, Finding{dependencyRecord, line, module + " is not a direct dependency"})
		}
	}
	return sorted(findings)
}

func (r *Repo) directModules() (direct []string) {
	var modules, used []string
	scan(r.Texts["go.mod"], requirement, func(_ int, groups []string) { modules = append(modules, groups[1]) })
	scan(r.Texts["go.mod"], tool, func(_ int, groups []string) { used = append(used, groups[1]) })
	for _, f := range r.Go {
		for _, spec := range f.AST.Imports {
			used = append(used, strings.Trim(spec.Path.Value, `"`))
		}
	}
	for _, name := range used {
		longest := ""
		for _, module := range modules {
			if (name == module || strings.HasPrefix(name, module+"/")) && len(module) > len(longest) {
				longest = module
			}
		}
		if longest != "" && !slices.Contains(direct, longest) {
			direct = append(direct, longest)
		}
	}
	return direct
}

var (
	makeCommand  = regexp.MustCompile("(?:^|[`] *)make ([a-z][a-z0-9-]*)")
	runCommand   = regexp.MustCompile(`go run \./(cmd/[a-z-]+)`)
	velozCommand = regexp.MustCompile("(?:^|`|bin/|cmd/)veloz ([a-z]+)(?: ([a-z]+))?")
	makeTarget   = regexp.MustCompile(`^([a-z][a-z0-9-]*):(?:[^=]|$)`)
)

// Commands finds commands in documents that do not exist: targets, programs, subcommands.
func Commands(r *Repo) (findings []Finding) {
	targets := make(map[string]bool)
	for _, makefile := range makefiles {
		scan(r.Texts[makefile], makeTarget, func(_ int, groups []string) { targets[groups[1]] = true })
	}
	subcommands := r.subcommands()
	for name, text := range r.markdown() {
		report := func(line int, what string) {
			findings = append(findings, Finding{name, line, what + " does not exist"})
		}
		scan(text, makeCommand, func(line int, groups []string) {
			if !targets[groups[1]] {
				report(line, "make "+groups[1])
			}
		})
		scan(text, runCommand, func(line int, groups []string) {
			if !r.Exists(groups[1]) {
				report(line, "go run ./"+groups[1])
			}
		})
		scan(text, velozCommand, func(line int, groups []string) {
			if !subcommands[groups[1]] {
				report(line, "veloz "+groups[1])
			}
		})
	}
	return sorted(findings)
}

// subcommands are the names that kong gives the fields with a cmd tag.
func (r *Repo) subcommands() map[string]bool {
	names := make(map[string]bool)
	r.tags(func(f *GoFile, field *ast.Field, tag reflect.StructTag) {
		if _, ok := tag.Lookup("cmd"); !ok || f.Folder != commandLine {
			return
		}
		name := tag.Get("name")
		if name == "" && len(field.Names) > 0 {
			name = strings.ToLower(strings.Join(words(field.Names[0].Name), "-"))
		}
		names[name] = true
	})
	return names
}

// tags calls found for each tagged field that people wrote, outside tests.
func (r *Repo) tags(found func(*GoFile, *ast.Field, reflect.StructTag)) {
	for _, f := range r.Written() {
		if f.Test {
			continue
		}
		ast.Inspect(f.AST, func(node ast.Node) bool {
			if field, ok := node.(*ast.Field); ok && field.Tag != nil {
				if tag, err := strconv.Unquote(field.Tag.Value); err == nil {
					found(f, field, reflect.StructTag(tag))
				}
			}
			return true
		})
	}
}

var (
	namedFlag     = regexp.MustCompile("`(--[a-z][a-z-]+)")
	namedVariable = regexp.MustCompile("`(VELOZ_[A-Z_]+|[A-Z]+_SERVICE_URL)`")
	// foreignFlags belong to kong itself.
	foreignFlags = []string{"--help", "--version", "--config", "--check-config"}
)

// settingRow is a row of the READMEs' table: flag, variable, default.
var settingRow = regexp.MustCompile("^\\| `(--[a-z-]+)` \\| `([A-Z_]+)` \\| ([^|]*) \\|")

// setting is what a struct tag says of a flag.
type setting struct{ variable, fallback string }

// Settings finds flags and variables in the READMEs that no program knows, or with another default.
func Settings(r *Repo) (findings []Finding) {
	flags, known := r.settings()
	for _, name := range []string{readme, readmePortuguese} {
		for _, pattern := range []*regexp.Regexp{namedFlag, namedVariable} {
			scan(r.Texts[name], pattern, func(line int, groups []string) {
				if !known[groups[1]] {
					findings = append(findings, Finding{name, line, "no program knows " + groups[1]})
				}
			})
		}
		scan(r.Texts[name], settingRow, func(line int, groups []string) {
			fits := func(s setting) bool {
				// A word stands where there is no default, and a name in braces where programs differ.
				return s.variable == groups[2] && (s.fallback == "" || strings.Contains(s.fallback, "{") || s.fallback == strings.Trim(groups[3], "`"))
			}
			if !slices.ContainsFunc(flags[groups[1]], fits) {
				findings = append(findings, Finding{name, line, "no program has " + groups[1] + " with this variable and default"})
			}
		})
	}
	return findings
}

// settings are the flags of all programs, and every name that a person may use for one.
func (r *Repo) settings() (flags map[string][]setting, known map[string]bool) {
	flags, known = make(map[string][]setting), make(map[string]bool)
	for _, flag := range foreignFlags {
		known[flag] = true
	}
	r.tags(func(_ *GoFile, _ *ast.Field, tag reflect.StructTag) {
		flag := "--" + tag.Get("name")
		known[flag], known[tag.Get("env")] = true, true
		flags[flag] = append(flags[flag], setting{tag.Get("env"), tag.Get("default")})
	})
	return flags, known
}

var errorRow = regexp.MustCompile("^\\| `([a-z_]+)` \\| ([0-9]{3}) ")

// answer is where a code is answered, and with which status; "" where that is decided elsewhere.
type answer struct {
	at     Finding
	status string // as net/http names it, such as NotFound
}

// Codes finds error codes that the READMEs do not explain, or with another status, and explained ones that nothing answers.
func Codes(r *Repo) (findings []Finding) {
	answers := r.answers()
	for _, name := range []string{readme, readmePortuguese} {
		explained := make(map[string]string)
		scan(r.Texts[name], errorRow, func(line int, groups []string) {
			explained[groups[1]] = groups[2]
			if len(answers[groups[1]]) == 0 {
				findings = append(findings, Finding{name, line, "nothing answers with the code " + groups[1]})
			}
		})
		for code, places := range answers {
			for _, place := range places {
				switch status := explained[code]; {
				case status == "":
					findings = append(findings, Finding{place.at.Path, place.at.Line, name + " does not explain the code " + code})
				case place.status != "" && place.status != statusName(status):
					findings = append(findings, Finding{place.at.Path, place.at.Line, name + " says " + status + " of the code " + code})
				}
			}
		}
	}
	return sorted(findings)
}

// statusName is what net/http calls a status after "Status".
func statusName(number string) string {
	status, err := strconv.Atoi(number)
	if err != nil {
		return ""
	}
	return strings.NewReplacer(" ", "", "-", "").Replace(http.StatusText(status))
}

// answers are the problem codes of the API: values of fields named Code, constants named CodeSomething, and the reasons for
// which an order is rejected.
func (r *Repo) answers() map[string][]answer {
	constants := r.codeConstants()
	answers := make(map[string][]answer)
	add := func(f *GoFile, code ast.Expr, problem *ast.CompositeLit) {
		if value := constantValue(code, constants); value != "" {
			answers[value] = append(answers[value], answer{f.finding(code.Pos(), "%s", value), statusOf(problem)})
		}
	}
	for _, f := range r.services() {
		ast.Inspect(f.AST, func(node ast.Node) bool {
			literal, ok := node.(*ast.CompositeLit)
			if !ok {
				return true
			}
			for _, element := range literal.Elts {
				pair, ok := element.(*ast.KeyValueExpr)
				if !ok {
					continue
				}
				if key, ok := pair.Key.(*ast.Ident); ok && key.Name == "Code" {
					add(f, pair.Value, literal)
				}
				problem, nested := pair.Value.(*ast.CompositeLit)
				if key, ok := pair.Key.(*ast.SelectorExpr); ok && nested && strings.HasPrefix(key.Sel.Name, "Reason") {
					add(f, key, problem)
				}
			}
			return true
		})
	}
	for name, place := range constants {
		if strings.HasPrefix(name, "Code") {
			answers[place.Message] = append(answers[place.Message], answer{at: place})
		}
	}
	return answers
}

// services are the files that answer requests.
func (r *Repo) services() []*GoFile {
	return slices.DeleteFunc(r.Written(), func(f *GoFile) bool {
		return f.Test || !strings.HasPrefix(f.Path, "internal/") || path.Base(f.Folder) == "repolint"
	})
}

// codeConstants are the constants that name a code, by name; the finding's message is the value.
func (r *Repo) codeConstants() map[string]Finding {
	constants := make(map[string]Finding)
	for _, f := range r.services() {
		prefix, ok := map[string]string{"internal/platform/httpx": "Code", "internal/orders": "Reason"}[f.Folder]
		if !ok {
			continue
		}
		ast.Inspect(f.AST, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok || len(spec.Values) != len(spec.Names) {
				return true
			}
			for i, name := range spec.Names {
				if value := constantValue(spec.Values[i], nil); value != "" && strings.HasPrefix(name.Name, prefix) {
					constants[name.Name] = f.finding(name.Pos(), "%s", value)
				}
			}
			return true
		})
	}
	return constants
}

// constantValue is the string that a literal or a constant's name stands for, or nothing.
func constantValue(value ast.Expr, constants map[string]Finding) string {
	switch v := value.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(v.Value)
		if err != nil {
			return ""
		}
		return text
	case *ast.Ident:
		return constants[v.Name].Message
	case *ast.SelectorExpr:
		return constants[v.Sel.Name].Message
	}
	return ""
}

// statusOf is the name of the http.StatusSomething in a problem.
func statusOf(problem *ast.CompositeLit) string {
	for _, element := range problem.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		key, named := pair.Key.(*ast.Ident)
		status, ok := pair.Value.(*ast.SelectorExpr)
		if named && ok && key.Name == "Status" {
			return strings.TrimPrefix(status.Sel.Name, "Status")
		}
	}
	return ""
}

var glossaryName = regexp.MustCompile("`([a-z]+\\.[A-Z][A-Za-z]+)`")

// Glossary finds identifiers in the glossary that the code does not have.
func Glossary(r *Repo) (findings []Finding) {
	exported := r.exported()
	scan(r.Texts[glossary], glossaryName, func(line int, groups []string) {
		if !exported[groups[1]] {
			findings = append(findings, Finding{glossary, line, groups[1] + " is not declared"})
		}
	})
	return findings
}

var pastedBody = regexp.MustCompile(`-d '(\{.*\})'`)

// FirstOrder finds a README whose first order is not the one that `veloz up` prints.
func FirstOrder(r *Repo) (findings []Finding) {
	scan(r.Texts[commandLine+"/welcome.go"], pastedBody, func(line int, groups []string) {
		for _, name := range []string{readme, readmePortuguese} {
			if !strings.Contains(r.Texts[name], "  -d '"+groups[1]+"'\n") {
				findings = append(findings, Finding{name, 0, "the first order is not the one that veloz up prints"})
			}
		}
	})
	return findings
}
