package ordersapp

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
		{"--max-batch=0"},
		{"--max-batch=5000"},
		{"--order-queue=0"},
		{"--max-in-flight-orders=0"},
		{"--charge-workers=0"},
		{"--order-lease=1ms"},
		{"--max-wait=-1s"},
	} {
		var s settings
		_, err := config.Parse(&s, config.Program{Name: program.Name, Args: append([]string{"--check-config"}, args...), Stdout: io.Discard,
			Env:  []string{"DATABASE_URL=postgres://db/pedidos", "PAGAMENTOS_SERVICE_URL=http://pagamentos:8002", "ESTOQUE_SERVICE_URL=http://estoque:8003"},
			Vars: map[string]string{"listen_address": program.Listen}})
		flag, _, _ := strings.Cut(args[0], "=")
		if (err == nil) != (flag == "--log-level") || err != nil && !strings.Contains(err.Error(), flag) {
			t.Errorf("%v: %v", args, err)
		}
	}
}
