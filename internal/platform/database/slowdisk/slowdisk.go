// Package slowdisk is a SQLite VFS on which a flush takes as long as on a busy disk, whatever the machine's own can do. With
// it capacity is the store's and not the processors', and the same in every run. See internal/overload.
package slowdisk

import (
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3/vfs"
)

// VFS is the system's, but for the flushes.
type VFS struct {
	vfs.VFSFilename
	flush time.Duration
}

// New makes a VFS over the system's, every flush of which takes so much longer. Register it by vfs.Register.
func New(flush time.Duration) *VFS {
	return &VFS{VFSFilename: vfs.Find("").(vfs.VFSFilename), flush: flush}
}

// systemFile is what the system's VFS opens: the index of a log is shared by its connections.
type systemFile interface {
	vfs.File
	vfs.FileSharedMemory
}

// OpenFilename implements vfs.VFSFilename.
func (v *VFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	opened, flags, err := v.VFSFilename.OpenFilename(name, flags)
	if err != nil || flags&(vfs.OPEN_WAL|vfs.OPEN_MAIN_DB) == 0 {
		return opened, flags, err
	}
	system, ok := opened.(systemFile)
	if !ok {
		return nil, flags, fmt.Errorf("slow disk: the system's files share no memory: %w", opened.Close())
	}
	return &file{systemFile: system, flush: v.flush}, flags, nil
}

type file struct {
	systemFile
	flush time.Duration
}

// Sync implements vfs.File.
func (f *file) Sync(flags vfs.SyncFlag) error {
	<-time.After(f.flush)
	return f.systemFile.Sync(flags)
}
