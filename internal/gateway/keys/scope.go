package keys

import (
	"fmt"
	"slices"
	"strings"
)

// Scope is a permission that a key carries. The set is closed; the zero value is invalid.
type Scope uint8

// The scopes of the product. Admin implies all others.
const (
	_ Scope = iota
	OrdersWrite
	OrdersRead
	InventoryWrite
	InventoryRead
	PaymentsRead
	SandboxWrite
	Admin
)

var scopeNames = [...]string{
	OrdersWrite:    "orders:write",
	OrdersRead:     "orders:read",
	InventoryWrite: "inventory:write",
	InventoryRead:  "inventory:read",
	PaymentsRead:   "payments:read",
	SandboxWrite:   "sandbox:write",
	Admin:          "admin",
}

// AllScopes lists every scope, Admin last.
func AllScopes() []Scope {
	return []Scope{OrdersWrite, OrdersRead, InventoryWrite, InventoryRead, PaymentsRead, SandboxWrite, Admin}
}

// ParseScope reads a scope's name, such as `orders:write`.
func ParseScope(name string) (Scope, error) {
	if i := slices.Index(scopeNames[:], name); i > 0 {
		return Scope(i), nil
	}
	return 0, fmt.Errorf("unknown scope %q; the scopes are %s", name, strings.Join(scopeNames[1:], ", "))
}

// String is the scope's name, or `invalid`.
func (s Scope) String() string {
	if s == 0 || int(s) >= len(scopeNames) {
		return "invalid"
	}
	return scopeNames[s]
}

// MarshalText writes the scope's name.
func (s Scope) MarshalText() ([]byte, error) {
	if s == 0 || int(s) >= len(scopeNames) {
		return nil, fmt.Errorf("scope %d is not defined", s)
	}
	return []byte(scopeNames[s]), nil
}

// UnmarshalText reads the scope's name.
func (s *Scope) UnmarshalText(text []byte) error {
	parsed, err := ParseScope(string(text))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}

// Allows tells whether a key that carries the scopes may do what needs the one given.
func Allows(scopes []Scope, need Scope) bool {
	return slices.Contains(scopes, need) || slices.Contains(scopes, Admin)
}
