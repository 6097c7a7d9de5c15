package repolint

import (
	"go/ast"
	"regexp"
	"strings"
)

// proof is a test that a document names, with the part of it after a slash.
var proof = regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9_]*)(?:/([A-Za-z0-9_]+))?`")

// Proofs finds tests that documents name and that are not there.
func Proofs(r *Repo) (findings []Finding) {
	tests, parts := map[string]bool{}, map[string]bool{}
	for _, f := range r.Go {
		ast.Inspect(f.AST, func(node ast.Node) bool {
			switch n := node.(type) {
			case *ast.FuncDecl:
				tests[n.Name.Name] = f.Test
			case *ast.BasicLit:
				parts[strings.Trim(n.Value, "\"")] = true
			}
			return true
		})
	}
	for name, text := range r.Texts {
		if !strings.HasSuffix(name, ".md") {
			continue
		}
		scan(text, proof, func(line int, groups []string) {
			if !tests[groups[1]] || groups[2] != "" && !parts[groups[2]] {
				findings = append(findings, Finding{name, line, groups[0] + " is no test"})
			}
		})
	}
	return sorted(findings)
}
