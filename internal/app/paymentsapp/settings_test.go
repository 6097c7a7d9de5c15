package paymentsapp

import (
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config/configtest"
)

// TestSettingsThatCannotBeNameTheirFlags: a process of its own refuses what `veloz up` refuses.
func TestSettingsThatCannotBeNameTheirFlags(t *testing.T) {
	t.Parallel()
	env := []string{"DATABASE_URL=postgres://db/pagamentos"}
	configtest.Refused[settings](t, config.Program{Name: program.Name, Env: env, Vars: map[string]string{"listen_address": program.Listen}},
		"--merchant-name=", "--merchant-city=—")
}
