// Package configtest says of a program's settings what config.Parse does with them.
package configtest

import (
	"io"
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
)

// Refused says that each of the flags, by itself, makes settings of type S impossible, in words that name it, and that without
// them the program's environment is enough.
func Refused[S any](t *testing.T, program config.Program, flags ...string) {
	t.Helper()
	program.Stdout = io.Discard
	parse := func(args ...string) error {
		program.Args = append([]string{"--check-config"}, args...)
		_, err := config.Parse(new(S), program)
		return err
	}
	if err := parse(); err != nil {
		t.Errorf("without any of the flags: %v", err)
	}
	for _, flag := range flags {
		name, _, _ := strings.Cut(flag, "=")
		if err := parse(flag); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", flag, err)
		}
	}
}
