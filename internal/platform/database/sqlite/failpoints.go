//go:build failpoints

package sqlite

import (
	"fmt"
	"os"
	"time"

	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/powercut"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/slowdisk"
)

const (
	// powerCutVariable says that the process's end is a power cut: `full` with the product's own synchronous=FULL, `off`
	// with synchronous=OFF, the positive control.
	powerCutVariable = "SQLITE_POWER_CUT"
	powerCutVFS      = "powercut"
	// logPagesUnderPowerCuts has the power fail while the log is being moved, which it seldom is.
	logPagesUnderPowerCuts = 256
	// logPagesOfControl are more than a control writes: its database, moved without a sync, could not even be read, and what it
	// has lost could not be counted.
	logPagesOfControl = 1 << 30
	// slowDiskVariable is how much longer each flush takes, such as 20ms.
	slowDiskVariable = "SQLITE_SLOW_DISK"
	slowDiskVFS      = "slowdisk"
)

func init() {
	vfs.Register(powerCutVFS, powercut.New())
	longer, _ := time.ParseDuration(os.Getenv(slowDiskVariable)) // underFaults says what is wrong with it
	vfs.Register(slowDiskVFS, slowdisk.New(longer))
}

func underFaults(s settings) settings {
	switch how := os.Getenv(powerCutVariable); how {
	case "":
	case "full":
		s.vfs, s.logPages = powerCutVFS, logPagesUnderPowerCuts
	case "off":
		s.vfs, s.sync, s.logPages = powerCutVFS, SyncOff, logPagesOfControl
	default:
		panic(fmt.Sprintf("%s=%q: want full or off", powerCutVariable, how))
	}
	if longer := os.Getenv(slowDiskVariable); longer != "" {
		if _, err := time.ParseDuration(longer); err != nil {
			panic(fmt.Sprintf("%s=%q: want a duration such as 20ms", slowDiskVariable, longer))
		}
		s.vfs = slowDiskVFS
	}
	return s
}
