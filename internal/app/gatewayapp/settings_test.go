package gatewayapp

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
		{"--rate-limit=0"},
		{"--anonymous-rate-limit=0"},
		{"--max-requests=0"},
		{"--order-wait=-1s"},
		{"--request-timeout=0s"},
		{"--cors-origins=foo"},
		{"--api-keys={}"},
	} {
		var s settings
		_, err := config.Parse(&s, config.Program{Name: program.Name, Args: append([]string{"--check-config"}, args...), Stdout: io.Discard,
			Env:  []string{"VELOZ_API_KEYS_FILE=keys.json", "PEDIDOS_SERVICE_URL=http://pedidos:8001", "PAGAMENTOS_SERVICE_URL=http://pagamentos:8002", "ESTOQUE_SERVICE_URL=http://estoque:8003"},
			Vars: map[string]string{"listen_address": program.Listen}})
		flag, _, _ := strings.Cut(args[0], "=")
		if (err == nil) != (flag == "--log-level") || err != nil && !strings.Contains(err.Error(), flag) {
			t.Errorf("%v: %v", args, err)
		}
	}
}
