//go:build linux

package crash

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// disk is a small file system of its own, which can be full.
type disk struct{ dir string }

// mount makes a file system in memory at dir. That takes root.
func mount(dir, size string) (*disk, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a small disk: %w", err)
	}
	if err := syscall.Mount("crash", dir, "tmpfs", 0, "mode=755,size="+size); err != nil {
		return nil, fmt.Errorf("make a small disk at %s, which takes root: %w", dir, err)
	}
	return &disk{dir}, nil
}

func (d *disk) unmount() error {
	// Detached, so that a file that somebody still holds open does not keep it.
	if err := syscall.Unmount(d.dir, syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount %s: %w", d.dir, err)
	}
	return nil
}

func (d *disk) ballast() string { return filepath.Join(d.dir, "ballast") }

// fill takes the last byte.
func (d *disk) fill() (err error) {
	file, err := os.Create(d.ballast())
	if err != nil {
		return fmt.Errorf("fill the disk: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for block := make([]byte, 1<<20); ; {
		if _, err := file.Write(block); errors.Is(err, syscall.ENOSPC) {
			return nil
		} else if err != nil {
			return fmt.Errorf("fill the disk: %w", err)
		}
	}
}

// empty undoes fill.
func (d *disk) empty() error {
	if err := os.Remove(d.ballast()); err != nil {
		return fmt.Errorf("empty the disk: %w", err)
	}
	return nil
}
