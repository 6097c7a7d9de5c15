//go:build !noembedded

package process

import (
	"context"
	"io/fs"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/migrate"
)

func migrateSQLite(ctx context.Context, path string, migrations func() fs.FS) ([]string, error) {
	return migrate.SQLite(ctx, path, migrations())
}

func pendingSQLite(ctx context.Context, path string, migrations func() fs.FS) ([]string, error) {
	return migrate.PendingSQLite(ctx, path, migrations())
}
