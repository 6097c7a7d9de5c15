package ordersapp

import (
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config/configtest"
)

// TestSettingsThatCannotBeNameTheirFlags: a process of its own refuses what `veloz up` refuses.
func TestSettingsThatCannotBeNameTheirFlags(t *testing.T) {
	t.Parallel()
	env := []string{"DATABASE_URL=postgres://db/pedidos", "PAGAMENTOS_SERVICE_URL=http://pagamentos:8002", "ESTOQUE_SERVICE_URL=http://estoque:8003"}
	configtest.Refused[settings](t, config.Program{Name: program.Name, Env: env, Vars: map[string]string{"listen_address": program.Listen}},
		"--max-batch=0", "--max-batch=5000", "--order-queue=0", "--max-in-flight-orders=0",
		"--charge-workers=0", "--order-lease=1ms", "--max-wait=-1s")
}
