//go:build noembedded

package process

import (
	"context"
	"io/fs"
)

func migrateSQLite(context.Context, string, func() fs.FS) ([]string, error) {
	return nil, errNoEmbedded
}

func pendingSQLite(context.Context, string, func() fs.FS) ([]string, error) {
	return nil, errNoEmbedded
}
