package repolint

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// The sizes that respected Go code bases stay below; what is longer is read less carefully than it was written.
const (
	maxFunctionLines = 60
	maxFileLines     = 500
)

// emptyNames say nothing about what a package holds.
var emptyNames = []string{"util", "utils", "common", "helper", "helpers", "model", "models", "pkg", "misc", "shared", "base"}

// printFolders may write to standard output: they are the command line.
var printFolders = []string{"internal/app/veloz", "internal/app/process"}

// portuguese are words that betray an identifier in Portuguese. Proper nouns (pedidos, pagamentos, estoque, veloz,
// servico) are allowed, and so is what the Pix API names.
var portuguese = []string{
	"atualizar", "buscar", "cadastro", "cancelado", "carrinho", "cliente", "clientes", "compra", "confirmado", "criar", "deletar",
	"desconto", "endereco", "entrega", "enviar", "erro", "erros", "frete", "item_pedido", "lista", "listar", "nome", "pagar", "pago",
	"pedido", "pagamento", "preco", "precos", "produto", "produtos", "quantidade", "recusado", "reserva", "reservar", "resposta",
	"salvar", "senha", "servicos", "situacao", "usuario", "usuarios", "valores", "venda", "vendas",
}

// Sizes finds functions and files that are too long.
func Sizes(r *Repo) (findings []Finding) {
	for _, f := range r.Written() {
		if f.Lines > maxFileLines {
			findings = append(findings, Finding{f.Path, f.Lines, "the file is longer than 500 lines"})
		}
		for _, decl := range f.AST.Decls {
			function, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := f.Fset.Position(function.End()).Line - f.Fset.Position(function.Pos()).Line + 1
			if lines > maxFunctionLines {
				findings = append(findings, f.finding(function.Pos(), "%s has %d lines, more than %d", function.Name.Name, lines, maxFunctionLines))
			}
		}
	}
	return findings
}

// PackageNames finds packages whose names say nothing.
func PackageNames(r *Repo) (findings []Finding) {
	for _, f := range r.Written() {
		for _, name := range []string{f.AST.Name.Name, path.Base(f.Folder)} {
			if slices.Contains(emptyNames, name) {
				findings = append(findings, f.finding(f.AST.Name.Pos(), "a package named %s says nothing about what it holds", name))
				break
			}
		}
	}
	return findings
}

// Calls finds calls that do not belong where they stand: sleeping, skipping a test, printing from a service.
func Calls(r *Repo) (findings []Finding) {
	for _, f := range r.Written() {
		findings = append(findings, callsIn(f, f.AST, nil)...)
	}
	return findings
}

// callsIn looks below node. parameters are the types of the enclosing functions' parameters, by name: rapid.T.Skip drops
// an action that does not apply, and only testing's skips a test.
func callsIn(f *GoFile, node ast.Node, parameters map[string]string) (findings []Finding) {
	ast.Inspect(node, func(below ast.Node) bool {
		switch n := below.(type) {
		case *ast.FuncDecl:
			if n.Body != nil {
				findings = append(findings, callsIn(f, n.Body, within(parameters, n.Type))...)
			}
			return false
		case *ast.FuncLit:
			findings = append(findings, callsIn(f, n.Body, within(parameters, n.Type))...)
			return false
		case *ast.CallExpr:
			if selector, ok := n.Fun.(*ast.SelectorExpr); ok {
				if problem := callProblem(f, selector, parameters); problem != "" {
					findings = append(findings, f.finding(n.Pos(), "%s", problem))
				}
			}
		}
		return true
	})
	return findings
}

// within are the parameters that a function sees: its own, and those around it.
func within(outer map[string]string, function *ast.FuncType) map[string]string {
	inner := maps.Clone(outer)
	if inner == nil {
		inner = make(map[string]string)
	}
	for _, field := range function.Params.List {
		for _, name := range field.Names {
			inner[name.Name] = types.ExprString(field.Type)
		}
	}
	return inner
}

func callProblem(f *GoFile, selector *ast.SelectorExpr, parameters map[string]string) string {
	on, ok := selector.X.(*ast.Ident)
	if !ok {
		return ""
	}
	name := selector.Sel.Name
	switch {
	case on.Name == "time" && name == "Sleep" && !f.Test:
		return "time.Sleep: wait for a signal or an injected clock"
	case strings.Contains(parameters[on.Name], "testing.") && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, name):
		return "a skipped test is one that nobody sees: make it fail, or make what it needs"
	case on.Name == "fmt" && strings.HasPrefix(name, "Print") && !f.Test && strings.HasPrefix(f.Folder, "internal/") && !slices.Contains(printFolders, f.Folder):
		return "fmt." + name + ": a service logs, and only the command line prints"
	}
	return ""
}

var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)

// Unfinished finds notes to oneself.
func Unfinished(r *Repo) (findings []Finding) {
	for name, text := range r.Texts {
		if path.Base(name) == "go.sum" || r.generated(name) || strings.HasPrefix(name, "web/dist/") {
			continue
		}
		scan(text, unfinished, func(line int, groups []string) {
			findings = append(findings, Finding{name, line, groups[1] + ": finish it, or open an issue"})
		})
	}
	return sorted(findings)
}

func (r *Repo) generated(name string) bool {
	return slices.ContainsFunc(r.Go, func(f *GoFile) bool { return f.Path == name && f.Generated })
}

// Identifiers finds declared names with Portuguese words in them.
func Identifiers(r *Repo) (findings []Finding) {
	for _, f := range r.Written() {
		seen := make(map[string]bool)
		ast.Inspect(f.AST, func(node ast.Node) bool {
			ident, ok := node.(*ast.Ident)
			if !ok || seen[ident.Name] {
				return true
			}
			seen[ident.Name] = true
			for _, word := range words(ident.Name) {
				if slices.Contains(portuguese, word) {
					findings = append(findings, f.finding(ident.Pos(), "%s: identifiers are English, and %q is not", ident.Name, word))
				}
			}
			return true
		})
	}
	return findings
}

// words splits a Go identifier into its words, in lower case.
func words(identifier string) (words []string) {
	start := 0
	runes := []rune(identifier)
	for i := 1; i <= len(runes); i++ {
		if i == len(runes) || unicode.IsUpper(runes[i]) && !unicode.IsUpper(runes[i-1]) || runes[i] == '_' {
			words = append(words, strings.ToLower(strings.Trim(string(runes[start:i]), "_")))
			start = i
		}
	}
	return words
}

// exported are the names that packages export, as package.Name.
func (r *Repo) exported() map[string]bool {
	names := make(map[string]bool)
	for _, f := range r.Go {
		for _, decl := range f.AST.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				names[f.AST.Name.Name+"."+d.Name.Name] = true
			case *ast.GenDecl:
				if d.Tok != token.IMPORT {
					declared(d, func(name string) { names[f.AST.Name.Name+"."+name] = true })
				}
			}
		}
	}
	return names
}

func declared(d *ast.GenDecl, name func(string)) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			name(s.Name.Name)
		case *ast.ValueSpec:
			for _, ident := range s.Names {
				name(ident.Name)
			}
		}
	}
}
