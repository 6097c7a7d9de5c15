package paymentsapp

import (
	"io"
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
)

// TestSettingsThatCannotBeNameTheirFlags: a process of its own refuses what `veloz up` refuses.
func TestSettingsThatCannotBeNameTheirFlags(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--log-level=warn"},
		{"--merchant-name="},
		{"--merchant-city=—"},
	} {
		var s settings
		_, err := config.Parse(&s, config.Program{Name: program.Name, Args: append([]string{"--check-config"}, args...), Stdout: io.Discard,
			Env:  []string{"DATABASE_URL=postgres://db/pagamentos"},
			Vars: map[string]string{"listen_address": program.Listen}})
		flag, _, _ := strings.Cut(args[0], "=")
		if (err == nil) != (flag == "--log-level") || err != nil && !strings.Contains(err.Error(), flag) {
			t.Errorf("%v: %v", args, err)
		}
	}
}
