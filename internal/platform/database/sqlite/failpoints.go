//go:build failpoints

package sqlite

import (
	"fmt"
	"os"

	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/powercut"
)

const (
	// powerCutVariable says that the process's end is a power cut: `full` with the product's own synchronous=FULL, `off`
	// with synchronous=OFF, the positive control.
	powerCutVariable = "SQLITE_POWER_CUT"
	powerCutVFS      = "powercut"
)

func init() { vfs.Register(powerCutVFS, powercut.New()) }

func underFaults(s settings) settings {
	switch how := os.Getenv(powerCutVariable); how {
	case "":
	case "full":
		s.vfs = powerCutVFS
	case "off":
		s.vfs, s.sync = powerCutVFS, SyncOff
	default:
		panic(fmt.Sprintf("%s=%q: want full or off", powerCutVariable, how))
	}
	return s
}
