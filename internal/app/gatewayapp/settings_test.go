package gatewayapp

import (
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config/configtest"
)

// TestSettingsThatCannotBeNameTheirFlags: a process of its own refuses what `veloz up` refuses.
func TestSettingsThatCannotBeNameTheirFlags(t *testing.T) {
	t.Parallel()
	env := []string{"VELOZ_API_KEYS_FILE=keys.json", "PEDIDOS_SERVICE_URL=http://pedidos:8001", "PAGAMENTOS_SERVICE_URL=http://pagamentos:8002", "ESTOQUE_SERVICE_URL=http://estoque:8003"}
	configtest.Refused[settings](t, config.Program{Name: program.Name, Env: env, Vars: map[string]string{"listen_address": program.Listen}},
		"--rate-limit=0", "--anonymous-rate-limit=0", "--max-requests=0", "--order-wait=-1s",
		"--request-timeout=0s", "--cors-origins=foo", "--api-keys={}")
}
