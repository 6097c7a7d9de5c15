package repolint

import (
	"go/ast"
	"go/token"
	"slices"
)

// secretWords name what an attacker must not learn byte by byte from how long a comparison takes.
var secretWords = []string{"token", "secret", "password", "signature", "hmac", "mac", "digest", "sha256", "credential", "credentials"}

// comparers return early at the first difference, as == does.
var comparers = []string{"bytes.Equal", "bytes.Compare", "bytes.HasPrefix", "slices.Equal", "strings.Compare", "strings.EqualFold", "strings.HasPrefix", "reflect.DeepEqual"}

// secretFolders are where callers are told apart by what they know. Elsewhere a token is the sandbox's word for an outcome,
// or a part of a text that is parsed.
var secretFolders = []string{"internal/gateway", "internal/gateway/keys", "internal/platform/httpx", "internal/platform/frames", "internal/payments/httpapi", "internal/orders/httpapi", "internal/inventory/httpapi"}

// Secrets finds comparisons of secrets that take longer the more of a guess is right: crypto/subtle compares them.
func Secrets(r *Repo) (findings []Finding) {
	for _, f := range r.Written() {
		if f.Test || !slices.Contains(secretFolders, f.Folder) {
			continue
		}
		ast.Inspect(f.AST, func(node ast.Node) bool {
			if name := comparedSecret(node); name != "" {
				findings = append(findings, f.finding(node.Pos(), "%s: compare secrets by crypto/subtle, which takes as long for any guess", name))
			}
			return true
		})
	}
	return findings
}

// comparedSecret is the secret that node compares with something that is not fixed, or "".
func comparedSecret(node ast.Node) string {
	var operands []ast.Expr
	switch n := node.(type) {
	case *ast.BinaryExpr:
		if n.Op == token.EQL || n.Op == token.NEQ {
			operands = []ast.Expr{n.X, n.Y}
		}
	case *ast.SwitchStmt:
		if n.Tag != nil {
			operands = []ast.Expr{n.Tag}
		}
	case *ast.CallExpr:
		if selector, ok := n.Fun.(*ast.SelectorExpr); ok {
			if on, ok := selector.X.(*ast.Ident); ok && slices.Contains(comparers, on.Name+"."+selector.Sel.Name) {
				operands = n.Args
			}
		}
	}
	if slices.ContainsFunc(operands, fixed) {
		return ""
	}
	for _, operand := range operands {
		if name := secretName(operand); name != "" {
			return name
		}
	}
	return ""
}

// fixed tells whether an operand is known to everybody: a literal, nil, an empty value, a length, or the prefix of all keys.
func fixed(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit, *ast.CompositeLit:
		return true
	case *ast.Ident:
		return e.Name == "nil" || e.Name == "tokenPrefix"
	case *ast.CallExpr:
		called, ok := e.Fun.(*ast.Ident)
		return ok && called.Name == "len"
	}
	return false
}

// secretName is the name of what an expression takes from, when a word of it says that it is secret.
func secretName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		if slices.ContainsFunc(words(e.Name), func(word string) bool { return slices.Contains(secretWords, word) }) {
			return e.Name
		}
	case *ast.SelectorExpr:
		return secretName(e.Sel)
	case *ast.SliceExpr:
		return secretName(e.X)
	case *ast.ParenExpr:
		return secretName(e.X)
	case *ast.StarExpr:
		return secretName(e.X)
	case *ast.CallExpr: // []byte(token), digestOf(token)
		for _, argument := range e.Args {
			if name := secretName(argument); name != "" {
				return name
			}
		}
	}
	return ""
}
